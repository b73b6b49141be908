# SPDX-License-Identifier: EUPL-1.2
"""Browsers on macOS: the user's login keychain, by the system's `security`, which asks for the user's password."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sithsapp.mtls.contexts import private_file
from sithsapp.mtls.trust import Held, Run

_SECURITY: Final = "/usr/bin/security"
_FINGERPRINT: Final = re.compile(rb"SHA-256 hash: ([0-9A-F]{64})")


class LoginKeychain:
    """The login keychain of the user; Safari, Chrome and Firefox read it."""

    def __init__(self, runner: Run, home: Path) -> None:
        self._run = runner
        self._keychain = home / "Library" / "Keychains" / "login.keychain-db"

    @property
    def name(self) -> str:
        """See `TrustStore`."""
        return f"macOS ({self._keychain})"

    def held(self, known: Iterable[bytes]) -> tuple[Held, ...]:
        """See `TrustStore`; all certificates are listed, since looking for a name that is not there is an error."""
        listing = self._run([_SECURITY, "find-certificate", "-a", "-Z", str(self._keychain)])
        present = {found.decode("ascii").lower() for found in _FINGERPRINT.findall(listing)}
        return tuple(Held(each) for each in known if hashlib.sha256(each).hexdigest() in present)

    def add(self, authority: bytes) -> None:
        """See `TrustStore`."""
        with private_file(ssl.DER_cert_to_PEM_cert(authority).encode("ascii")) as file:
            where = ["-k", str(self._keychain)]
            self._run([_SECURITY, "add-trusted-cert", "-r", "trustRoot", "-p", "ssl", *where, str(file)])

    def remove(self, authority: bytes) -> None:
        """See `TrustStore`."""
        digest = hashlib.sha256(authority).hexdigest().upper()
        with private_file(ssl.DER_cert_to_PEM_cert(authority).encode("ascii")) as file:
            self._run([_SECURITY, "remove-trusted-cert", str(file)])
        self._run([_SECURITY, "delete-certificate", "-Z", digest, str(self._keychain)])
