# SPDX-License-Identifier: EUPL-1.2
"""What a person at a terminal is told when a code is typed on the card reader."""

from __future__ import annotations

from sithsapp.card.model import PinRole, PinState
from sithsapp.locale import tr


def on_reader(pin: PinState) -> str:
    """Return where to type which code, and how many tries it has left."""
    names = {PinRole.AUTH: tr("Identification code"), PinRole.SIGN: tr("Signing code"), PinRole.PUK: tr("PUK code")}
    left = "" if pin.tries_left is None else ", " + tr("{n} attempts left").format(n=pin.tries_left)
    return tr("Enter the code on the card reader") + f" ({names[pin.role]}{left})."
