# SPDX-License-Identifier: EUPL-1.2
"""The order window's pages. Each is made once, filled anew for every order, and draws one kind of body."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from sithsapp.ui.elements import Accent
from sithsapp.ui.icons import Icon
from sithsapp.ui.order.page import (
    Action,
    BindingCodeBody,
    Header,
    LastTryBody,
    Picture,
    ProblemBody,
    WaitingBody,
)
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.button_row import ButtonRow
from sithsapp.ui.widgets.panels import Banner, Facts, IdentityPanel
from sithsapp.ui.widgets.pictures import Emblem, EmptyPlace
from sithsapp.ui.widgets.scroll import Scroll
from sithsapp.ui.widgets.spinner import Spinner
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column, needed_height, row

MARGIN = 24
_READINGS = 2
_SCROLL_KEYS = {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Up, Qt.Key.Key_Down}
_PLACES = {
    Picture.NO_READER: Icon.UNPLUGGED,
    Picture.NO_CARD: Icon.CARD,
    Picture.CARD_PROBLEM: Icon.WARNING,
}
_EMBLEMS = {Picture.DONE, Picture.KEYS}
_Widget = TypeVar("_Widget", bound=QWidget)


def approve_kind(accent: Accent) -> Kind:
    """Return how an order's main button looks."""
    return Kind.SIGN if accent is Accent.SIGN else Kind.PRIMARY


def _emblem_look(picture: Picture, header: Header | None) -> tuple[Icon, str, str]:
    if picture is Picture.DONE:
        return Icon.CHECK, "ok", "ok_soft"
    sign = header is not None and header.accent is Accent.SIGN
    return (Icon.KEYS, "sign", "sign_soft") if sign else (Icon.KEYS, "primary", "primary_soft")


class OrderPage(QWidget):
    """A page: what scrolls, and a footer that stays. `acted(Action)` when a button was pressed."""

    acted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content = QWidget()
        self.content.setObjectName("scrolled")
        self.area = Scroll()
        self.footer = QWidget()
        self._inner = column(self.content, 14)
        self._inner.setContentsMargins(MARGIN, 4, MARGIN, 4)
        self._outer = column(self.footer, 10)
        self._outer.setContentsMargins(MARGIN, 10, MARGIN, 14)
        self._frame = column(self)
        self._frame.addWidget(self.area, 1)
        self._frame.addWidget(self.footer)

    def finish(self) -> None:
        """Put the finished content into its scroll area."""
        self._inner.addStretch(1)
        self.area.setWidget(self.content)
        self.area.verticalScrollBar().rangeChanged.connect(self._keep_width)

    def needed_height(self, width: int) -> int:
        """Return the height that shows everything at that width."""
        beside = MARGIN - self._inner.contentsMargins().right()  # a scroll bar that may not be needed now
        self._frame.invalidate()  # or it goes on with the height that the footer had before
        below = needed_height(self._outer, width) if self._footer_stays() else 0
        return needed_height(self._inner, width - beside) + below

    def make_room(self, width: int, height: int, least: int) -> None:
        """Let the footer scroll with the rest where, within `height`, it would leave less than `least` to it."""
        stays = needed_height(self._outer, width) + least <= height
        if stays == self._footer_stays():
            return
        beside = MARGIN if stays else 0
        self._outer.setContentsMargins(beside, 10, beside, 14)
        focused = self.footer.focusWidget()
        (self._frame if stays else self._inner).addWidget(self.footer)
        self.footer.show()  # at once: the layout does it later, and until then leaves no room
        if focused is not None:
            focused.setFocus(Qt.FocusReason.OtherFocusReason)

    def _footer_stays(self) -> bool:
        return self._frame.indexOf(self.footer) >= 0

    def first_focus(self) -> QWidget:
        """Return what has the focus when the page comes."""
        raise NotImplementedError

    def set_top_margin(self, wide: bool) -> None:
        """Stand clear of the window's edge where no header is above."""
        margins = self._inner.contentsMargins()
        margins.setTop(MARGIN if wide else 4)
        self._inner.setContentsMargins(margins)

    def _keep_width(self, _lowest: int, highest: int) -> None:
        # The scroll bar stands in the margin, so that nothing beside it moves when it comes.
        bar = self.area.verticalScrollBar().sizeHint().width() if highest else 0
        margins = self._inner.contentsMargins()
        margins.setRight(max(0, MARGIN - bar))
        self._inner.setContentsMargins(margins)

    def add(self, widget: _Widget, *, centred: bool = False) -> _Widget:
        """Add `widget` to the part that scrolls."""
        if centred:
            self._inner.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        else:
            self._inner.addWidget(widget)
        return widget

    def add_buttons(self, *buttons: Button) -> None:
        """Add buttons of equal width to the footer, from left to right."""
        self._outer.addWidget(ButtonRow(*buttons))

    def add_last_line(self, report: Button, reference: Text) -> None:
        """End the footer with the way to report an order and with its reference."""
        line = row(spacing=8)
        line.addWidget(report)
        line.addStretch(1)
        line.addWidget(reference)
        self._outer.addLayout(line)
        self.acts(report, Action.REPORT)

    def add_below(self, widget: _Widget) -> _Widget:
        """Add `widget` to the footer, which stays in view."""
        self._outer.addWidget(widget)
        return widget

    def acts(self, button: Button, action: Action) -> None:
        """Let `button` mean `action`."""
        button.clicked.connect(lambda: self.acted.emit(action))


