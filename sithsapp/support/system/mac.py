# SPDX-License-Identifier: EUPL-1.2
"""What macOS knows, by its own programs (facts: platforms section 2.5). Nothing here has met macOS."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path

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

_LIBRARIES = {
    "usr/local/lib/libiidp11.dylib": "Net iD",
    "usr/local/lib/libeTPkcs11.dylib": "SafeNet Authentication Client",
    "usr/local/lib/libIDPrimePKCS11.dylib": "SafeNet Authentication Client",
    "Library/OpenSC/lib/opensc-pkcs11.so": "OpenSC",
}
_BROWSERS = {"Chrome": "com.google.Chrome", "Edge": "com.microsoft.Edge"}


class MacSystem:
    """Implements `System` for macOS."""

    def __init__(self, environment: Mapping[str, str], root: Path = Path("/"), run: Run = run_program) -> None:
        """Look at `environment` and below `root`; run programs by `run`."""
        self._environment, self._root, self._run = environment, root, run

    def describe(self) -> tuple[tuple[str, str], ...]:
        """Return product, build and architecture."""
        version = first_match(r"ProductVersion:\s*([0-9.]+)", self._run(["/usr/bin/sw_vers"]))
        build = first_match(r"BuildVersion:\s*(\w+)", self._run(["/usr/bin/sw_vers"]))
        return (("system", f"macOS {version}".strip()), ("build", build), ("architecture", platform.machine()))

    def session(self) -> Session:
        """Return a local session unless SSH says otherwise."""
        return Session(SessionKind.SSH if self._environment.get("SSH_CONNECTION") else SessionKind.LOCAL)

    def driver(self) -> Driver:
        """Return the readers' driver and how many readers the system profile shows."""
        said = self._run(["/usr/sbin/system_profiler", "SPSmartCardsDataType"])
        version = first_match(r"ifd-ccid\.bundle\s*\(([^)]*)", said)
        return Driver((f"ifd-ccid {version}",) if version else ())

    def other_card_software(self) -> tuple[str, ...]:
        """Return products whose modules are installed, and other token drivers."""
        found = {product for place, product in _LIBRARIES.items() if (self._root / place).exists()}
        tokens = self._run(["/usr/bin/pluginkit", "-m", "-p", "com.apple.ctk-tokens"])
        if "OpenSC" in tokens:
            found.add("OpenSC")
        return tuple(sorted(found))

    def propagation(self) -> Propagation | None:
        """Return None: token drivers show certificates while the card is there."""
        return None

    def blocked_links(self, scheme: str) -> tuple[BlockedLinks, ...]:
        """Return Chrome's and Edge's managed policies that refuse links of `scheme`."""
        return tuple(
            BlockedLinks(name, "URLBlocklist") for name, domain in _BROWSERS.items() if self._blocks(domain, scheme)
        )

    def public_roots(self) -> tuple[Path, ...]:
        """Return nothing: the system's CAs are in no file."""
        return ()

    def _blocks(self, domain: str, scheme: str) -> bool:
        place = f"/Library/Managed Preferences/{domain}"
        blocked = self._run(["/usr/bin/defaults", "read", place, "URLBlocklist"])
        allowed = self._run(["/usr/bin/defaults", "read", place, "URLAllowlist"])
        refused = f"{scheme}:" in blocked or '"*"' in blocked
        return refused and f"{scheme}:" not in allowed
