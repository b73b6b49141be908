# SPDX-License-Identifier: EUPL-1.2
"""A label for plain text of any origin: never rich text, breaks anywhere rather than being cut off."""

from __future__ import annotations

import unicodedata
from math import ceil

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from sithsapp.ui.theme import TextStyle, Theme

_LINE_SEPARATOR = "\u2028"
_UNBOUNDED = 1_000_000.0
_TONES = {
    "": "text",
    "secondary": "text2",
    "ok": "ok",
    "error": "err",
    "on_primary": "on_primary",
    "warning": "warn",
    "auth": "primary_text",
    "sign": "sign_text",
}


class Text(QLabel):
    """Plain text in one of the theme's styles. `tone` is a colour role."""

    def __init__(
        self, style: TextStyle, *, tone: str = "", centred: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._style = style
        self._centred = centred
        self._layouts: dict[float, tuple[QTextLayout, QSize]] = {}
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._tone = tone
        self._theme: Theme | None = None

    def take_tone(self, tone: str) -> None:
        """Take over a colour role: empty for plain text, or secondary, ok, error, warning, auth or sign."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take over the theme's font and colours."""
        self._theme = theme
        self.setFont(theme.font(self._style))
        self._forget()

    def setText(self, text: str) -> None:
        """Show `text`, exactly as it is."""
        if text != self.text():
            super().setText(text)
            self._forget()

    def hasHeightForWidth(self) -> bool:
        """Tell that wrapped text is as high as its width makes it."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the text when wrapped to `width`."""
        return self._laid_out(width)[1].height()

    def sizeHint(self) -> QSize:
        """Return the size of the text on one line."""
        return self._laid_out(_UNBOUNDED)[1]

    def minimumSizeHint(self) -> QSize:
        """Return the least size: the text may be broken anywhere."""
        return QSize(0, self._line_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the wrapped text from the top, in the direction of its first strong sign."""
        if self._theme is None:
            return
        layout, size = self._laid_out(self.width())
        painter = QPainter(self)
        painter.setPen(self._theme.colour(_TONES[self._tone]))
        layout.draw(painter, QPointF(0, max(0, (self.height() - size.height()) // 2) if self._one_line() else 0))
        painter.end()

    def _one_line(self) -> bool:
        return self._laid_out(self.width())[0].lineCount() == 1

    def _forget(self) -> None:
        self._layouts.clear()
        self.updateGeometry()
        self.update()

    def _line_height(self) -> int:
        return ceil(QFontMetricsF(self.font()).height())

    def _laid_out(self, width: float) -> tuple[QTextLayout, QSize]:
        if width not in self._layouts:
            if len(self._layouts) > 4:
                self._layouts.clear()
            self._layouts[width] = self._lay_out(width)
        return self._layouts[width]

    def _lay_out(self, width: float) -> tuple[QTextLayout, QSize]:
        text = self.text()
        option = QTextOption(Qt.AlignmentFlag.AlignHCenter if self._centred else Qt.AlignmentFlag.AlignLeading)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        leftwards = _starts_right_to_left(text)
        option.setTextDirection(Qt.LayoutDirection.RightToLeft if leftwards else Qt.LayoutDirection.LeftToRight)
        layout = QTextLayout(text.replace("\n", _LINE_SEPARATOR), self.font())
        layout.setTextOption(option)
        return layout, self._fill(layout, width)

    def _fill(self, layout: QTextLayout, width: float) -> QSize:
        height, widest = 0.0, 0.0
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1.0, width))
            line.setPosition(QPointF(0, height))
            height += line.height()
            widest = max(widest, line.naturalTextWidth())
        layout.endLayout()
        return QSize(ceil(widest), max(ceil(height), self._line_height()))


def _starts_right_to_left(text: str) -> bool:
    kinds = (unicodedata.bidirectional(sign) for sign in text)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)
