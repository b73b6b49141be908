# SPDX-License-Identifier: EUPL-1.2
"""Starting at log-in: the user's choice over the machine's, on each platform's own ground."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from sithsapp.desktop.autostart import Autostart, follow
from sithsapp.desktop.autostart_linux import DesktopEntries
from sithsapp.desktop.autostart_macos import LABEL, LaunchAgents
from sithsapp.desktop.autostart_windows import APPROVED, RUN, VALUE, RunKeys
from sithsapp.desktop.desktop_entry import entry_values
from sithsapp.desktop.program import own_command
from sithsapp.failures import Failure, SithsError

COMMAND = ("/opt/sit hs/100%/sithsapp", "--hidden")


class FakeRegistry:
    """The parts of `winreg` that are used, over a dictionary, with its errors."""

    HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE = 1, 2
    KEY_READ, KEY_SET_VALUE, REG_SZ, REG_BINARY = 0x20019, 2, 1, 3

    class Key:
        """An open key; a context manager as winreg's is."""

        def __init__(self, hive: int, path: str, access: int) -> None:
            self.place, self.access = (hive, path.lower()), access

        def __enter__(self) -> FakeRegistry.Key:
            return self

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            self.place = (0, "closed")

    def __init__(self) -> None:
        self.values: dict[tuple[int, str], dict[str, tuple[Any, int]]] = {}
        self.denied = False

    def OpenKey(self, key: int, sub_key: str, reserved: int = 0, access: int = KEY_READ) -> Key:
        if (key, sub_key.lower()) not in self.values:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return self._opened(key, sub_key, access)

    def CreateKeyEx(self, key: int, sub_key: str, reserved: int = 0, access: int = KEY_READ) -> Key:
        opened = self._opened(key, sub_key, access)
        self.values.setdefault((key, sub_key.lower()), {})
        return opened

    def _opened(self, key: int, sub_key: str, access: int) -> Key:
        if access & self.KEY_SET_VALUE and (self.denied or key == self.HKEY_LOCAL_MACHINE):
            raise PermissionError(5, "Access is denied")
        return self.Key(key, sub_key, access)

    def QueryValueEx(self, key: Key, name: str) -> tuple[Any, int]:
        if name not in self.values[key.place]:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return self.values[key.place][name]

    def SetValueEx(self, key: Key, name: str, reserved: int, kind: int, value: Any) -> None:
        assert key.access & self.KEY_SET_VALUE
        self.values[key.place][name] = (value, kind)

    def DeleteValue(self, key: Key, name: str) -> None:
        assert key.access & self.KEY_SET_VALUE
        if name not in self.values[key.place]:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        del self.values[key.place][name]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"relative:{tmp_path / 'xdg'}")
    return tmp_path


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture(params=["linux", "windows", "macos"])
def platform(request: pytest.FixtureRequest, home: Path, registry: FakeRegistry) -> Callable[[], Autostart]:
    makers: dict[str, Callable[[], Autostart]] = {
        "linux": lambda: DesktopEntries(COMMAND),
        "windows": lambda: RunKeys(registry, COMMAND),
        "macos": lambda: LaunchAgents(COMMAND, own=home / "own", machine=home / "machine"),
    }
    return makers[request.param]


class TestContract:
    """The same on every platform, without anything machine-wide."""

    def test_off_until_it_is_wanted(self, platform: Callable[[], Autostart]) -> None:
        assert not platform().enabled()
        platform().set(False)
        assert not platform().enabled()

    def test_on_and_off_again(self, platform: Callable[[], Autostart]) -> None:
        platform().set(True)
        platform().set(True)
        assert platform().enabled()
        platform().set(False)
        platform().set(False)
        assert not platform().enabled()

    def test_taking_the_choice_back(self, platform: Callable[[], Autostart]) -> None:
        platform().set(True)
        platform().reset()
        platform().reset()
        assert not platform().enabled()

    @pytest.mark.parametrize(("wanted", "enabled"), [(True, True), (False, False), (None, False)])
    def test_following_the_setting(
        self, platform: Callable[[], Autostart], wanted: bool | None, enabled: bool
    ) -> None:
        platform().set(True)
        follow(wanted, platform())
        assert platform().enabled() is enabled


MACHINE_ENTRY = "[Desktop Entry]\nType=Application\nName=x\nExec=sithsapp --hidden\n"


