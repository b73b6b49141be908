# SPDX-License-Identifier: EUPL-1.2
"""Readers whose word on their keys is not taken. Data, with the reason for each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sithsapp.card.part10 import Properties


@dataclass(frozen=True, slots=True)
class Denial:
    """A reader by the beginning of its name or by its USB numbers; `changes_only` still lets it verify codes."""

    reason: str
    name: str = ""
    vendor: int = 0
    product: int = 0
    changes_only: bool = False

    def fits(self, reader: str, properties: Properties) -> bool:
        """Tell whether a reader is the one of this row."""
        if self.name and reader.startswith(self.name):
            return True
        return self.vendor != 0 and (self.vendor, self.product) == (properties.vendor, properties.product)


_NO_KEYS: Final = "has no keys; its firmware, or an older one, says that it has"

DENIALS: Final = (
    Denial(_NO_KEYS, "HID Global OMNIKEY 3x21", 0x076B, 0x3031),
    Denial(_NO_KEYS, "HID Global OMNIKEY 6121", 0x076B, 0x6632),
    Denial(_NO_KEYS, "C3PO LTC31", 0x0783, 0x0006),
    Denial(_NO_KEYS, "bit4id miniLector-EVO", 0x25DD, 0x3111),
    Denial("a keyboard: its keys write to the computer", "HP USB Smart Card Keyboard", 0x03F0, 0x1024),
)


def denial_of(reader: str, properties: Properties) -> Denial | None:
    """Return the row that a reader falls under, None for one that is believed."""
    return next((row for row in DENIALS if row.fits(reader, properties)), None)