class WaitingPage(OrderPage):
    """Draws a `WaitingBody`: it goes on by itself, or only tells."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = Action.DECLINE
        self._facts = self.add(Facts())
        self._banner = self.add(Banner())
        self._inner.addSpacing(8)
        self._spinner = self.add(Spinner(), centred=True)
        self._place = self.add(EmptyPlace(), centred=True)
        self._emblem = self.add(Emblem(Icon.CHECK, 72, round_field=True), centred=True)
        self._title = self.add(Text(TextStyle.TITLE, centred=True))
        self._text = self.add(Text(TextStyle.BODY, tone="secondary", centred=True))
        self._button = Button(Kind.SECONDARY)
        self._report = Button(Kind.LINK, Icon.FLAG)
        self._reference = Text(TextStyle.SMALL, tone="secondary")
        self.add_buttons(self._button)
        self.add_last_line(self._report, self._reference)
        self._button.clicked.connect(lambda: self.acted.emit(self._action))
        self.finish()

    def show_body(self, body: WaitingBody, header: Header | None = None) -> None:
        """Show `body`."""
        self._action = body.action
        self._facts.show_facts(body.facts)
        self._banner.setVisible(bool(body.notices))
        for notice in body.notices:
            self._banner.show_notice(notice)
        self._spinner.setVisible(body.picture is Picture.SPINNER)
        self._emblem.setVisible(body.picture in _EMBLEMS)
        self._emblem.set_look(*_emblem_look(body.picture, header))
        self._place.setVisible(body.picture in _PLACES)
        self._place.set_icon(_PLACES.get(body.picture, Icon.CARD))
        self._title.setText(body.title)
        self._text.setText(body.text)
        self._button.set_label(body.button)
        self._button.setVisible(bool(body.button))
        self._report.set_label(body.report)
        self._report.setVisible(bool(body.report))
        self._reference.setText(body.reference)
        self._reference.setVisible(bool(body.reference))

    def set_accent(self, accent: Accent) -> None:
        """Turn the spinner in the order's colour."""
        self._spinner.set_accent(accent)

    def first_focus(self) -> QWidget:
        """Return the only button."""
        return self._button


class LastTryPage(OrderPage):
    """Draws a `LastTryBody`: asks before the last try is used. The safe answer has the focus."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banner = self.add(Banner())
        self._identity = self.add(IdentityPanel())
        self._decline = Button(Kind.SECONDARY)
        self._confirm = Button(Kind.PRIMARY)
        self.add_buttons(self._decline, self._confirm)
        self._small_print = self.add_below(Text(TextStyle.SMALL, tone="secondary"))
        self.acts(self._decline, Action.DECLINE)
        self.acts(self._confirm, Action.USE_LAST_TRY)
        self.chosen = self._identity.chosen
        self.finish()

    def show_body(self, body: LastTryBody, header: Header | None = None) -> None:
        """Show `body`."""
        self._banner.show_notice(body.notice)
        self._identity.show_identity(body.identity)
        self._confirm.set_kind(approve_kind(header.accent if header is not None else Accent.AUTH))
        self._confirm.set_label(body.confirm)
        self._decline.set_label(body.decline)
        self._small_print.setText(body.small_print)

    def first_focus(self) -> QWidget:
        """Return the button that does nothing dangerous."""
        return self._decline


class BindingCodePage(OrderPage):
    """Draws a `BindingCodeBody`: a code that is typed in the browser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = self.add(Text(TextStyle.TITLE, centred=True))
        self._text = self.add(Text(TextStyle.BODY, tone="secondary", centred=True))
        self._code = self.add(Text(TextStyle.CODE, centred=True))
        self._banner = self.add(Banner())
        self._button = Button(Kind.SECONDARY)
        self.add_buttons(self._button)
        self.acts(self._button, Action.CLOSE)
        self.finish()

    def show_body(self, body: BindingCodeBody, header: Header | None) -> None:
        """Show `body`."""
        self._title.setText(body.title)
        self._text.setText(body.text)
        self._code.setText(body.code)
        self._code.setAccessibleName(body.spoken_code)
        self._banner.show_notice(body.warning)
        self._button.set_label(body.button)

    def forget(self) -> None:
        """Show the code no longer."""
        self._code.setText("")
        self._code.setAccessibleName("")

    def first_focus(self) -> QWidget:
        """Return the only button."""
        return self._button


class ProblemPage(OrderPage):
    """Draws a `ProblemBody`: what happened, what to do, and the number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._forward_action: Action | None = None
        self._banner = self.add(Banner())
        self._advice = self.add(Text(TextStyle.BODY))
        self._number = self.add(Text(TextStyle.SMALL, tone="secondary"))
        self._button, self._forward = Button(Kind.SECONDARY), Button(Kind.PRIMARY)
        self._report = Button(Kind.LINK, Icon.BUG)
        self.add_buttons(self._button, self._forward)
        self.add_below(self._report)
        self.acts(self._button, Action.CLOSE)
        self.acts(self._report, Action.MAKE_REPORT)
        self._forward.clicked.connect(self._go_forward)
        self.finish()

    def show_body(self, body: ProblemBody, header: Header | None = None, *, can_report: bool = False) -> None:
        """Show `body`; the way to an error report where there is one."""
        self._report.set_label(body.report)
        self._report.setVisible(can_report and bool(body.report))
        self._forward_action = body.forward_action
        self._banner.show_notice(body.notice)
        self._advice.setText("\n\n".join(body.advice))
        self._advice.setVisible(bool(body.advice))
        self._number.setText(body.number)
        self._button.set_label(body.button)
        self._forward.set_label(body.forward)
        self._forward.setVisible(bool(body.forward))

    def first_focus(self) -> QWidget:
        """Return the button that leads on, or else the one that closes."""
        return self._button if self._forward_action is None else self._forward

    def _go_forward(self) -> None:
        if self._forward_action is not None:
            self.acted.emit(self._forward_action)
