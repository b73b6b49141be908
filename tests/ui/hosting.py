# SPDX-License-Identifier: EUPL-1.2
"""What a page of the main window needs, with a card service that only remembers, for tests and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sithsapp.card.model import CardId, CardsState
from sithsapp.support.state import app_state
from sithsapp.ui.codes.task import Wish
from sithsapp.ui.main.services import Services
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from tests.parts.settings import store_of
from tests.ui import samples

if TYPE_CHECKING:
    from sithsapp.card.service import CardService


class StillCards:
    """A card service in which nothing moves."""

    def __init__(self, state: CardsState) -> None:
        self.state = state
        self.used: list[str | None] = []

    def use(self, reader: str | None) -> None:
        """Remember which reader was chosen."""
        self.used.append(reader)


class Told:
    """What pages asked the app for, in order."""

    def __init__(self) -> None:
        self.wishes: list[object] = []

    def go(self, place: object) -> None:
        """Remember where a page wants to go."""
        self.wishes.append(place)

    def manage_code(self, wish: Wish, card: CardId | None = None) -> None:
        """Remember which code a page wants to change or unlock."""
        self.wishes.append((wish, card))

    def reread(self) -> None:
        """Remember that the card shall be read again."""
        self.wishes.append("reread")


def services(cards: CardsState = samples.READY, theme: Theme | None = None, told: Told | None = None) -> Services:
    """Return the services of an app in which `cards` are seen."""
    told = told or Told()
    return Services(
        store=store_of(environment="demo", language="en"),
        cards=cast("CardService", StillCards(cards)),
        state=app_state(cards, lambda credential: samples.HOLDER.valid_until, samples.TODAY),
        describe=samples.describe,
        theme=lambda: theme or Theme(LIGHT),
        go=told.go,
        reread=told.reread,
        manage_code=told.manage_code,
    )
