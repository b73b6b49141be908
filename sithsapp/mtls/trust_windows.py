# SPDX-License-Identifier: EUPL-1.2
"""Browsers on Windows: the current user's store of root certificates, by Windows' own certutil.

Windows itself shows the person what is about to be trusted and asks for a yes, when adding and when removing.
"""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from collections.abc import Iterable
from pathlib import PureWindowsPath
from typing import Final

from sithsapp.mtls.contexts import private_file
from sithsapp.mtls.trust import Held, Run

_FINGERPRINT: Final = re.compile(rb"\(sha1\): ?([0-9a-fA-F ]{40,60})")


class WindowsRoot:
    """The store `Root` of the current user; Chrome, Edge and Firefox read it."""

    def __init__(self, runner: Run) -> None:
        system = os.environ.get("SYSTEMROOT", r"C:\Windows")
        self._command = (str(PureWindowsPath(system) / "System32" / "certutil.exe"), "-user")
        self._run = runner

    @property
    def name(self) -> str:
        """See `TrustStore`."""
        return "Windows (Cert:\\CurrentUser\\Root)"

    def held(self, known: Iterable[bytes]) -> tuple[Held, ...]:
        """See `TrustStore`; `-silent` keeps the computer's own dialogs away while looking."""
        listing = self._run([*self._command, "-silent", "-store", "Root"])
        present = {found.replace(b" ", b"").lower().decode("ascii") for found in _FINGERPRINT.findall(listing)}
        return tuple(Held(each) for each in known if _fingerprint(each) in present)

    def add(self, authority: bytes) -> None:
        """See `TrustStore`."""
        with private_file(ssl.DER_cert_to_PEM_cert(authority).encode("ascii")) as file:
            self._run([*self._command, "-addstore", "Root", str(file)])

    def remove(self, authority: bytes) -> None:
        """See `TrustStore`."""
        self._run([*self._command, "-delstore", "Root", _fingerprint(authority)])


def _fingerprint(authority: bytes) -> str:
    return hashlib.sha1(authority, usedforsecurity=False).hexdigest()
