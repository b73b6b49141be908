# SPDX-License-Identifier: EUPL-1.2
"""What Linux knows: files under a root directory, which tests build for themselves, and a few programs."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from sithsapp.support.safe_file import read_small
from sithsapp.support.system.browsers_linux import blocked_links
from sithsapp.support.system.facts import (
    BlockedLinks,
    Driver,
    Propagation,
    Run,
    Session,
    SessionKind,
    first_match,
    run_program,
)

_MAX_FILE = 64 * 1024
_MAX_PROCESSES = 20_000
_SMART_CARD_CLASS = "0b"
_DRIVERS = ("usr/lib/pcsc/drivers", "usr/lib64/pcsc/drivers", "usr/local/lib/pcsc/drivers")
_DRIVER_NAMES = ("ifd-ccid.bundle", "ifd-acsccid.bundle")
_MODULES = ("usr/share/p11-kit/modules", "etc/pkcs11/modules")
_ROOTS = ("usr/share/ca-certificates/mozilla",)
_PROGRAMS = {
    "iid": "Net iD",
    "iidsmrt": "Net iD",
    "SACMonitor": "SafeNet Authentication Client",
    "SACSrv": "SafeNet Authentication Client",
}
_LIBRARIES = {
    "iidp11": "Net iD",
    "etpkcs11": "SafeNet Authentication Client",
    "idprimepkcs11": "SafeNet Authentication Client",
    "opensc-pkcs11": "OpenSC",
    "softhsm": "SoftHSM",
}


class LinuxSystem:
    """Implements `System` for Linux."""

    def __init__(self, environment: Mapping[str, str], root: Path = Path("/"), run: Run = run_program) -> None:
        """Look at `environment` and below `root`; run programs by `run`."""
        self._environment, self._root, self._run = environment, root, run

    def describe(self) -> tuple[tuple[str, str], ...]:
        """Return system, kernel, architecture and desktop."""
        environment = self._environment
        name = first_match(r'(?m)^PRETTY_NAME="?([^"\n]*)', self._read("etc/os-release")) or "Linux"
        desktop = [environment.get("XDG_CURRENT_DESKTOP", ""), environment.get("XDG_SESSION_TYPE", "")]
        return (
            ("system", name),
            ("kernel", platform.release()),
            ("architecture", platform.machine()),
            ("desktop", ", ".join(filter(None, desktop)) or "none"),
        )

    def session(self) -> Session:
        """Return where the desktop is shown, by the variables that the session's maker sets."""
        environment = self._environment
        if environment.get("XRDP_SESSION"):
            return Session(SessionKind.RDP, self._xrdp_version())
        if any(name.startswith("ViewClient_") for name in environment):
            return Session(SessionKind.HORIZON)
        if environment.get("CITRIX_SESSION_ID") or environment.get("ICA_SESSION_ID"):
            return Session(SessionKind.CITRIX)
        return Session(SessionKind.SSH if environment.get("SSH_CONNECTION") else SessionKind.LOCAL)

    def driver(self) -> Driver:
        """Return pcscd's and the drivers' versions, and how many readers USB shows."""
        versions = list(self._pcscd())
        bundles = [self._root / place / name for place in _DRIVERS for name in _DRIVER_NAMES]
        found = [bundle for bundle in bundles if bundle.is_dir()]
        for bundle in found:
            text = self._read(str((bundle / "Contents/Info.plist").relative_to(self._root)))
            version = first_match(r"CFBundleShortVersionString</key>\s*<string>([0-9A-Za-z.]+)", text)
            versions.append(f"{bundle.stem} {version}".strip())
        return Driver(tuple(versions), self._attached(), bool(found))

    def other_card_software(self) -> tuple[str, ...]:
        """Return products whose programs run or whose modules p11-kit loads into other programs."""
        running = {_PROGRAMS[name] for name in self._processes() if name in _PROGRAMS}
        modules = {
            product for text in self._modules() for part, product in _LIBRARIES.items() if part in text.lower()
        }
        return tuple(sorted(running | modules))

    def propagation(self) -> Propagation | None:
        """Return None: Linux copies no certificates."""
        return None

    def blocked_links(self, scheme: str) -> tuple[BlockedLinks, ...]:
        """Return the policies of Chromium, Chrome, Edge, Brave and Firefox that refuse links of `scheme`."""
        return blocked_links(self._root, scheme)

    def public_roots(self) -> tuple[Path, ...]:
        """Return the files of Debian's CA package; what administrators add lies elsewhere."""
        return tuple(sorted(path for place in _ROOTS for path in (self._root / place).glob("*.crt")))

    def _xrdp_version(self) -> str:
        return first_match(r"xrdp ([0-9][0-9.]*)", self._run(["/usr/sbin/xrdp", "--version"]))

    def _pcscd(self) -> Iterator[str]:
        said = self._run([str(self._root / "usr/sbin/pcscd"), "--version"])
        version = first_match(r"pcsc-lite version ([0-9][0-9.]*[0-9])", said)
        if version:
            features = first_match(r"Enabled features:(.*)", said)
            yield f"pcsc-lite {version}, {'with' if 'polkit' in features.split() else 'without'} polkit"

    def _attached(self) -> int | None:
        devices = self._root / "sys/bus/usb/devices"
        if not devices.is_dir():
            return None
        classes = (self._read(f"sys/bus/usb/devices/{each.name}/bInterfaceClass") for each in devices.glob("*:*"))
        return sum(found.strip() == _SMART_CARD_CLASS for found in classes)

    def _processes(self) -> Iterator[str]:
        for number, directory in enumerate((self._root / "proc").glob("[0-9]*")):
            if number >= _MAX_PROCESSES:
                return
            yield self._read(f"proc/{directory.name}/comm").strip()

    def _modules(self) -> Iterator[str]:
        for place in _MODULES:
            for path in sorted((self._root / place).glob("*.module"))[:100]:
                text = self._read(f"{place}/{path.name}")
                yield first_match(r"(?m)^\s*module:\s*(\S+)", text)

    def _read(self, name: str) -> str:
        try:
            return read_small((self._root / name).resolve(), _MAX_FILE).decode("utf-8", "replace")
        except (OSError, RuntimeError):
            return ""
