# SPDX-License-Identifier: EUPL-1.2
"""What a page of the main window is."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from sithsapp.ui.theme import Theme


class MainPage(QWidget):
    """A page of the main window, made at its first visit and kept.

    The window draws the heading, scrolls the page and gives the theme to every widget on it. A page takes all its
    texts anew in `retranslate`, which is called once before the page is first shown.
    """

    theme: Theme
    """The theme in force: for widgets that come later. Set before the page is shown."""

    def title(self) -> str:
        """Return the page's heading in the language in use."""
        raise NotImplementedError

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes; the window has given them to the widgets on the page."""
        self.theme = theme

    def retranslate(self) -> None:
        """Take all texts anew: the language was changed."""

    def shown(self) -> None:
        """Come to the front: show what is so now."""

    def session_left(self) -> None:
        """Give up what is open: the screen was locked, or the computer sleeps."""

    def refresh(self) -> None:
        """Follow a change of readers, cards or the app's state; called whether or not the page is in front."""
