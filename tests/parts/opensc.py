# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: OpenSC's tools on a virtual card through a private pcscd, with their own home and configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.personalise import for_opensc_0_23
from tests.parts.pcscd import PcscSlots
from tests.parts.virtual_card import CardFactory

_CONFIGURATION = "app default { framework pkcs15 { use_file_caching = no; } }\n"
_MODULES = (
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib64/opensc-pkcs11.so",
)
_TIMEOUT = 30


class OpenSc:
    """Runs OpenSC's tools on the card in slot 0, and counts what they send."""

    def __init__(self, home: Path, slots: PcscSlots, card: VirtualCard) -> None:
        self._slots = slots
        self._environment = {**os.environ, **slots.service.environment, "HOME": str(home), "LC_ALL": "C"}
        self._environment["OPENSC_CONF"] = str(home / "opensc.conf")
        (home / "opensc.conf").write_text(_CONFIGURATION)
        self.home = home
        self.card = card
        self.commands: list[bytes] = []
        card.observer = lambda command, answer: self.commands.append(command)
        self.reader = slots.insert(card)

    def run(self, tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a tool; `commands` holds what it sent to the card."""
        self.commands.clear()
        return subprocess.run(
            [tool, *map(str, arguments)],
            env=self._environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )

    def pkcs11(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run pkcs11-tool with OpenSC's module."""
        return self.run("pkcs11-tool", "--module", self.module, *arguments)

    @property
    def module(self) -> str:
        """The path of OpenSC's module."""
        module = next((path for path in _MODULES if Path(path).exists()), None)
        if module is None:
            pytest.skip("not installed: opensc-pkcs11.so")
        return module


def require_opensc() -> None:
    """Skip the test where OpenSC is not installed."""
    missing = [tool for tool in ("opensc-tool", "pkcs15-tool", "pkcs11-tool") if shutil.which(tool) is None]
    if missing:
        pytest.skip("not installed: " + ", ".join(missing))


@pytest.fixture
def opensc(tmp_path: Path, pcsc_slots: PcscSlots, make_card: CardFactory) -> OpenSc:
    """OpenSC with a card that version 0.23 knows."""
    require_opensc()
    home = tmp_path / "home"
    home.mkdir()
    return OpenSc(home, pcsc_slots, make_card(for_opensc_0_23()))
