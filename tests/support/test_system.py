# SPDX-License-Identifier: EUPL-1.2
"""What each operating system says: Linux from files built here and from this machine, the others from recordings."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sithsapp.support.system.browsers_linux import blocked_links
from sithsapp.support.system.facts import BlockedLinks, Propagation, Session, SessionKind, run_program
from sithsapp.support.system.linux import LinuxSystem
from sithsapp.support.system.mac import MacSystem
from sithsapp.support.system.this import this_system
from sithsapp.support.system.windows import WindowsSystem


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def says(answers: Mapping[str, str]) -> object:
    """Return a runner that answers by a word of the command."""

    def run(command: Sequence[str]) -> str:
        return next((text for word, text in answers.items() if word in " ".join(command)), "")

    return run


PCSCD = """pcsc-lite version 2.0.1.
Copyright (C) 1999-2002 by David Corcoran.
Enabled features: Linux x86_64-pc-linux-gnu serial usb libudev polkit
"""


class TestLinux:
    def system(self, root: Path, environment: Mapping[str, str] | None = None, **answers: str) -> LinuxSystem:
        return LinuxSystem(environment or {}, root, says(answers))  # type: ignore[arg-type] # a runner in effect

    def test_versions(self, tmp_path: Path) -> None:
        plist = "<key>CFBundleShortVersionString</key>\n<string>1.5.5</string>"
        write(tmp_path, "usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist", plist)
        driver = self.system(tmp_path, pcscd=PCSCD).driver()
        assert driver.versions == ("pcsc-lite 2.0.1, with polkit", "ifd-ccid 1.5.5")
        assert driver.installed
        assert driver.attached is None

    def test_nothing_installed(self, tmp_path: Path) -> None:
        driver = self.system(tmp_path).driver()
        assert (driver.versions, driver.installed) == ((), False)

    def test_readers_that_usb_shows(self, tmp_path: Path) -> None:
        for name, number in (("1-1:1.0", "0b"), ("1-2:1.0", "03"), ("1-3:1.1", "0b")):
            write(tmp_path, f"sys/bus/usb/devices/{name}/bInterfaceClass", f"{number}\n")
        assert self.system(tmp_path).driver().attached == 2

    def test_other_products_by_process_and_by_module(self, tmp_path: Path) -> None:
        write(tmp_path, "proc/42/comm", "iid\n")
        write(tmp_path, "proc/43/comm", "bash\n")
        write(tmp_path, "etc/pkcs11/modules/sac.module", "module: /usr/lib/libIDPrimePKCS11.so\n")
        write(tmp_path, "usr/share/p11-kit/modules/opensc.module", "# comment\nmodule: opensc-pkcs11.so\n")
        expected = ("Net iD", "OpenSC", "SafeNet Authentication Client")
        assert self.system(tmp_path).other_card_software() == expected

    @pytest.mark.parametrize(
        ("environment", "kind"),
        [
            ({}, SessionKind.LOCAL),
            ({"XRDP_SESSION": "1"}, SessionKind.RDP),
            ({"ViewClient_Machine_Name": "pc"}, SessionKind.HORIZON),
            ({"CITRIX_SESSION_ID": "2"}, SessionKind.CITRIX),
            ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, SessionKind.SSH),
        ],
    )
    def test_where_the_desktop_is_shown(self, environment: dict[str, str], kind: SessionKind, tmp_path: Path) -> None:
        assert self.system(tmp_path, environment).session().kind is kind

    def test_the_version_of_what_shows_it(self, tmp_path: Path) -> None:
        system = self.system(tmp_path, {"XRDP_SESSION": "1"}, xrdp="xrdp 0.9.21.1\nsome more\n")
        assert system.session() == Session(SessionKind.RDP, "0.9.21.1")

    def test_the_system_by_name(self, tmp_path: Path) -> None:
        write(tmp_path, "etc/os-release", 'NAME="X"\nPRETTY_NAME="Debian GNU/Linux 12"\n')
        described = dict(self.system(tmp_path, {"XDG_CURRENT_DESKTOP": "GNOME"}).describe())
        assert (described["system"], described["desktop"]) == ("Debian GNU/Linux 12", "GNOME")

    def test_files_that_are_no_files_are_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "etc/os-release").mkdir(parents=True)
        (tmp_path / "proc" / "9").mkdir(parents=True)
        loop = tmp_path / "etc/pkcs11/modules/loop.module"
        loop.parent.mkdir(parents=True)
        loop.symlink_to(loop)
        system = self.system(tmp_path)
        assert dict(system.describe())["system"] == "Linux"
        assert system.other_card_software() == ()

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at this machine")
    def test_on_this_machine(self) -> None:
        system = this_system()
        assert any(version.startswith("pcsc-lite ") for version in system.driver().versions)
        assert "OpenSC" in system.other_card_software()
        assert dict(system.describe())["system"]
        assert len(system.public_roots()) > 20


class TestBrowserPolicies:
    @pytest.mark.parametrize(
        ("policy", "blocked"),
        [
            ({"URLBlocklist": ["siths:*"]}, True),
            ({"URLBlocklist": ["siths://*", "ftp:*"]}, True),
            ({"URLBlocklist": ["*"]}, True),
            ({"URLBlocklist": ["*"], "URLAllowlist": ["siths:*"]}, False),
            ({"URLBlocklist": ["*"], "URLAllowlist": ["*"]}, True),
            ({"URLBlocklist": ["file://*"]}, False),
            ({"URLBlocklist": "siths:*"}, False),
            ({}, False),
        ],
    )
    def test_chromium(self, policy: dict[str, object], blocked: bool, tmp_path: Path) -> None:
        write(tmp_path, "etc/chromium/policies/managed/it.json", json.dumps(policy))
        assert bool(blocked_links(tmp_path, "siths")) is blocked

    def test_several_files_are_one_policy(self, tmp_path: Path) -> None:
        write(tmp_path, "etc/opt/chrome/policies/managed/a.json", '{"URLBlocklist": ["*"]}')
        write(tmp_path, "etc/opt/chrome/policies/managed/b.json", '{"URLAllowlist": ["siths:*"]}')
        assert blocked_links(tmp_path, "siths") == ()

    def test_firefox(self, tmp_path: Path) -> None:
        handlers = {"schemes": {"siths": {"action": "handleInternally"}}}
        write(tmp_path, "etc/firefox/policies/policies.json", json.dumps({"policies": {"Handlers": handlers}}))
        assert blocked_links(tmp_path, "siths") == (BlockedLinks("Firefox", "Handlers"),)

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"policies": 3}', "[" * 100_000])
    def test_broken_files_say_nothing(self, text: str, tmp_path: Path) -> None:
        write(tmp_path, "etc/chromium/policies/managed/it.json", text)
        write(tmp_path, "etc/firefox/policies/policies.json", text)
        assert blocked_links(tmp_path, "siths") == ()


class RecordedRegistry:
    """A registry as it was recorded: keys of both roots in one place."""

    def __init__(self, recorded: Mapping[str, Mapping[str, str | int]]) -> None:
        self._recorded = recorded

    def value(self, key: str, name: str, *, machine: bool = True) -> str | int | None:
        return self._recorded.get(key, {}).get(name)

    def values(self, key: str, *, machine: bool = True) -> Mapping[str, str | int]:
        return self._recorded.get(key, {})

    def keys(self, key: str, *, machine: bool = True) -> tuple[str, ...]:
        below = (name[len(key) + 1 :] for name in self._recorded if name.startswith(f"{key}\\"))
        return tuple(sorted({name.split("\\")[0] for name in below}))


CURRENT = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
SAC = r"SOFTWARE\SafeNet\Authentication\SAC"
CERTPROP = r"SOFTWARE\Policies\Microsoft\Windows\CertProp"


class TestWindows:
    def system(
        self,
        recorded: Mapping[str, Mapping[str, str | int]],
        environment: Mapping[str, str] | None = None,
        **says_: str,
    ) -> WindowsSystem:
        return WindowsSystem(environment or {}, RecordedRegistry(recorded), says(says_))  # type: ignore[arg-type] # a runner

    def test_the_system(self) -> None:
        recorded: dict[str, dict[str, str | int]] = {
            CURRENT: {
                "ProductName": "Windows 11 Pro", "DisplayVersion": "23H2", "CurrentBuild": "22631", "UBR": 4460,
            }
        }  # fmt: skip
        described = dict(self.system(recorded, {"PROCESSOR_ARCHITECTURE": "AMD64"}).describe())
        assert described == {
            "system": "Windows 11 Pro 23H2", "build": "22631.4460", "architecture": "AMD64",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("environment", "recorded", "expected"),
        [
            ({"SESSIONNAME": "Console"}, {}, Session(SessionKind.LOCAL)),
            ({"SESSIONNAME": "RDP-Tcp#12"}, {}, Session(SessionKind.RDP)),
            (
                {"SESSIONNAME": "ICA-CGP#0"},
                {r"SOFTWARE\Citrix\VirtualDesktopAgent": {"ProductVersion": "2203.0.4"}},
                Session(SessionKind.CITRIX, "2203.0.4"),
            ),
            (
                {"SESSIONNAME": "RDP-Tcp#1"},
                {
                    r"Volatile Environment\2": {"ViewClient_Machine_Name": "ward7"},
                    r"SOFTWARE\VMware, Inc.\VMware VDM": {"ProductVersion": "8.12"},
                },
                Session(SessionKind.HORIZON, "8.12"),
            ),
        ],
    )
    def test_where_the_desktop_is_shown(
        self, environment: dict[str, str], recorded: dict[str, dict[str, str | int]], expected: Session
    ) -> None:
        assert self.system(recorded, environment).session() == expected

    @pytest.mark.parametrize(
        ("recorded", "expected"),
        [
            ({}, Propagation.SYSTEM),
            ({CERTPROP: {"CertPropEnabled": 0}}, Propagation.NONE),
            ({CERTPROP: {"CertPropEnabled": 0}, rf"{SAC}\General": {}}, Propagation.OTHER),
            ({rf"{SAC}\General": {}}, Propagation.BOTH),
            ({rf"{SAC}\CertStore": {"PropagateUserCertificates": 0}}, Propagation.SYSTEM),
        ],
    )
    def test_who_copies_certificates(self, recorded: dict[str, dict[str, str | int]], expected: Propagation) -> None:
        assert self.system(recorded).propagation() is expected

    def test_other_products(self) -> None:
        running = '"iid.exe","4711","Console","1","12 K"\n"explorer.exe","1","Console","1","1 K"\n'
        found = self.system({rf"{SAC}\General": {}}, tasklist=running).other_card_software()
        assert found == ("Net iD", "SafeNet Authentication Client")

    def test_browser_policies(self) -> None:
        chrome, edge = r"SOFTWARE\Policies\Google\Chrome", r"SOFTWARE\Policies\Microsoft\Edge"
        recorded: dict[str, dict[str, str | int]] = {
            rf"{chrome}\URLBlocklist": {"1": "*"},
            rf"{chrome}\URLAllowlist": {"1": "siths:*"},
            rf"{edge}\URLBlocklist": {"1": "SITHS:*"},
        }
        assert self.system(recorded).blocked_links("siths") == (BlockedLinks("Edge", "URLBlocklist"),)

    def test_readers_and_an_empty_registry(self) -> None:
        readers = r"SOFTWARE\Microsoft\Cryptography\Calais\Readers"
        assert self.system({rf"{readers}\OMNIKEY 3121": {}}).driver().versions == ("reader driver: OMNIKEY 3121",)
        empty = self.system({})
        assert empty.driver().versions == ()
        assert dict(empty.describe())["system"] == "Windows"


class TestMac:
    def test_what_its_programs_say(self, tmp_path: Path) -> None:
        write(tmp_path, "usr/local/lib/libiidp11.dylib", "")
        answers = {
            "sw_vers": "ProductName:\tmacOS\nProductVersion:\t14.5\nBuildVersion:\t23F79\n",
            "system_profiler": "  #01: org.debian.alioth.pcsclite.smartcardccid (/usr/ifd-ccid.bundle (1.5.1))",
            "pluginkit": "     org.opensc-project.mac.opensctoken.OpenSCTokenApp.OpenSCToken(1.0)\n",
            "com.google.Chrome URLBlocklist": '(\n    "siths:*"\n)\n',
        }
        system = MacSystem({}, tmp_path, says(answers))  # type: ignore[arg-type] # a runner in effect
        assert dict(system.describe())["system"] == "macOS 14.5"
        assert system.other_card_software() == ("Net iD", "OpenSC")
        assert system.driver().versions == ("ifd-ccid 1.5.1",)
        assert system.blocked_links("siths") == (BlockedLinks("Chrome", "URLBlocklist"),)
        assert system.propagation() is None


class TestPrograms:
    def test_one_that_is_not_there_says_nothing(self) -> None:
        assert run_program(["/no/such/program"]) == ""

    @pytest.mark.skipif(sys.platform == "win32", reason="runs sh")
    def test_one_that_says_too_much_is_cut(self) -> None:
        said = run_program(["/bin/sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' a"])
        assert len(said) == 64 * 1024