class TestLinux:
    """Desktop entries."""

    @pytest.fixture
    def machine(self, home: Path) -> Path:
        path = home / "xdg" / "autostart" / "sithsapp.desktop"
        path.parent.mkdir(parents=True)
        path.write_text(MACHINE_ENTRY)
        return path

    @staticmethod
    def _own(home: Path) -> Path:
        return home / "config" / "autostart" / "sithsapp.desktop"

    def test_the_machines_entry_can_be_switched_off_and_on(self, home: Path, machine: Path) -> None:
        entries = DesktopEntries(COMMAND)
        assert entries.enabled()
        entries.set(False)
        assert not entries.enabled()
        values = entry_values(self._own(home))
        assert values is not None
        assert values["Hidden"] == "true"
        entries.set(True)
        assert entries.enabled()
        assert not self._own(home).exists()  # so that the package's own entry, with its updates, is used
        assert machine.read_text() == MACHINE_ENTRY

    def test_a_machine_entry_that_is_off_does_not_hold_the_user_back(self, home: Path, machine: Path) -> None:
        machine.write_text(MACHINE_ENTRY + "X-GNOME-Autostart-enabled=false\n")
        assert not DesktopEntries(COMMAND).enabled()
        DesktopEntries(COMMAND).set(True)
        assert DesktopEntries(COMMAND).enabled()

    def test_what_a_desktop_switched_off_is_off(self, home: Path) -> None:
        DesktopEntries(COMMAND).set(True)
        own = self._own(home)
        own.write_text(own.read_text().replace("enabled=true", "enabled=false"))
        assert not DesktopEntries(COMMAND).enabled()

    def test_the_entry_is_valid_and_quoted(self, home: Path) -> None:
        DesktopEntries(COMMAND).set(True)
        values = entry_values(self._own(home))
        assert values is not None
        assert values["Exec"] == '"/opt/sit hs/100%%/sithsapp" --hidden'
        if shutil.which("desktop-file-validate"):
            subprocess.run(["desktop-file-validate", self._own(home)], check=True, capture_output=True)

    def test_a_directory_in_the_entrys_place_is_a_numbered_failure(self, home: Path) -> None:
        self._own(home).mkdir(parents=True)
        for wanted in (True, None):
            with pytest.raises(SithsError) as caught:
                follow(wanted, DesktopEntries(COMMAND))
            assert caught.value.failure is Failure.AUTOSTART_NOT_CHANGED
        assert [path.name for path in self._own(home).parent.iterdir()] == ["sithsapp.desktop"]

    def test_a_pipe_or_a_huge_file_is_no_entry(self, home: Path) -> None:
        own = self._own(home)
        own.parent.mkdir(parents=True)
        os.mkfifo(own)
        assert not DesktopEntries(COMMAND).enabled()
        own.unlink()
        own.write_bytes(b"\xff" * 1_000_000 + b"\n[Desktop Entry]\n")
        assert entry_values(own) == {}

    def test_keys_of_other_groups_do_not_count(self, home: Path) -> None:
        own = self._own(home)
        own.parent.mkdir(parents=True)
        own.write_text("Hidden=true\n[Desktop Entry]\n#Hidden=true\nType = Application\n[Other]\nHidden=true\n")
        assert DesktopEntries(COMMAND).enabled()


class TestWindows:
    """Run keys, against a fake of winreg."""

    def test_the_command_is_quoted_for_windows(self, registry: FakeRegistry) -> None:
        RunKeys(registry, (r"C:\Program Files\S\sithsapp.exe", "--hidden")).set(True)
        value, kind = registry.values[1, RUN.lower()][VALUE]
        assert (value, kind) == (r'"C:\Program Files\S\sithsapp.exe" --hidden', registry.REG_SZ)

    def test_what_the_task_manager_switched_off_is_off_until_asked_for_again(self, registry: FakeRegistry) -> None:
        keys = RunKeys(registry, COMMAND)
        keys.set(True)
        registry.values[1, APPROVED.lower()][VALUE] = (b"\x03" + bytes(11), registry.REG_BINARY)
        assert not keys.enabled()
        keys.set(True)
        assert keys.enabled()

    def test_the_machines_value_is_seen_and_cannot_be_taken_away(self, registry: FakeRegistry) -> None:
        registry.values[2, RUN.lower()] = {VALUE: ("x", registry.REG_SZ)}
        keys = RunKeys(registry, COMMAND)
        assert keys.enabled()
        with pytest.raises(SithsError, match="machine") as caught:
            keys.set(False)
        assert caught.value.failure is Failure.AUTOSTART_NOT_CHANGED
        assert registry.values[2, RUN.lower()]

    def test_a_denied_key_is_a_numbered_failure(self, registry: FakeRegistry) -> None:
        registry.denied = True
        with pytest.raises(SithsError, match="denied"):
            RunKeys(registry, COMMAND).set(True)


class TestMacos:
    """Launch agents."""

    def test_the_agent_runs_the_command_at_load(self, home: Path) -> None:
        LaunchAgents(COMMAND, own=home / "own", machine=home).set(True)
        agent = plistlib.loads((home / "own" / f"{LABEL}.plist").read_bytes())
        assert (agent["ProgramArguments"], agent["RunAtLoad"]) == (list(COMMAND), True)

    @pytest.mark.parametrize("content", [b"", b"<plist", b"bplist00" + b"\xff" * 40, plistlib.dumps([1])])
    def test_a_broken_agent_starts_nothing(self, home: Path, content: bytes) -> None:
        (home / f"{LABEL}.plist").write_bytes(content)
        assert not LaunchAgents(COMMAND, own=home, machine=home / "none").enabled()

    def test_the_machines_agent_cannot_be_taken_away(self, home: Path) -> None:
        (home / f"{LABEL}.plist").write_bytes(plistlib.dumps({"RunAtLoad": True}))
        agents = LaunchAgents(COMMAND, own=home / "own", machine=home)
        agents.set(True)
        assert not (home / "own").exists()
        with pytest.raises(SithsError, match="machine"):
            agents.set(False)


def test_the_command_is_absolute_and_starts_this_app() -> None:
    command = own_command()
    assert Path(command[0]).is_absolute()
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip()
