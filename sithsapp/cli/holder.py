# SPDX-License-Identifier: EUPL-1.2
"""What people call a card in the terminal: by the name on its certificates."""

from __future__ import annotations

from datetime import datetime

from sithsapp.card.model import Card, Credential
from sithsapp.cli.output import printable
from sithsapp.failures import SithsError


def holder(credential: Credential) -> str:
    """Return the name on a certificate, fit for a terminal."""
    from sithsapp.pki.certificate import read_certificate

    return printable(read_certificate(credential.certificate).common_name or credential.label)


def valid_until(credential: Credential) -> datetime | None:
    """Return when a certificate ends, None if it cannot be read."""
    from sithsapp.pki.certificate import read_certificate

    try:
        return read_certificate(credential.certificate).not_after
    except SithsError:
        return None


def card_holder(card: Card) -> str:
    """Return the name on a card's first certificate that can be read, or the card's own label."""
    for credential in card.credentials:
        try:
            return holder(credential)
        except SithsError:
            continue
    return printable(card.label)
