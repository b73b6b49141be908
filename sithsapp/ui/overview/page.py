# SPDX-License-Identifier: EUPL-1.2
"""The overview: the state in one sentence, the card and its holder, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu, QWidget

from sithsapp.card.model import PinRole
from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.elements import Choice
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.catalogue import PAGES
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.services import Services
from sithsapp.ui.overview.presenter import Offer, Overview, Task, present_overview
from sithsapp.ui.overview.status_card import StatusCard
from sithsapp.ui.overview.tiles import Tiles
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Kind as ButtonKind
from sithsapp.ui.widgets.panels import Facts
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column

if TYPE_CHECKING:  # the guide is imported the one time that it is shown
    from sithsapp.ui.overview.welcome import Welcome

_ICONS = {
    Task.CHANGE_AUTH: Icon.KEY,
    Task.CHANGE_SIGN: Icon.PEN,
    Task.UNLOCK: Icon.UNLOCK,
    Task.CERTIFICATES: Icon.CERTIFICATE,
    Task.REREAD: Icon.REFRESH,
    Task.HELP: Icon.LIFEBUOY,
    Task.CONNECTION: Icon.OFFLINE,
}
_PLACES = {
    Task.CERTIFICATES: Place.CERTIFICATES,
    Task.HELP: Place.HELP,
    Task.CONNECTION: Place.SETTINGS,
}
_CHANGES = {Task.CHANGE_AUTH: PinRole.AUTH, Task.CHANGE_SIGN: PinRole.SIGN}


class OverviewPage(MainPage):
    """Draws an `Overview`, and has done what is asked for in it."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._drawn: Overview | None = None
        self._status = StatusCard()
        self._heading = Text(TextStyle.TITLE)
        self._facts = Facts(large=True)
        self._tiles = Tiles(ButtonKind.TILE, 2, _ICONS)
        self._rows = Tiles(ButtonKind.ROW, 1, _ICONS)
        self._menu = QMenu(self)
        self._welcome = self._guide() if services.is_first_time() else None
        layout = column(self, 14)
        if self._welcome is not None:
            layout.addWidget(self._welcome)
        for widget in (self._status, self._heading, self._tiles, self._facts, self._rows):
            layout.addWidget(widget)
        layout.addStretch(1)
        for tiles in (self._tiles, self._rows):
            tiles.wanted.connect(self._do)
        self._status.act.clicked.connect(self._do_prominent)
        self._status.switch.clicked.connect(self._offer_cards)

    @staticmethod
    def _guide() -> Welcome:
        from sithsapp.ui.overview.welcome import Welcome

        return Welcome()

    def title(self) -> str:
        """Return the heading."""
        return tr("Overview")

    def retranslate(self) -> None:
        """Draw in the language in use."""
        if self._welcome is not None:
            self._welcome.retranslate()
        self._drawn = None
        self.refresh()

    def shown(self) -> None:
        """Draw the state of now."""
        self.refresh()

    def refresh(self) -> None:
        """Draw the app's state, and say its sentence if it is a new one."""
        overview = present_overview(self._services.state, self._services.cards.state, self._services.describe)
        before, self._drawn = self._drawn, overview
        if overview == before:
            return
        self._status.show_overview(overview)
        self._heading.setText(overview.heading)
        self._heading.setVisible(bool(overview.heading))
        self._tiles.show_offers(_offered(overview.tiles))
        self._rows.show_offers(_offered(overview.rows))
        self._facts.show_facts(overview.facts)
        if before is not None and before.title != overview.title and self.isVisible():
            announce(self, overview.title)

    def _do_prominent(self) -> None:
        if self._drawn is not None and self._drawn.prominent is not None:
            self._do(self._drawn.prominent.task, self._status.act)

    def _do(self, task: Task, button: QWidget) -> None:
        if task in _PLACES:
            self._services.go(_PLACES[task])
        elif task in _CHANGES:
            self._manage(Kind.CHANGE, _CHANGES[task])
        elif task is Task.REREAD:
            self._services.reread()
        else:
            self._unlock(button)

    def _unlock(self, button: QWidget) -> None:
        """Unlock the locked code; where it is not clear which one is meant, ask."""
        codes = self._drawn.unlockable if self._drawn is not None else ()
        if len(codes) == 1:
            self._manage(Kind.UNBLOCK, codes[0][0])
            return
        self._menu.clear()
        for role, name in codes:
            self._menu.addAction(name).triggered.connect(lambda _=False, role=role: self._manage(Kind.UNBLOCK, role))
        self._menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _manage(self, kind: Kind, role: PinRole) -> None:
        self._services.manage_code(Wish(kind, role), self._services.state.card_id)

    def _offer_cards(self) -> None:
        self._menu.clear()
        for choice in self._drawn.choices if self._drawn is not None else ():
            action = self._menu.addAction(choice.label.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(choice.current)
            action.triggered.connect(lambda _=False, choice=choice: self._use(choice))
        self._menu.popup(self._status.switch.mapToGlobal(self._status.switch.rect().bottomLeft()))

    def _use(self, choice: Choice) -> None:
        self._services.cards.use(choice.card.reader)


def _offered(tiles: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """Return the tiles whose pages this app has."""
    return tuple(tile for tile in tiles if tile.task not in _PLACES or _PLACES[tile.task] in PAGES)
