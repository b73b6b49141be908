# SPDX-License-Identifier: EUPL-1.2
"""What outlives one connection to a card, and where contents come from before they are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from sithsapp.card.idprime.contents import Contents, Key, build_card, other_certificates
from sithsapp.card.idprime.habits import Habits
from sithsapp.card.idprime.profile import PINS, Profile
from sithsapp.card.model import Card, CardId, PinRole, PinState
from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure, SithsError


@dataclass(slots=True)
class CardRecord:
    """What is known of one card beyond one connection. Public data only.

    `freshness` is file cardcf as it was while the card had these contents, None where that is not known (yet).
    `pin_pad` are the keys of the reader that the card is in. `stale`: a signature did not fit its certificate.
    """

    id: CardId
    profile: Profile
    contents: Contents
    keys: tuple[Key, ...]
    freshness: bytes | None = None
    stale: bool = False
    states: dict[PinRole, PinState] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)
    pin_pad: PinPad | None = None

    @property
    def card(self) -> Card:
        """The card as people see it."""
        states = tuple(self.states[slot.role] for slot in PINS if slot.role in self.states)
        others = other_certificates(self.contents, self.profile) if self.contents.certificates else ()
        return replace(build_card(self.id, self.profile, self.keys, states, others), pin_pad=self.pin_pad)

    @property
    def complete(self) -> bool:
        """Whether every certificate on the card could be read; what could not may be the reader's fault."""
        others = other_certificates(self.contents, self.profile)
        return len(self.keys) + len(others) == len(self.contents.certificates)

    def key(self, credential_id: str) -> Key:
        """Return a key by its credential; raises `SithsError(NO_SUITABLE_CERTIFICATE)`."""
        for key in self.keys:
            if key.credential.id == credential_id:
                return key
        raise SithsError(Failure.NO_SUITABLE_CERTIFICATE, "no such credential on the card")


class ContentsSource(Protocol):
    """Where contents come from before they are read: `sithsapp.card.cache`."""

    def known(self, serial: bytes, atr: bytes) -> Contents | None:
        """Return contents of that card, fresh or not."""

    def find(self, serial: bytes, atr: bytes, freshness: bytes) -> Contents | None:
        """Return contents if they were stored with the same change counters."""

    def store(self, serial: bytes, atr: bytes, freshness: bytes, contents: Contents) -> None:
        """Keep contents."""

    def habits(self, serial: bytes) -> Habits:
        """Return what was found out about that card's ways."""

    def drop(self, serial: bytes) -> None:
        """Forget a card whose contents proved to be stale."""
