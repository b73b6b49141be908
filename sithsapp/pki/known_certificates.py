# SPDX-License-Identifier: EUPL-1.2
"""Certificates that may be issuers: from the card, from the settings, and from this computer's store."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.pki.findings import Known, Origin
from sithsapp.settings.schema import Settings

_LARGEST_FILE: Final = 1024 * 1024
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def known_certificates(settings: Settings, on_card: Iterable[bytes] = ()) -> tuple[Known, ...]:
    """Return the certificates that chains are built from, trusted ones first.

    Raises `SithsError(SETTINGS_INVALID)` naming a file of the settings that cannot be used.
    """
    return (
        *(Known(der, Origin.SETTINGS) for file in settings.card_issuers for der in _read(file)),
        *(Known(der, Origin.SYSTEM) for der in _system()),
        *(Known(der, Origin.CARD) for der in on_card),
    )


def _system() -> Iterator[bytes]:
    """Return the operating system's CAs for servers, as far as it has them in one place (not on macOS)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    yield from context.get_ca_certs(binary_form=True)


def _read(file: str) -> list[bytes]:
    try:
        with Path(file).open(encoding="ascii") as stream:
            text = stream.read(_LARGEST_FILE)
        found = [ssl.PEM_cert_to_DER_cert(match[0]) for match in _PEM.finditer(text)]
    except (OSError, ValueError) as error:
        raise SithsError(Failure.SETTINGS_INVALID, f"{file}: no certificates can be read") from error
    if not found:
        raise SithsError(Failure.SETTINGS_INVALID, f"{file}: holds no certificate in PEM")
    return found
