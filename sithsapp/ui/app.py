# SPDX-License-Identifier: EUPL-1.2
"""The tray role: settings, cards, orders, tray and windows put together. Windows are made at first use."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication

from sithsapp import __version__
from sithsapp.failures import SithsError
from sithsapp.locale import language, set_language
from sithsapp.settings.profile import URL_SCHEME
from sithsapp.support.state import app_state, starting_state, with_order, with_service
from sithsapp.ui.appearance import Appearance
from sithsapp.ui.bridge import Arrivals
from sithsapp.ui.environment import choosable_environments, environment_name
from sithsapp.ui.following import OF_WINDOWS, follow_autostart, follow_log_level, follower
from sithsapp.ui.holder_reading import describe, valid_until
from sithsapp.ui.making import WindowMaker
from sithsapp.ui.notices.notes import Notes
from sithsapp.ui.order.orders import Flow, Orders
from sithsapp.ui.settings_files import SettingsFiles

if TYPE_CHECKING:  # an order's and the windows' modules are imported with the first of them
    from sithsapp.card.model import CardId, CardsState
    from sithsapp.card.service import CardService
    from sithsapp.desktop.single_instance import Message
    from sithsapp.oob.compose import OrderFlows
    from sithsapp.oob.interaction import UserInteraction
    from sithsapp.oob.protocol.launch import LaunchUrl
    from sithsapp.settings.schema import Settings
    from sithsapp.settings.store import SettingsStore
    from sithsapp.ui.codes.codes import Codes
    from sithsapp.ui.codes.task import Wish
    from sithsapp.ui.codes.window import CodesWindow
    from sithsapp.ui.main.place import Place
    from sithsapp.ui.main.services import Services
    from sithsapp.ui.main.window import MainWindow
    from sithsapp.ui.mtls.lending import Lending
    from sithsapp.ui.mtls.window import ConsentWindow
    from sithsapp.ui.order.window import OrderWindow
    from sithsapp.ui.session.watch import SessionWatch
    from sithsapp.ui.support.reporting import Reporting
    from sithsapp.ui.tray.tasks import TrayTask
    from sithsapp.ui.tray.tray import Tray

log = logging.getLogger(__name__)


class App(QObject):
    """Everything that lives as long as the process. Belongs to the Qt thread."""

    def __init__(self, store: SettingsStore, cards: CardService, tray: Tray) -> None:
        super().__init__()
        self._store, self._cards, self._tray = store, cards, tray
        self._making = WindowMaker(store)
        self._orders = Orders(self._make_flow, self._make_order_window, self)
        self._main: MainWindow | None = None
        self._services: Services | None = None
        self._flows: OrderFlows | None = None
        self._reporting: Reporting | None = None
        self._lending: Lending | None = None
        self._session: SessionWatch | None = None
        self._codes: Codes | None = None
        self._notes = Notes(store, tray, self)
        self._appearance = Appearance(self)
        self._state = starting_state()
        self.arrivals = Arrivals(self)
        self._connect()

    @property
    def _settings(self) -> Settings:
        """The settings in force at this moment."""
        return self._store.settings

    def _connect(self) -> None:
        self.arrivals.cards_changed.connect(self._show_cards)
        self.arrivals.message_received.connect(self._receive)
        self.arrivals.settings_changed.connect(self._follow_settings)
        self._tray.open_wanted.connect(self.open)
        self._tray.reread_wanted.connect(self._reread)
        self._tray.language_chosen.connect(partial(self._choose, "language"))
        self._tray.environment_chosen.connect(partial(self._choose, "environment"))
        self._tray.quit_wanted.connect(self._quit)
        self._orders.changed.connect(self._refresh)
        self._tray.task_wanted.connect(self._do_task)
        self._orders.muted.connect(self._notes.request_waits)
        self._notes.open_wanted.connect(self.open)
        self._notes.overview_wanted.connect(self._open_overview)
        self._appearance.changed.connect(self._change_theme)
        self._follower = follower(self._what_settings_change())
        self._unfollow = self._store.subscribe(self.arrivals.take_settings)

    def _what_settings_change(self) -> dict[str, Callable[[], None]]:
        """Return what is done when a setting changes while the app runs; what is not listed is asked for anew."""
        changes = dict.fromkeys(("environment", "services", "extra_ca", "proxy"), self._change_services)
        changes |= dict.fromkeys(OF_WINDOWS, self._change_windows)
        return changes | {
            "language": self._change_language,
            "theme": self._choose_theme,
            "tray_icon": self._show_tray,
            "mtls": self._change_programs,
            "allow_environment_choice": self._retranslate_tray,
            "log_level": lambda: follow_log_level(self._settings.log_level),
            "autostart": lambda: follow_autostart(self._settings.autostart),
        }

    def start(self, launch: Message, *, hidden: bool) -> None:
        """Begin to watch the cards, and do what this start was asked for."""
        self._retranslate_tray()
        self._appearance.prefer(self._settings.theme)
        self._state = starting_state()
        self._refresh()
        self._show_tray()
        self._cards.subscribe(self.arrivals.take_cards)
        self._cards.start()
        self._files = SettingsFiles(self._store, self)
        self._lend()
        if not sys.platform.startswith("linux"):
            self._watch_session()  # a session that is taken up elsewhere has other readers
        if self._settings.autostart is not None:
            follow_autostart(self._settings.autostart)
        if launch.url is not None:
            self._receive(launch)
        elif not hidden:
            self.open()

    def close(self) -> None:
        """Give up what is open and let go of the cards."""
        self._unfollow()
        if self._session is not None:
            self._session.stop()
        self._notes.close()
        self._tray.hide()
        self._end_self_tests()
        self._orders.close()
        if self._lending is not None:
            self._lending.close()
        self._cards.close()

    @staticmethod
    def _end_self_tests() -> None:
        """Let no self-test use the network while Qt goes; their module is there once one was run."""
        running = sys.modules.get("sithsapp.support.checks.running")
        if running is not None:
            running.cancel_all()

    def open(self) -> None:
        """Show the order that waits, or else the main window."""
        asks = self._lending is not None and self._lending.consents.bring_forward()
        if not asks and not self._orders.bring_forward():
            self.open_main()

    def open_main(self, place: Place | None = None) -> None:
        """Show the main window with `place`, or with the page that was seen last."""
        if self._main is None:
            self._main = self._making.main(self._make_services())
            self._main.quit_wanted.connect(self._quit)
            self._notes.watch(self._main)
        self._refresh()
        self._main.offer_quit(not self._has_icon())
        self._main.open(place)

    def report(self, number: str = "") -> None:
        """Show the error report's window; `number` is the failure that it is about."""
        if self._reporting is None:
            from sithsapp.ui.support.reporting import Reporting

            self._making.set_icon()
            self._reporting = Reporting(self._store, self._cards, self._making.theme)
        self._reporting.open(number)

    def manage_code(self, wish: Wish, card: CardId | None = None) -> None:
        """Show the window that changes or unlocks a code, for that card or the active one."""
        if self._codes is None:
            from sithsapp.ui.codes.codes import Codes

            self._codes = Codes(self._cards, self._making.codes, self)
            self.arrivals.cards_changed.connect(self._codes.follow)
            self._watch_session()
        self._codes.begin(wish, card)

    def _open_overview(self) -> None:
        from sithsapp.ui.main.place import Place

        self.open_main(Place.OVERVIEW)

    def _make_services(self) -> Services:
        from sithsapp.ui.main.services import Services

        self._services = Services(
            store=self._store,
            cards=self._cards,
            state=self._state,
            describe=describe,
            theme=self._making.theme,
            go=self.open_main,
            reread=self._reread,
            report=self.report,
            manage_code=self.manage_code,
            lending=self._lending,
            protect=self._watch_session,
            is_first_time=self._making.is_first_time,
            service_tried=self._orders.learn,
        )
        return self._services

    @Slot(object)
    def _receive(self, message: Message) -> None:
        if message.activation_token:
            # Qt reads it when the next window shows, and Wayland then lets that window come to the front.
            os.environ["XDG_ACTIVATION_TOKEN"] = message.activation_token
        if message.url is None:
            self.open()
            return
        from sithsapp.oob.protocol.launch import parse_launch_url

        try:
            launch = parse_launch_url(URL_SCHEME, message.url)
        except SithsError as error:
            log.warning("%s", error)
            self._orders.refuse(error.failure)
            return
        self._orders.launch(launch, may_stay_silent=self._has_icon())

    @Slot(object)
    def _show_cards(self, cards: CardsState) -> None:
        now = datetime.now(UTC)
        self._state = app_state(cards, valid_until, now)
        self._refresh()
        self._notes.look(cards, valid_until, now)

    def _refresh(self) -> None:
        environment = environment_name(self._settings.environment)
        state = with_service(self._state, self._orders.health, __version__)
        self._tray.show_state(with_order(state, self._orders.phase), environment=environment)
        if self._services is not None and self._main is not None:
            self._services.state = state
            self._main.show_environment(environment)
            self._main.refresh()

    @Slot(object)
    def _do_task(self, task: TrayTask) -> None:
        """Do what was chosen in the tray's menu."""
        from sithsapp.ui.main.place import Place
        from sithsapp.ui.tray.wishes import wished

        wish = wished(task, self._state)
        if wish is not None:
            self.manage_code(wish, self._state.card_id)
        else:
            self.open_main(Place(task.value))

    def _reread(self) -> None:
        if self._state.slot is not None:
            self._cards.reread(self._state.slot.reader)

    def _choose(self, name: str, chosen: str) -> None:
        """Keep what was chosen in the tray's menu; what cannot be kept is chosen back."""
        try:
            self._store.set(name, chosen)
        except SithsError as error:
            log.warning("%s", error)
            self._retranslate_tray()

    def _change_language(self) -> None:
        set_language(self._settings.language)
        self._flows = None  # made anew, so that the service is told of the language
        self._retranslate_tray()
        self._show_cards(self._cards.state)
        if self._main is not None:
            self._main.retranslate()
        for window in self._dialogs():
            window.retranslate()

    def _dialogs(self) -> tuple[OrderWindow | ConsentWindow | CodesWindow | Reporting, ...]:
        """Return the windows besides the main one that have been made."""
        consent = self._lending.consents.window if self._lending is not None else None
        codes = self._codes.window if self._codes is not None else None
        made = (self._orders.window, consent, codes, self._reporting)
        return tuple(window for window in made if window is not None)

    def _change_services(self) -> None:
        self._flows = None
        self._retranslate_tray()
        self._refresh()
        self._change_windows()

    def _change_programs(self) -> None:
        self._lend()
        self._change_windows()

    def _change_windows(self) -> None:
        """Let windows that are there already follow what settings say of them and of codes."""
        consent = self._lending.consents.window if self._lending is not None else None
        for window in (self._orders.window, consent):
            if window is not None:
                window.set_options(self._making.options())
        if consent is not None:
            self._making.set_consent_terms(consent)
        if self._codes is not None and self._codes.window is not None:
            self._making.set_code_policy(self._codes.window)

    def _retranslate_tray(self) -> None:
        environments = choosable_environments(self._store)
        self._tray.offer_environments(environments, self._settings.environment)
        self._tray.retranslate(self._settings.language, locked=self._store.locked("language"))

    def _has_icon(self) -> bool:
        """Tell whether there is an icon by which the app can be reached while it has no window."""
        return self._tray.is_available() and self._settings.tray_icon

    def _quit(self) -> None:
        QApplication.exit(0)  # quit() may be refused by a window

    def _show_tray(self) -> None:
        self._tray.show() if self._settings.tray_icon else self._tray.hide()

    def _choose_theme(self) -> None:
        self._appearance.prefer(self._settings.theme)
        self._change_theme()

    def _change_theme(self) -> None:
        for window in (*self._dialogs(), *([] if self._main is None else [self._main])):
            window.apply_theme(self._making.theme())

    def _make_order_window(self) -> OrderWindow:
        self._watch_session()
        window = self._making.order()
        window.report_wanted.connect(self.report)
        window.code_wanted.connect(self.manage_code)
        return window

    def _watch_session(self) -> None:
        """Notice when the person leaves the screen; on Linux from the first question on, which saves memory."""
        if self._session is None:
            from sithsapp.ui.session.watch import session_watch

            self._session = session_watch(self)
            self._session.left.connect(self._session_left)
            self._session.returned.connect(self._cards.refresh)
            self._session.start()

    def _session_left(self) -> None:
        self._orders.session_locked()
        if self._codes is not None:
            self._codes.session_locked()
        if self._main is not None:
            self._main.session_left()
        if self._lending is not None:
            self._lending.session_left()

    def _make_flow(self, start: LaunchUrl, interaction: UserInteraction) -> Flow:
        if self._flows is None:
            from sithsapp.desktop.open_url import open_url
            from sithsapp.oob.compose import OrderFlows

            opener = partial(open_url, allow_local=self._settings.environment == "demo")
            self._flows = OrderFlows(self._settings, self._cards, opener, language())
        return self._flows.new(start, interaction)

    @Slot(object)
    def _follow_settings(self, names: frozenset[str]) -> None:
        self._follower(names)

    def _lend(self) -> None:
        """Lend the card to programs, from the time on that the settings name servers for them."""
        if self._lending is not None or not self._settings.mtls.targets:
            return
        from sithsapp.ui.mtls.consents import Consents
        from sithsapp.ui.mtls.lending import Lending
        from sithsapp.ui.mtls.tray_sessions import TraySessions
        from sithsapp.ui.mtls.window import ConsentWindow
        from sithsapp.ui.paged import code_is_asked

        consents = Consents(
            partial(self._making.consent, self.manage_code),
            lambda: self._orders.is_open or code_is_asked(ConsentWindow),
            lambda: self._cards.state,
            self,
        )
        self._lending = Lending(self._store, self._cards, consents, self)
        self.arrivals.cards_changed.connect(self._lending.cards_changed)
        self._orders.changed.connect(consents.other_window_closed)
        TraySessions(self._lending, self._tray)
        self._watch_session()
        if self._main is not None and not self._main.isVisible():
            self._main = None  # made anew with a page more
        self._lending.start()
