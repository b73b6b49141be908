# SPDX-License-Identifier: EUPL-1.2
"""The error report's window: what happened, what to take along, a preview of every byte, and saving; no sending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent, QTextOption
from PySide6.QtWidgets import (
    QAbstractButton,
    QFileDialog,
    QPlainTextEdit,
    QStackedWidget,
    QWidget,
)

from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.support.redaction import Redactor
from sithsapp.support.report.building import MAX_DESCRIPTION, with_description
from sithsapp.support.report.parts import Part, PartKind, Report, save
from sithsapp.ui import plain
from sithsapp.ui.announce import announce
from sithsapp.ui.background import Background
from sithsapp.ui.elements import Notice, Severity
from sithsapp.ui.icons import Icon
from sithsapp.ui.stylesheet import stylesheet
from sithsapp.ui.support.preview import Preview
from sithsapp.ui.support.rows import SwitchRow, line
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.button_row import ButtonRow
from sithsapp.ui.widgets.panels import Banner
from sithsapp.ui.widgets.ring import Ring
from sithsapp.ui.widgets.scroll import Scroll
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, apply_to_children, column, row

_SIZE = QSize(520, 700)
_SCREEN_MARGIN = 48
_BOX_HEIGHT = 96
_KINDS = (PartKind.COMPUTER, PartKind.LOG, PartKind.CERTIFICATES, PartKind.SETTINGS)


@dataclass(frozen=True, slots=True)
class Collected:
    """A report without a description, and what takes private things out of one."""

    report: Report
    redactor: Redactor


Collect = Callable[[], Collected]
ChoosePath = Callable[[QWidget, str], "Path | None"]


def ask_for_path(parent: QWidget, name: str) -> Path | None:
    """Ask where to save; None when the person changes their mind. Asks before a file is replaced."""
    start = str(Path.home() / name)
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("Save the error report"), start, "ZIP (*.zip)")
    return Path(chosen) if chosen else None


class ReportWindow(QWidget):
    """Collects in the background while the person writes. Made once and used again."""

    def __init__(self, collect: Callable[[], Collect], theme: Theme, choose_path: ChoosePath = ask_for_path) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._collect, self._choose_path = collect, choose_path
        self._collected: Collected | None = None
        self._then: Callable[[], None] | None = None
        self._number = ""
        self.background = Background(self)
        self.background.ended.connect(self._take)
        self._build()
        self._ring = Ring(self)
        self.apply_theme(theme)

    def _build(self) -> None:
        self._title, self._text = Text(TextStyle.DISPLAY), Text(TextStyle.BODY, tone="secondary")
        self._banner, self._what, self._include = Banner(), Text(TextStyle.LABEL), Text(TextStyle.LABEL)
        self.box = QPlainTextEdit()
        self.box.setTabChangesFocus(True)
        self.box.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.switches = {kind: SwitchRow() for kind in _KINDS}
        for each in self.switches.values():
            each.switch.setChecked(True)
        self.show_preview = Button(Kind.LINK, Icon.EYE)
        self.cancel, self.save = Button(Kind.SECONDARY), Button(Kind.PRIMARY)
        self.preview = Preview()
        self.show_preview.clicked.connect(lambda: self._when_collected(self._show_preview))
        self.cancel.clicked.connect(self.close)
        self.save.clicked.connect(lambda: self._when_collected(self._save))
        self.preview.back.clicked.connect(self._leave_preview)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._lay_out_form())
        self._stack.addWidget(self.preview)
        column(self).addWidget(self._stack)

    def _lay_out_form(self) -> QWidget:
        content, form = QWidget(), QWidget()
        content.setObjectName("scrolled")
        inner = column(content, 12)
        inner.setContentsMargins(24, 24, 24, 8)
        for widget in (self._title, self._text, self._banner, self._what, self.box, self._include, self._choices()):
            inner.addWidget(widget)
        inner.addStretch(1)
        self._area = Scroll()
        self._area.setWidget(content)
        self._area.verticalScrollBar().valueChanged.connect(lambda _value: self._ring.place())
        foot = row(spacing=12)
        foot.setContentsMargins(24, 10, 24, 20)
        foot.addWidget(self.show_preview, 0, Qt.AlignmentFlag.AlignVCenter)
        foot.addStretch(1)
        foot.addWidget(ButtonRow(self.cancel, self.save), 3)
        layout = column(form)
        layout.addWidget(self._area, 1)
        layout.addLayout(foot)
        return form

    def _choices(self) -> Frame:
        card = Frame("card")
        layout = column(card, 0)
        layout.setContentsMargins(16, 4, 16, 4)
        for number, each in enumerate(self.switches.values()):
            if number:
                layout.addWidget(line())
            layout.addWidget(each)
        return card

    def open(self, number: str = "") -> None:
        """Begin a report about the failure `number`, or about none; one that is being written goes on."""
        if not self.isVisible():
            self.box.clear()
            self._begin()
        if number or not self.isVisible():
            self._number = number
        self.retranslate()
        self.show()
        self.raise_()
        self.activateWindow()
        self.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _begin(self) -> None:
        self._collected = self._then = None
        self._stack.setCurrentIndex(0)
        self._banner.hide()
        collect = self._collect()
        self.background.start("error report", lambda _tell: collect())

    def retranslate(self) -> None:
        """Take all texts anew."""
        number = tr("Error code {number}").format(number=self._number) if self._number else ""
        self.setWindowTitle(tr("Error report"))
        self._title.setText(tr("Error report"))
        promise = tr(
            "The report is saved as a file on this computer. Nothing is sent until you send it. "
            "Codes and personal identity numbers are never in it."
        )
        self._text.setText(f"{promise}\n{number}." if number else promise)
        self._what.setText(tr("What happened?"))
        self.box.setAccessibleName(tr("What happened?"))
        self._include.setText(tr("Include"))
        labels = {
            PartKind.COMPUTER: tr("Details of computer and card reader"),
            PartKind.LOG: tr("Log of the last 24 hours"),
            PartKind.CERTIFICATES: tr("Issuer and validity of certificates (no names)"),
            PartKind.SETTINGS: tr("Settings of the app"),
        }
        for kind, each in self.switches.items():
            each.show_texts(labels[kind])
        self.show_preview.set_label(tr("Preview"))
        self.cancel.set_label(tr("Cancel"))
        self.save.set_label(tr("Save"))
        self.preview.retranslate()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self.setStyleSheet(stylesheet(theme))
        apply_to_children(self, theme)
        self.box.setFont(theme.font(TextStyle.BODY))
        self.box.setFixedHeight(theme.px(_BOX_HEIGHT))
        free = self.screen().availableGeometry().height() - _SCREEN_MARGIN
        self.resize(theme.px(_SIZE.width()), min(free, theme.px(_SIZE.height())))

    def parts(self) -> tuple[Part, ...]:
        """Return what would be saved now; nothing before it is collected."""
        if self._collected is None:
            return ()
        description = self.box.toPlainText()[:MAX_DESCRIPTION]
        whole = with_description(self._collected.report, description, self._number, self._collected.redactor)
        wanted = [kind for kind, each in self.switches.items() if each.switch.isChecked()]
        return whole.chosen([PartKind.DESCRIPTION, *wanted])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Escape go back or close, and Return press the button that has the focus."""
        focused = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            if self._stack.currentWidget() is self.preview:
                self._leave_preview()
            else:
                self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Forget what was collected."""
        super().closeEvent(event)
        self.background.cancel()
        self._collected = self._then = None
        self.preview.show_parts(())

    def _when_collected(self, then: Callable[[], None]) -> None:
        if self._collected is not None:
            then()
            return
        self._then = then
        self._tell(Notice(Severity.INFO, tr("Collecting details …"), tr("This takes a second or so.")))
        if not self.background.is_running:
            collect = self._collect()
            self.background.start("error report", lambda _tell: collect())

    def _take(self, collected: Collected | None) -> None:
        self._collected = collected
        then, self._then = self._then, None
        if collected is None:
            failure = Failure.UNKNOWN
            self._tell(Notice(Severity.ERROR, tr(failure.title), tr(failure.remedy)))
        elif then is not None:
            self._banner.hide()
            then()

    def _show_preview(self) -> None:
        self.preview.show_parts(self.parts())
        self._stack.setCurrentWidget(self.preview)
        self.preview.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _leave_preview(self) -> None:
        self._stack.setCurrentIndex(0)
        self.show_preview.setFocus(Qt.FocusReason.OtherFocusReason)

    def _save(self) -> None:
        if self._collected is None:
            return
        report, parts = self._collected.report, self.parts()
        path = self._choose_path(self, report.file_name)
        if path is None:
            return
        try:
            save(path, parts, report.made, replace=True)  # the question whether to replace was asked with the name
        except SithsError as error:
            title = f"{tr(error.failure.title)} ({error.failure.number})"
            self._tell(Notice(Severity.ERROR, title, tr("Choose another name or place.")))
            return
        self.cancel.set_label(tr("Close"))
        text = tr("{file}. Send it to support the way they ask you to.")
        text = text.format(file=plain.line(path.name, 100))
        self._tell(Notice(Severity.INFO, tr("The error report is saved"), text))

    def _tell(self, notice: Notice) -> None:
        self._banner.show_notice(notice)
        self._banner.show()
        self._area.ensureWidgetVisible(self._banner)
        announce(self, f"{notice.title}. {notice.text}")
