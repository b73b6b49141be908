# SPDX-License-Identifier: EUPL-1.2
"""What Windows knows, by its registry and two programs (facts: platforms sections 2.4 and 5.2).

The registry is an interface, so that its parts can be tried against a recorded one; nothing here has met Windows.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from sithsapp.support.system.facts import (
    BlockedLinks,
    Driver,
    Propagation,
    Run,
    Session,
    SessionKind,
    run_program,
)

_CURRENT = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_PROPAGATION = r"SOFTWARE\Policies\Microsoft\Windows\CertProp"
_SAC = r"SOFTWARE\SafeNet\Authentication\SAC"
_SAC_PROPAGATION = rf"{_SAC}\CertStore"
_NET_ID = r"SOFTWARE\SecMaker\Net iD"
_READERS = r"SOFTWARE\Microsoft\Cryptography\Calais\Readers"
_CITRIX = r"SOFTWARE\Citrix\VirtualDesktopAgent"
_HORIZON = r"SOFTWARE\VMware, Inc.\VMware VDM"
_VOLATILE = "Volatile Environment"
_BROWSERS = {"Chrome": r"SOFTWARE\Policies\Google\Chrome", "Edge": r"SOFTWARE\Policies\Microsoft\Edge"}
_TASKLIST = r"C:\Windows\System32\tasklist.exe"
_PROGRAMS = {
    "iid.exe": "Net iD",
    "iidsmrt.exe": "Net iD",
    "sacsrv.exe": "SafeNet Authentication Client",
    "sacmonitor.exe": "SafeNet Authentication Client",
}


class Registry(Protocol):
    """Reads the registry. `machine` chooses HKEY_LOCAL_MACHINE, else HKEY_CURRENT_USER."""

    def value(self, key: str, name: str, *, machine: bool = True) -> str | int | None:
        """Return a value, None where there is none."""

    def values(self, key: str, *, machine: bool = True) -> Mapping[str, str | int]:
        """Return all values of a key by name."""

    def keys(self, key: str, *, machine: bool = True) -> tuple[str, ...]:
        """Return the names of the keys below one."""


class WindowsSystem:
    """Implements `System` for Windows."""

    def __init__(self, environment: Mapping[str, str], registry: Registry, run: Run = run_program) -> None:
        """Look at `environment` and `registry`; run programs by `run`."""
        self._environment, self._registry, self._run = environment, registry, run

    def describe(self) -> tuple[tuple[str, str], ...]:
        """Return product, build and architecture."""
        name = self._text(_CURRENT, "ProductName") or "Windows"
        version = self._text(_CURRENT, "DisplayVersion")
        build = ".".join(filter(None, (self._text(_CURRENT, "CurrentBuild"), self._text(_CURRENT, "UBR"))))
        return (
            ("system", " ".join(filter(None, (name, version)))),
            ("build", build),
            ("architecture", self._environment.get("PROCESSOR_ARCHITECTURE", platform.machine())),
        )

    def session(self) -> Session:
        """Return where the desktop is shown: Citrix names its sessions ICA, Remote Desktop RDP."""
        name = self._environment.get("SESSIONNAME", "").upper()
        if name.startswith("ICA"):
            return Session(SessionKind.CITRIX, self._text(_CITRIX, "ProductVersion"))
        if self._is_horizon():
            return Session(SessionKind.HORIZON, self._text(_HORIZON, "ProductVersion"))
        return Session(SessionKind.RDP if name.startswith("RDP") else SessionKind.LOCAL)

    def driver(self) -> Driver:
        """Return the readers that Windows has installed."""
        readers = self._registry.keys(_READERS)
        return Driver(tuple(f"reader driver: {name}" for name in readers[:16]))

    def other_card_software(self) -> tuple[str, ...]:
        """Return products that run or are installed."""
        running = self._run([_TASKLIST, "/fo", "csv", "/nh"]).lower()
        found = {product for program, product in _PROGRAMS.items() if f'"{program}"' in running}
        for key, product in ((_SAC, "SafeNet Authentication Client"), (_NET_ID, "Net iD")):
            if self._registry.values(key) or self._registry.keys(key):
                found.add(product)
        return tuple(sorted(found))

    def propagation(self) -> Propagation | None:
        """Return whether Windows, SafeNet's client or both copy certificates; Windows does unless told not to."""
        system = self._registry.value(_PROPAGATION, "CertPropEnabled") != 0
        sac = (
            bool(self._registry.keys(_SAC))
            and self._registry.value(_SAC_PROPAGATION, "PropagateUserCertificates") != 0
        )
        if system and sac:
            return Propagation.BOTH
        return Propagation.SYSTEM if system else Propagation.OTHER if sac else Propagation.NONE

    def blocked_links(self, scheme: str) -> tuple[BlockedLinks, ...]:
        """Return Chrome's and Edge's policies that refuse links of `scheme`."""
        return tuple(
            BlockedLinks(name, "URLBlocklist") for name, key in _BROWSERS.items() if self._blocks(key, scheme)
        )

    def public_roots(self) -> tuple[Path, ...]:
        """Return nothing: Windows keeps its CAs and added ones in one store."""
        return ()

    def _blocks(self, key: str, scheme: str) -> bool:
        ours = {f"{scheme}:*", f"{scheme}://*"}
        blocked = {str(value).lower() for value in self._registry.values(rf"{key}\URLBlocklist").values()}
        allowed = {str(value).lower() for value in self._registry.values(rf"{key}\URLAllowlist").values()}
        return bool(blocked & (ours | {"*"})) and not allowed & ours

    def _is_horizon(self) -> bool:
        keys = (_VOLATILE, *(rf"{_VOLATILE}\{name}" for name in self._registry.keys(_VOLATILE, machine=False)[:64]))
        return any(self._registry.value(key, "ViewClient_Machine_Name", machine=False) is not None for key in keys)

    def _text(self, key: str, name: str) -> str:
        value = self._registry.value(key, name)
        return "" if value is None else str(value)[:120]
