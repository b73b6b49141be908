# SPDX-License-Identifier: EUPL-1.2
"""What one card was found to want where cards differ, so that it is found out once."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.card.model import PinRole, SignatureScheme


@dataclass(slots=True)
class Habits:
    """Remembered for each card for as long as the app runs.

    `fetch_echo`: PSO HASH answers with the hash, and this card signs only after it was fetched.
    `second_choice`: schemes for which the first algorithm byte was refused.
    `no_status`: codes whose state the card does not tell to an empty VERIFY.
    """

    fetch_echo: bool = False
    second_choice: frozenset[SignatureScheme] = frozenset()
    no_status: frozenset[PinRole] = frozenset()
