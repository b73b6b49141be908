# SPDX-License-Identifier: EUPL-1.2
"""The icon in the notification area: one glyph, one sentence, a short menu. It never names the holder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from sithsapp.locale import tr
from sithsapp.support.state import AppState
from sithsapp.ui.environment import environment_title
from sithsapp.ui.tray.choice_menu import ChoiceMenu
from sithsapp.ui.tray.icons import tray_icon
from sithsapp.ui.tray.lending_menu import LendingMenu, in_use_line
from sithsapp.ui.tray.tasks import TaskActions

_LANGUAGES = (("system", "Same as the system"), ("sv", "Svenska"), ("en", "English"))


class Tray(QObject):
    """The tray icon. `language_chosen` carries `system`, `sv` or `en`, `environment_chosen` an environment.

    `end_wanted` carries a session of `show_sessions`, `task_wanted` a `TrayTask`.
    """

    open_wanted = Signal()
    reread_wanted = Signal()
    language_chosen = Signal(str)
    environment_chosen = Signal(str)
    quit_wanted = Signal()
    end_wanted = Signal(str)
    message_clicked = Signal()
    task_wanted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon = QSystemTrayIcon(self)
        self._lines: list[str] = []
        self._in_use = 0
        self._menu = QMenu()
        self._state = self._menu.addAction("")
        self._state.setEnabled(False)
        self._menu.addSeparator()
        self._open = self._action(self.open_wanted.emit)
        self._reread = self._action(self.reread_wanted.emit)
        self._tasks = TaskActions(self._menu, self)
        self._tasks.wanted.connect(self.task_wanted)
        self._lending = LendingMenu(self._menu)
        self._lending.end_wanted.connect(self.end_wanted)
        self._menu.addMenu(self._lending)
        self._menu.addSeparator()
        self._languages = self._menu.addMenu("")
        self._language_actions = self._offer_languages()
        self._environments = ChoiceMenu(self._menu.addMenu(""), self)
        self._environments.chosen.connect(self.environment_chosen)
        self._menu.addSeparator()
        self._quit = self._action(self.quit_wanted.emit)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.message_clicked)

    @staticmethod
    def is_available() -> bool:
        """Tell whether the desktop has a place for the icon."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show(self) -> None:
        """Show the icon."""
        self._icon.show()

    def hide(self) -> None:
        """Take the icon away."""
        self._icon.hide()

    @property
    def is_shown(self) -> bool:
        """Whether the icon is to be seen, as far as the desktop has a place for it."""
        return self._icon.isVisible() and self.is_available()

    def show_message(self, title: str, text: str) -> None:
        """Have a note shown beside the icon, where there is one."""
        if self._icon.isVisible():
            self._icon.showMessage(title, text, self._icon.icon())

    def show_state(self, state: AppState, *, environment: str = "") -> None:
        """Show `state`. `environment` is the badge's text, empty in production."""
        sentence = f"{environment} · {state.title}" if environment else state.title
        self._icon.setIcon(tray_icon(state.glyph))
        self._lines = ["SITHS eID-app", sentence]
        self._show_tip()
        self._state.setText(sentence)
        self._reread.setEnabled(state.slot is not None)
        self._tasks.show_state(state)

    def show_sessions(self, sessions: Sequence[tuple[str, str]]) -> None:
        """Show which programs use the card, as pairs of id and line."""
        self._in_use = len(sessions)
        self._lending.show_sessions(sessions)
        self._show_tip()

    def _show_tip(self) -> None:
        used = [in_use_line(self._in_use)] if self._in_use else []
        self._icon.setToolTip("\n".join((*self._lines, *used)))

    def offer_environments(self, environments: Sequence[str], current: str) -> None:
        """Let one of `environments` be chosen, where there are any."""
        names = {name: environment_title(name) for name in environments}
        self._environments.offer(tr("Environment"), names, current)

    def retranslate(self, chosen: str, *, locked: bool = False) -> None:
        """Take the texts of the language in use; `chosen` is marked in the menu, and stays if it is `locked`."""
        self._languages.setEnabled(not locked)
        self._open.setText(tr("Open"))
        self._reread.setText(tr("Read the card again"))
        self._tasks.retranslate()
        self._languages.setTitle(tr("Language"))
        self._quit.setText(tr("Quit"))
        for code, action in self._language_actions.items():
            action.setChecked(code == chosen)
            if code == "system":
                action.setText(tr("Same as the system"))

    def _action(self, act: Callable[[], None]) -> QAction:
        action = self._menu.addAction("")
        action.triggered.connect(lambda: act())
        return action

    def _offer_languages(self) -> dict[str, QAction]:
        group = QActionGroup(self)
        return {code: self._offer_language(group, code, name) for code, name in _LANGUAGES}

    def _offer_language(self, group: QActionGroup, code: str, name: str) -> QAction:
        action = self._languages.addAction(name)
        action.setCheckable(True)
        action.triggered.connect(lambda: self.language_chosen.emit(code))
        group.addAction(action)
        return action

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_wanted.emit()
