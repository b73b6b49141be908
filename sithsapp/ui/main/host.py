# SPDX-License-Identifier: EUPL-1.2
"""Where a page stands in the main window: below its heading, in an area that scrolls."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from sithsapp.ui.main.page import MainPage
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.scroll import Scroll
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column, row

_MARGIN = 32
_WIDEST_PAGE = 860


class PageHost(QWidget):
    """A heading and a page; the page scrolls and the heading stays."""

    def __init__(self, page: MainPage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page = page
        self._heading = Text(TextStyle.DISPLAY)
        self.area = Scroll()
        self._content = QWidget()
        self._content.setObjectName("scrolled")
        self._inner = row(self._content)
        self._inner.setContentsMargins(_MARGIN, 4, _MARGIN, _MARGIN)
        self._inner.addWidget(page)
        self.area.setWidget(self._content)
        self.area.verticalScrollBar().rangeChanged.connect(self._keep_width)
        head = row()
        head.setContentsMargins(_MARGIN, 26, _MARGIN, 10)
        head.addWidget(self._heading)
        layout = column(self)
        layout.addLayout(head)
        layout.addWidget(self.area, 1)

    def retranslate(self) -> None:
        """Take the page's texts and heading in the language in use."""
        self.page.retranslate()
        self._heading.setText(self.page.title())
        self._content.setAccessibleName(self.page.title())

    def apply_theme(self, theme: Theme) -> None:
        """Keep lines short enough to be read."""
        self.page.setMaximumWidth(theme.px(_WIDEST_PAGE))

    def _keep_width(self, _lowest: int, highest: int) -> None:
        # The scroll bar stands in the margin, so that nothing beside it moves when it comes.
        bar = self.area.verticalScrollBar().sizeHint().width() if highest else 0
        margins = self._inner.contentsMargins()
        margins.setRight(max(0, _MARGIN - bar))
        self._inner.setContentsMargins(margins)
