# SPDX-License-Identifier: EUPL-1.2
"""The registry's reader against a stand-in for Windows' own module: 64-bit, and empty where there is nothing."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sithsapp.desktop import registry_windows

KEYS: dict[str, dict[str, object]] = {
    r"SOFTWARE\Vendor": {"Version": "1.2", "Enabled": 1, "Blob": b"\x00", "List": ["a"]},
    r"SOFTWARE\Vendor\General": {},
}


class StandInWinreg(ModuleType):
    """Knows the four calls that are used, and fails as the real one does."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER = 1, 2
    KEY_READ, KEY_WOW64_64KEY = 0x20019, 0x0100
    HKEYType = object

    def __init__(self) -> None:
        super().__init__("winreg")
        self.opened: list[tuple[int, str, int]] = []

    def OpenKey(self, root: int, key: str, reserved: int, access: int) -> Any:
        self.opened.append((root, key, access))
        if root != self.HKEY_LOCAL_MACHINE or key not in KEYS:
            raise FileNotFoundError(2, "no such key")
        return nullcontext(SimpleNamespace(key=key))

    def EnumValue(self, opened: Any, number: int) -> tuple[str, object, int]:
        values = list(KEYS[opened.key].items())
        if number >= len(values):
            raise OSError(259, "no more data")
        return (*values[number], 1)

    def EnumKey(self, opened: Any, number: int) -> str:
        below = [key[len(opened.key) + 1 :] for key in KEYS if key.startswith(f"{opened.key}\\")]
        if number >= len(below):
            raise OSError(259, "no more data")
        return below[number]


@pytest.fixture
def winreg(monkeypatch: pytest.MonkeyPatch) -> StandInWinreg:
    made = StandInWinreg()
    monkeypatch.setitem(sys.modules, "winreg", made)
    monkeypatch.setattr(sys, "platform", "win32")
    return made


@pytest.fixture
def registry(winreg: StandInWinreg) -> Any:
    spec = importlib.util.spec_from_file_location("registry_as_on_windows", registry_windows.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WindowsRegistry()


def test_texts_and_numbers_are_read_and_nothing_else(registry: Any) -> None:
    assert registry.values(r"SOFTWARE\Vendor") == {"Version": "1.2", "Enabled": 1}
    assert registry.value(r"SOFTWARE\Vendor", "Enabled") == 1
    assert registry.value(r"SOFTWARE\Vendor", "Blob") is None
    assert registry.keys(r"SOFTWARE\Vendor") == ("General",)


def test_what_is_not_there_is_empty(registry: Any) -> None:
    assert registry.values("NO") == {}
    assert registry.keys("NO") == ()
    assert registry.value(r"SOFTWARE\Vendor", "Version", machine=False) is None


def test_the_64_bit_view_is_read_for_reading_alone(registry: Any, winreg: StandInWinreg) -> None:
    registry.keys("NO")
    registry.keys("NO", machine=False)
    assert winreg.opened == [(1, "NO", 0x20119), (2, "NO", 0x20119)]


def test_elsewhere_there_is_no_registry() -> None:
    assert registry_windows.WindowsRegistry().values("SOFTWARE") == {}
