# SPDX-License-Identifier: EUPL-1.2
"""The page "Help and logs"."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from sithsapp.desktop.paths import log_dir
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.profile import URL_SCHEME
from sithsapp.support.checks.check import Action, Context
from sithsapp.support.checks.local import make_private
from sithsapp.support.checks.scheme import take_scheme
from sithsapp.support.compose import make_context
from sithsapp.support.detail import detailed_until, set_detailed
from sithsapp.ui.announce import announce
from sithsapp.ui.background import Background
from sithsapp.ui.elements import Notice, Severity
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.services import Services
from sithsapp.ui.support.log_panel import LogPanel
from sithsapp.ui.support.presenter import accessibility_text, detailed_note, licence_text
from sithsapp.ui.support.report_card import ReportCard
from sithsapp.ui.support.rows import SwitchRow, line
from sithsapp.ui.support.self_test import SelfTestPanel
from sithsapp.ui.support.text_window import TextWindow
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.button import Kind
from sithsapp.ui.widgets.panels import Banner
from sithsapp.ui.widgets.themed import Frame, column
from sithsapp.ui.widgets.tile import Tile

log = logging.getLogger(__name__)


class SupportPage(MainPage):
    """Self-test, error report, log, versions, accessibility and licences."""

    def __init__(
        self,
        services: Services,
        parent: QWidget | None = None,
        *,
        directory: Path | None = None,
        context: Callable[[], Context] | None = None,
    ) -> None:
        super().__init__(parent)
        self._services, self._directory = services, directory or log_dir()
        self._make_context = context or (lambda: make_context(services.store, lambda: services.cards.state))
        self._banner, self.report = Banner(), ReportCard()
        self.self_test, self.log = SelfTestPanel(self._make_context), LogPanel(self._directory)
        self.detailed = SwitchRow()
        self.accessibility, self.licences = Tile(Kind.ROW, Icon.INFO), Tile(Kind.ROW, Icon.SCROLL)
        self.background = Background(self)
        self._text_window: TextWindow | None = None
        self._connect()
        self._lay_out()

    def _connect(self) -> None:
        self.report.report_wanted.connect(lambda: self._services.report(""))
        self.report.versions_wanted.connect(self._copy_versions)
        self.self_test.wanted.connect(self._act)
        self.log.folder_wanted.connect(self._show_folder)
        self.detailed.changed.connect(self._set_detailed)
        self.accessibility.clicked.connect(self._show_accessibility)
        self.licences.clicked.connect(self._show_licences)
        self.background.ended.connect(self._take)

    def _lay_out(self) -> None:
        detailed = Frame("card")
        inside = column(detailed)
        inside.setContentsMargins(20, 8, 20, 8)
        inside.addWidget(self.log.follow)
        inside.addWidget(line())
        inside.addWidget(self.detailed)
        more = column(spacing=8)
        more.addWidget(self.accessibility)
        more.addWidget(self.licences)
        layout = column(self, 18)
        for widget in (self._banner, self.report, self.self_test, self.log, detailed):
            layout.addWidget(widget)
        layout.addLayout(more)
        layout.addStretch(1)
        self._banner.hide()

    def title(self) -> str:
        """Return the heading."""
        return tr("Help and logs")

    def retranslate(self) -> None:
        """Take all texts anew."""
        self.report.retranslate()
        self.self_test.retranslate()
        self.log.retranslate()
        self.accessibility.set_label(tr("Accessibility"))
        self.licences.set_label(tr("Licences"))
        self._show_detailed()
        self._banner.hide()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        super().apply_theme(theme)
        if self._text_window is not None:
            self._text_window.apply_theme(theme)

    def shown(self) -> None:
        """Show what is so now."""
        self._show_detailed()
        self.report.show_met()

    def _show_detailed(self) -> None:
        locked = self._services.store.locked("log_level")
        until = detailed_until(self._directory)
        self.detailed.switch.setChecked(until is not None)
        self.detailed.switch.setEnabled(not locked or until is not None)
        local = until.astimezone() if until is not None else None
        self.detailed.show_texts(tr("Detailed logging"), detailed_note(local, locked=locked))

    def _set_detailed(self, on: bool) -> None:
        try:
            set_detailed(self._directory, self._services.store.settings.log_level, on=on)
        except OSError as error:
            self._tell_failure(SithsError(Failure.LOG_NOT_WRITTEN, error.strerror or ""))
        else:
            log.info("detailed logging was turned %s", "on" if on else "off")
        self._show_detailed()

    def _act(self, action: Action) -> None:
        try:
            self._carry_out(action)
        except SithsError as error:
            self._tell_failure(error)
            return
        if action in (Action.TAKE_SCHEME, Action.MAKE_LOG_PRIVATE):
            self.self_test.run()

    def _carry_out(self, action: Action) -> None:
        match action:
            case Action.TAKE_SCHEME:
                take_scheme(URL_SCHEME)
            case Action.MAKE_LOG_PRIVATE:
                self._make_private()
            case Action.READ_CARD_AGAIN:
                self._services.reread()
            case Action.SHOW_SETTINGS:
                self._services.go(Place.SETTINGS)

    def _make_private(self) -> None:
        try:
            make_private(self._directory)
        except OSError as error:
            raise SithsError(Failure.LOG_NOT_WRITTEN, error.strerror or "") from error

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._directory)))

    def _copy_versions(self) -> None:
        from sithsapp.support.report.versions import all_versions, versions_text

        system = self._make_context().system
        self.background.start("versions", lambda _tell: ("versions", versions_text(all_versions(system))))

    def _show_licences(self) -> None:
        from sithsapp.support.licences import licences

        self.background.start("licences", lambda _tell: ("licences", licence_text(licences())))

    def _show_accessibility(self) -> None:
        self._reader().show_text(tr("Accessibility"), accessibility_text())

    def _take(self, result: tuple[str, str] | None) -> None:
        if result is None:
            self._tell_failure(SithsError(Failure.UNKNOWN))
        elif result[0] == "licences":
            self._reader().show_text(tr("Licences"), result[1])
        else:
            QGuiApplication.clipboard().setText(result[1])
            self.report.show_copied()
            announce(self, tr("The version details are copied."))

    def _reader(self) -> TextWindow:
        if self._text_window is None:
            self._text_window = TextWindow(self._services.theme())
        return self._text_window

    def _tell_failure(self, error: SithsError) -> None:
        failure = error.failure
        title = f"{tr(failure.title)} ({failure.number})"
        self._banner.show_notice(Notice(Severity.ERROR, title, f"{tr(failure.cause)} {tr(failure.remedy)}"))
        self._banner.show()
        announce(self, title)
