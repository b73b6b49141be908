# SPDX-License-Identifier: EUPL-1.2
"""Which of several cards the person works with. The rules are pure; a small file keeps the reader's name.

The choice is of a card, and holds for it as long as the session lasts: also when it is moved to another reader, and
again when it comes back. From one session to the next only the reader's name is kept, which says nothing of a person.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sithsapp.card.model import Card, CardId
from sithsapp.card.private_file import read_bounded, replace_file

_log = logging.getLogger(__name__)

_MAX_NAME = 256


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen: a card of this session, or the reader of an earlier one, or nothing."""

    card: CardId | None = None
    reader: str | None = None

    def among(self, cards: Sequence[Card]) -> Card | None:
        """Return the chosen card if it is there: in its reader, else wherever it was moved."""
        chosen = self.card
        if chosen is None:
            return next((card for card in cards if card.id.reader == self.reader), None)
        same = [card for card in cards if (card.id.atr, card.id.serial) == (chosen.atr, chosen.serial)]
        return next((card for card in same if card.id.reader == chosen.reader), same[0] if same else None)


class ActiveCard:
    """The choice as it is now. One thread at a time."""

    def __init__(self, file: Path | None = None) -> None:
        """Keep the reader's name in `file`, or nowhere."""
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._choice = Choice()

    def among(self, cards: Sequence[Card]) -> Card | None:
        """Return the chosen card if it is there; what another program of ours chose since counts too."""
        self._read_again()
        return self._choice.among(cards)

    def choose(self, reader: str | None, cards: Sequence[Card]) -> None:
        """Choose the card in that reader, or whichever comes into it; None forgets the choice."""
        card = next((card for card in cards if card.id.reader == reader), None)
        self._choice = Choice(None if card is None else card.id, reader)
        self._keep(reader or "")

    def _read_again(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen or self._file is None:
            return
        self._seen = stamp
        try:
            name = read_bounded(self._file, _MAX_NAME).decode("utf-8").removesuffix("\n")
        except (OSError, ValueError) as error:
            _log.info("the active reader is not known: %s", type(error).__name__)
            return
        self._choice = Choice(reader=name if name.isprintable() else None)

    def _keep(self, reader: str) -> None:
        if self._file is None:
            return
        try:
            replace_file(self._file, f"{reader}\n".encode()[:_MAX_NAME])
        except OSError as error:
            _log.warning("the active reader cannot be kept: %s", type(error).__name__)
        self._seen = self._stamp()

    def _stamp(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
