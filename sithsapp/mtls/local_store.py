# SPDX-License-Identifier: EUPL-1.2
"""The local proxy's certificate on disk: made when it is missing, does not fit or ends; readable by its user alone.

Authorities that were made are remembered until they are forgotten on purpose, so that a browser's trust in each of
them can be taken back.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.local_ca import issue_once

log = logging.getLogger(__name__)

RENEW_BEFORE_END: Final = timedelta(days=30)
"""From then on a person is told that the trust ends, and `trust` makes a new authority."""
_MOST_REMEMBERED: Final = 64
_LARGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class LocalCertificate:
    """The certificate in use. `file` holds it with its key, `authority` is the DER of who issued it."""

    file: Path
    authority: bytes
    hosts: tuple[str, ...]
    until: datetime

    def ends_soon(self, at: datetime) -> bool:
        """Tell whether it is time for a new one."""
        return at > self.until - RENEW_BEFORE_END


class LocalStore:
    """The files in one directory of the user's."""

    def __init__(self, directory: Path) -> None:
        """Keep everything in `directory`, which is made when it is needed."""
        self.directory = directory
        self._file = directory / "proxy.pem"
        self._authorities = directory / "authorities"
        self._place = directory / "port"

    def suitable(self, hosts: Iterable[str], at: datetime | None = None) -> LocalCertificate | None:
        """Return the certificate if it is for exactly these hosts, valid, whole and nobody else's to read."""
        found = self.present()
        moment = at or datetime.now(UTC)
        fits = found is not None and set(found.hosts) == set(hosts) and moment < found.until
        return found if fits else None

    def present(self) -> LocalCertificate | None:
        """Return the certificate that is there, for whatever hosts; None if there is none that may be used."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        try:
            content = _private_content(self._file)
            certificate, authority = x509.load_pem_x509_certificates(content)
            certificate.verify_directly_issued_by(authority)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever the file holds, a new one takes its place
            log.warning("the proxy's certificate is not used: %s", type(error).__name__)
            return None
        hosts = tuple(names.get_values_for_type(x509.DNSName))
        der = authority.public_bytes(Encoding.DER)
        return LocalCertificate(self._file, der, hosts, certificate.not_valid_after_utc)

    def ensure(self, hosts: Sequence[str], at: datetime | None = None) -> LocalCertificate:
        """Return a suitable certificate, a new one if need be. Raises `SithsError(LOCAL_CERTIFICATE_NOT_STORED)`."""
        return self.suitable(hosts, at) or self.renew(hosts, at)

    def renew(self, hosts: Sequence[str], at: datetime | None = None) -> LocalCertificate:
        """Make a new authority and certificate in place of those there are. Raises as `ensure` does."""
        issued = issue_once(sorted(hosts), at or datetime.now(UTC))
        authority = ssl.DER_cert_to_PEM_cert(issued.authority).encode("ascii")
        try:
            self._remember(issued.authority, authority)
            self._write(self._file, issued.certificate + issued.key + authority)
        except OSError as error:
            raise SithsError(Failure.LOCAL_CERTIFICATE_NOT_STORED, f"{error.filename}: {error.strerror}") from error
        found = self.suitable(hosts, at)
        if found is None:
            raise SithsError(Failure.LOCAL_CERTIFICATE_NOT_STORED, f"{self._file}: others can read it")
        return found

    def authorities(self) -> tuple[bytes, ...]:
        """Return every authority (DER) that was made here and is not forgotten."""
        found = []
        for path in sorted(self._authorities.glob("*.pem"))[:_MOST_REMEMBERED]:
            with suppress(OSError, ValueError):
                found.append(ssl.PEM_cert_to_DER_cert(path.read_text("ascii")))
        return tuple(found)

    def authority_file(self, authority: bytes) -> Path:
        """Return the PEM file of an authority that was made here, for programs that take CAs as files."""
        return self._remembered(authority)

    def forget(self, authority: bytes) -> None:
        """Forget an authority that nothing trusts any more. Raises `OSError`."""
        self._remembered(authority).unlink(missing_ok=True)

    def stamp(self) -> tuple[int, int] | None:
        """Return what changes when the certificate is replaced; None without one."""
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def remove(self) -> None:
        """Remove the certificate and its key. Raises `OSError`."""
        self._file.unlink(missing_ok=True)

    def note_port(self, port: int | None) -> None:
        """Leave word for the command line where the proxy listens, or that it does not. Raises `OSError`."""
        if port is None:
            self._place.unlink(missing_ok=True)
        else:
            self._write(self._place, b"%d" % port)

    def noted_port(self) -> int | None:
        """Return where the proxy said that it listens; whether it still does is not known."""
        try:
            number = int(_private_content(self._place)[:8])
        except (OSError, ValueError):
            return None
        return number if 0 < number < 65536 else None

    def _remember(self, authority: bytes, pem: bytes) -> None:
        self._make_directory()
        self._authorities.mkdir(mode=0o700, exist_ok=True)
        self._write(self._remembered(authority), pem)

    def _remembered(self, authority: bytes) -> Path:
        return self._authorities / f"{hashlib.sha256(authority).hexdigest()[:32]}.pem"

    def _make_directory(self) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        """Put `content` there as a whole; it is never readable by anybody else, not for a moment."""
        self._make_directory()
        passing = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
        try:
            descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            passing.replace(path)
        finally:
            passing.unlink(missing_ok=True)


def _private_content(path: Path) -> bytes:
    """Read a file that belongs to this user and that nobody else can read. Raises `OSError`."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077):
            raise PermissionError("others can read it")
        return file.read(_LARGEST)
