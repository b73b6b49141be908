# SPDX-License-Identifier: EUPL-1.2
"""Read what the windows tell of a holder from the certificate, each certificate once."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from sithsapp.card.model import Credential
from sithsapp.failures import SithsError
from sithsapp.ui.holder import Holder


def describe(credential: Credential) -> Holder:
    """Return the holder of a credential's certificate; an empty one if it cannot be read."""
    return _read(credential.certificate)


def valid_until(credential: Credential) -> datetime | None:
    """Return when a credential's certificate ends, None if it cannot be read."""
    return _read(credential.certificate).valid_until


@lru_cache(maxsize=16)
def _read(data: bytes) -> Holder:
    from sithsapp.pki.certificate import read_certificate
    from sithsapp.pki.loa import LEVEL_WORDS, level_of

    try:
        certificate = read_certificate(data)
    except SithsError:
        return Holder()
    given = " ".join(filter(None, (certificate.given_name, certificate.surname)))
    return Holder(
        name=given or certificate.common_name or "",
        organisation=certificate.organisation or "",
        identifier=certificate.hsaid or certificate.personal_number or "",
        valid_from=certificate.not_before,
        valid_until=certificate.not_after,
        card_number=certificate.card_number or "",
        level=LEVEL_WORDS.get(level_of(certificate) or "", ""),
    )
