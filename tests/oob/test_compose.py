# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sithsapp.failures import Failure
from sithsapp.oob.compose import OrderFlows
from sithsapp.oob.interaction import Finished
from sithsapp.settings.schema import Settings
from tests.oob.fakes import LAUNCH, FakeCards, Person, cards_with, trusted_service


def test_the_network_library_waits_for_the_first_order() -> None:
    program = """
import sys
from sithsapp.oob.compose import OrderFlows
from sithsapp.settings.schema import Settings
from tests.oob.fakes import FakeCards, cards_with
flows = OrderFlows(Settings(), FakeCards(cards_with(None)), print, "sv")
print([name for name in sys.modules if name in ("PySide6.QtNetwork", "PySide6.QtWidgets", "ssl")])
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin"},
        check=False,
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")


@pytest.mark.usefixtures("qapp")
def test_a_ca_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    service = trusted_service()
    settings = Settings(environment="test", services=(service,), extra_ca=(str(tmp_path / "absent.pem"),))
    person = Person()
    flow = OrderFlows(settings, FakeCards(cards_with(None)), print, "sv").new(LAUNCH, person)
    flow.start()
    assert person.wait_for(Finished).failure is Failure.SETTINGS_INVALID
    assert flow.join(20)


@pytest.mark.usefixtures("qapp")
def test_a_service_of_another_environment_is_unknown() -> None:
    settings = Settings(environment="production", services=(trusted_service(),))
    person = Person()
    flow = OrderFlows(settings, FakeCards(cards_with(None)), print, "sv").new(LAUNCH, person)
    flow.start()
    assert person.wait_for(Finished).failure is Failure.UNKNOWN_SERVICE
    assert flow.join(20)
