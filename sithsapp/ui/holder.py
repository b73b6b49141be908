# SPDX-License-Identifier: EUPL-1.2
"""What the windows tell of a certificate's holder. Reading certificates is `sithsapp.pki`'s work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sithsapp.card.model import Credential


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder as the certificate says, for people to read; empty texts where it does not say.

    `card_number` is the number printed on the card, `level` its level of assurance as people say it ("3").
    `valid_from` and `valid_until` are aware times, None for a certificate that cannot be read.
    """

    name: str = ""
    organisation: str = ""
    identifier: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    card_number: str = ""
    level: str = ""


Describe = Callable[[Credential], Holder]
