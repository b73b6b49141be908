# SPDX-License-Identifier: EUPL-1.2
"""The settings page: draws the presenter's view, and brings what a person chooses to the settings store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from sithsapp.failures import SithsError
from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.elements import Notice
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.services import Services
from sithsapp.ui.settings.connection_test import ConnectionTest
from sithsapp.ui.settings.presenter import Group, SettingsView, present_failure, present_settings
from sithsapp.ui.settings.reset_panel import ResetPanel
from sithsapp.ui.settings.rows import SettingRow
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.panels import Banner
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column

if TYPE_CHECKING:
    from sithsapp.desktop.autostart import Autostart
    from sithsapp.oob.reach import MakeAttempt

_TESTED = "connection"


class SettingsPage(MainPage):
    """What a person may choose. Every change is in force at once, or the page says why not."""

    def __init__(
        self,
        services: Services,
        parent: QWidget | None = None,
        *,
        autostart: Autostart | None = None,
        make_attempt: MakeAttempt | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = services.store
        self._autostart = autostart or _platforms_autostart()
        self._failure: SithsError | None = None
        self._banner = Banner()
        self._test = ConnectionTest(make_attempt)
        self._test.tried.connect(services.service_tried)
        self._reset = ResetPanel()
        self._reset.wanted.connect(self._reset_all)
        view = self._view()
        self._rows: dict[str, SettingRow] = {}
        self._titles: dict[str, Text] = {}
        self._lay_out(view)
        self.destroyed.connect(self._store.subscribe(lambda changed: self.refresh()))

    def _lay_out(self, view: SettingsView) -> None:
        layout = column(self, 12)
        layout.addWidget(self._banner)
        for group in view.groups:
            if group.title:
                self._titles[group.name] = Text(TextStyle.TITLE)
                layout.addSpacing(6)
                layout.addWidget(self._titles[group.name])
            layout.addWidget(self._card(group))
        layout.addWidget(self._reset)
        layout.addStretch(1)

    def _card(self, group: Group) -> Frame:
        card = Frame("card")
        inside = column(card)
        inside.setContentsMargins(20, 6, 20, 6)
        for number, each in enumerate(group.rows):
            if number:
                inside.addWidget(_line())
            made = self._rows[each.name] = SettingRow(each)
            made.changed.connect(self._change)
            inside.addWidget(made)
        if group.name == _TESTED:
            inside.addWidget(_line())
            inside.addWidget(self._test)
        return card

    def title(self) -> str:
        """Return the heading."""
        return tr("Settings")

    def retranslate(self) -> None:
        """Draw in the language in use."""
        self._test.retranslate()
        self._reset.retranslate()
        self.refresh()

    def shown(self) -> None:
        """Draw what is in force now; others may have changed it meanwhile."""
        self._store.reload()
        self.refresh()

    def refresh(self) -> None:
        """Draw what is in force."""
        view = self._view()
        for group in view.groups:
            if group.name in self._titles:
                self._titles[group.name].setText(group.title)
            for each in group.rows:
                self._rows[each.name].show_row(each)
        notice = present_failure(self._failure) if self._failure is not None else view.problem
        self._banner.setVisible(notice is not None)
        if notice is not None:
            self._banner.show_notice(notice)
        self._test.use(self._store.settings)

    def _view(self) -> SettingsView:
        return present_settings(self._store, starts_itself=self._autostart.enabled())

    def _change(self, name: str, value: object) -> None:
        if name == "autostart" and not self._store.locked(name):
            # The desktop first: what it refuses is not kept as the person's choice.
            self._attempt(lambda: self._autostart.set(bool(value)))
            if self._failure is not None:
                return
        self._attempt(lambda: self._store.set(name, value))

    def _reset_all(self) -> None:
        names = self._view().names
        self._attempt(lambda: self._store.reset(names))
        announce(self, tr("The settings are back to what they were at the start."))

    def _attempt(self, act: Callable[[], None]) -> None:
        self._failure = None
        try:
            act()
        except SithsError as error:
            self._failure = error
            notice: Notice = present_failure(error)
            announce(self, f"{notice.title}. {notice.text}")
        self.refresh()


def _line() -> QFrame:
    line = QFrame()
    line.setObjectName("line")
    line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return line


def _platforms_autostart() -> Autostart:
    from sithsapp.desktop.autostart import autostart

    return autostart()
