# SPDX-License-Identifier: EUPL-1.2
"""Self-tests against a real smart card service that goes and comes, and a real desktop registration."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sithsapp.card.pcsc import PcscReaders
from sithsapp.card.service import CardService
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.cli.card_service import settled
from sithsapp.failures import Failure, SithsError
from sithsapp.support.checks.cards import CardCheck, ReaderCheck, ServiceCheck
from sithsapp.support.checks.check import Context, Outcome
from sithsapp.support.checks.desktop import SchemeCheck
from sithsapp.support.checks.scheme import app_command, scheme_owner, take_scheme
from tests.parts.pcscd import PcscSlots
from tests.parts.xvfb import wait_until
from tests.support.desk import StillSystem, context, no_network, run

if TYPE_CHECKING:
    from sithsapp.card.virtual.pcscd import PrivatePcscd


@pytest.mark.e2e
class TestService:
    @pytest.fixture
    def service(self, private_pcscd: PrivatePcscd) -> Iterator[CardService]:
        made = CardService([PcscReaders()])
        made.start()
        settled(made)
        yield made
        made.close()

    def place(self, service: CardService, directory: Path) -> Context:
        known = context(directory)
        return Context(known.settings, lambda: service.state, StillSystem(), no_network, directory)

    def test_up_down_and_up_again(
        self, service: CardService, pcsc_slots: PcscSlots, card: VirtualCard, tmp_path: Path
    ) -> None:
        place = self.place(service, tmp_path)
        name = pcsc_slots.insert(card)
        wait_until(lambda: bool(service.state.cards), 20)
        assert run(ServiceCheck(), place).outcome is Outcome.OK
        assert name in str(run(ReaderCheck(), place).sentence)
        assert run(CardCheck(), place).outcome is Outcome.OK
        pcsc_slots.clear()
        pcsc_slots.service.kill()
        wait_until(lambda: run(ServiceCheck(), place).failure is Failure.NO_READER_SERVICE, 20)
        assert run(ReaderCheck(), place).outcome is Outcome.NOT_APPLICABLE
        pcsc_slots.service.restart()
        wait_until(lambda: service.state.service_running and bool(service.state.slots), 20)
        assert run(ServiceCheck(), place).outcome is Outcome.OK


@pytest.mark.skipif(shutil.which("xdg-mime") is None, reason="needs xdg-utils")
class TestScheme:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        for name, variable in (("data", "XDG_DATA_HOME"), ("config", "XDG_CONFIG_HOME"), ("share", "XDG_DATA_DIRS")):
            (tmp_path / name).mkdir()
            monkeypatch.setenv(variable, str(tmp_path / name))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
        for variable in ("XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "BROWSER"):
            monkeypatch.delenv(variable, raising=False)
        return tmp_path

    def test_from_nobody_to_us(self, tmp_path: Path) -> None:
        assert run(SchemeCheck(), context(tmp_path)).outcome is Outcome.PROBLEM
        take_scheme("siths")
        assert run(SchemeCheck(), context(tmp_path)).outcome is Outcome.OK

    def test_from_another_only_when_a_person_says_so(self, home: Path) -> None:
        applications = home / "data" / "applications"
        applications.mkdir()
        (applications / "other.desktop").write_text("[Desktop Entry]\nType=Application\nName=O\nExec=/bin/true %u\n")
        (home / "config" / "mimeapps.list").write_text(
            "[Default Applications]\nx-scheme-handler/siths=other.desktop\n"
        )
        found = run(SchemeCheck(), context(home))
        assert (found.outcome, "other" in str(found.sentence)) == (Outcome.WARNING, True)
        take_scheme("siths")
        owner = scheme_owner("siths")
        assert owner is not None
        assert owner.is_us

    def test_a_desktop_that_goes_on_as_before_is_a_numbered_failure(
        self, monkeypatch: pytest.MonkeyPatch, home: Path
    ) -> None:
        (home / "data" / "applications").write_text("in the way")
        with pytest.raises(SithsError, match="A952"):
            take_scheme("siths")

    def test_what_is_registered_starts_this_app(self, home: Path) -> None:
        take_scheme("siths")
        entry = (home / "data" / "applications" / "sithsapp.desktop").read_text()
        program = app_command()[0]
        assert Path(program).is_absolute()
        assert program in entry

    def test_an_installed_program_is_started_by_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        monkeypatch.setattr(sys, "executable", "/opt/sithsapp/sithsapp")
        assert app_command() == ("/opt/sithsapp/sithsapp",)
