# SPDX-License-Identifier: EUPL-1.2
"""The window in which a code is changed or unlocked. Made at first use, and used again."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal

from sithsapp.card.pin import Pin
from sithsapp.ui.announce import announce
from sithsapp.ui.codes.form import FormPage
from sithsapp.ui.codes.page import CodesPage, FormBody
from sithsapp.ui.codes.presenter import present
from sithsapp.ui.codes.task import Enter, Send, View, Wish
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.holder import Describe
from sithsapp.ui.order.bodies import LastTryPage, OrderPage, ProblemPage, WaitingPage
from sithsapp.ui.order.page import Action, LastTryBody, ProblemBody, WaitingBody
from sithsapp.ui.paged import PagedWindow
from sithsapp.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class Entered:
    """What the person typed: the code that proves the right, and the new one. Who takes it wipes or sends both."""

    known: Pin
    new: Pin
    last_try_ok: bool


class CodesWindow(PagedWindow):
    """Shows the views of a code task.

    `entered(Entered)` when the codes shall be sent. `pad_wanted(bool)` when they shall be typed on the reader, with
    whether the last try may be used, and `withdrawn()` when that is given up. `forwarded(Action)` when another task
    shall follow this one.
    """

    entered = Signal(object)
    pad_wanted = Signal(bool)
    withdrawn = Signal()
    forwarded = Signal(object)

    def __init__(self, describe: Describe, theme: Theme) -> None:
        super().__init__()
        self._describe = describe
        self._wish: Wish | None = None
        self._view: View | None = None
        self._page: CodesPage | None = None
        self._confirmed = False
        self._form, self._last_try = FormPage(self._quiet), LastTryPage()
        self._waiting, self._problem = WaitingPage(), ProblemPage()
        pages = (self._form, self._last_try, self._waiting, self._problem)
        self.build((), pages)
        for page in pages:
            page.acted.connect(self._act)
            page.set_top_margin(wide=True)
        self._form.set_tab_order()
        for field in self._form.fields:
            field.message_changed.connect(self._told)
        self.apply_theme(theme)

    def set_policy(self, policy: EntryPolicy, *, refuse_easy: bool) -> None:
        """Take over what settings say of codes."""
        self._form.set_policy(policy, refuse_easy=refuse_easy)

    def begin(self, wish: Wish, view: View) -> None:
        """Show the first view of a task, in front."""
        self._wish, self._page, self._view, self._confirmed = wish, None, None, False
        self.show_view(view)
        self.bring_forward()

    def show_view(self, view: View) -> None:
        """Show `view`; one that draws the same leaves alone what is typed."""
        if self._wish is None:
            return
        if not isinstance(view, Enter) or view.known.tries_left != 1:
            self._confirmed = False
        self._view = view
        self._draw()

    def retranslate(self) -> None:
        """Take the texts of the language in use."""
        if self.isVisible():
            self._page = None
            self._draw()

    def wipe(self) -> None:
        """Forget what was typed."""
        self._form.wipe()

    def reject(self) -> None:
        """Close on Escape, but not while the card works: what it has begun is not undone by hiding it."""
        if not isinstance(self._view, Send):
            self.hide()
        elif self._view.on_reader:
            self.withdrawn.emit()

    def _draw(self) -> None:
        if self._wish is None or self._view is None:
            return
        page = present(self._wish, self._view, self._describe, last_try_confirmed=self._confirmed)
        before, self._page = self._page, page
        self.setWindowTitle(page.title)
        if before is not None and before.body == page.body:
            return
        if not isinstance(page.body, FormBody):
            self.wipe()
        self.turn_to(self._fill(page), secret=isinstance(page.body, FormBody))
        announce(self, page.spoken)

    def _fill(self, page: CodesPage) -> OrderPage:
        match page.body:
            case FormBody():
                self._form.show_body(page.body)
                return self._form
            case LastTryBody():
                self._last_try.show_body(page.body)
                return self._last_try
            case WaitingBody():
                self._waiting.show_body(page.body)
                return self._waiting
            case ProblemBody():
                self._problem.show_body(page.body)
                return self._problem

    def _act(self, action: Action) -> None:
        match action:
            case Action.APPROVE:
                self._approve()
            case Action.USE_LAST_TRY:
                self._use_last_try()
            case Action.CLOSE | Action.DECLINE:
                self.reject()
            case _:
                self.forwarded.emit(action)

    def _use_last_try(self) -> None:
        if self._quiet.admits():
            self._confirmed = True
            self._draw()

    def _approve(self) -> None:
        body = self._page.body if self._page is not None else None
        if not isinstance(body, FormBody) or not self._quiet.admits():
            return
        objection = self._form.objection()
        self.fit()
        if objection:
            return
        if body.on_reader:
            self.pad_wanted.emit(body.last_try_ok)
            return
        known, new = self._form.take()
        self.entered.emit(Entered(known, new, body.last_try_ok))

    def _told(self, text: str) -> None:
        announce(self, text)
