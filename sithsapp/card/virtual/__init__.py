# SPDX-License-Identifier: EUPL-1.2
"""A virtual SITHS card (IDPrime 940), its readers and a test CA, for testers and the demo. Never in production."""

from __future__ import annotations

from sithsapp.failures import Failure, SithsError


def refuse_in_production(environment: str) -> None:
    """Raise `SithsError(VIRTUAL_CARD_REFUSED)` if the app works against production."""
    if environment == "production":
        raise SithsError(Failure.VIRTUAL_CARD_REFUSED, "virtual card asked for in production")
