# SPDX-License-Identifier: EUPL-1.2
"""The style sheet of the app's windows, made from the theme. Set on windows, not on the application."""

from __future__ import annotations

from string import Template

from sithsapp.ui.theme import Theme

_WINDOW = Template("""
#window, #scrolled, QScrollArea { background: $bg; border: none; }
QLabel { color: $text; background: transparent; }
#card { background: $surface; border: 1px solid $divider; border-radius: ${r12}px; }
#sunken { background: $sunken; border: 1px solid $sunken; border-radius: ${r12}px; }
#navigation { background: $surface; border: none; border-right: 1px solid $divider; border-radius: 0; }
#pill { border-radius: ${r10}px; }
#pill[tone="auth"] { background: $primary_soft; border: 1px solid $primary_soft; }
#pill[tone="sign"] { background: $sign_soft; border: 1px solid $sign_soft; }
#pill[tone="warning"] { background: $warn_soft; border: 1px solid $warn; }
#banner { border-radius: ${r8}px; }
#banner[tone="warning"] { background: $warn_soft; border: 1px solid $warn; }
#banner[tone="error"] { background: $err_soft; border: 1px solid $err; }
#banner[tone="ok"] { background: $ok_soft; border: 1px solid $ok; }
#banner[tone="info"] { background: $info_soft; border: 1px solid $info; }
QMenu { background: $surface; color: $text; border: 1px solid $border; padding: ${p4}px; }
QMenu::item { padding: ${p8}px ${p16}px; border-radius: ${p4}px; }
QMenu::item:selected { background: $primary_soft; color: $primary_text; }
QMenu::item:disabled { color: $text2; }
QToolTip { background: $surface; color: $text; border: 1px solid $border; padding: ${p4}px; }
""")

_BUTTONS = Template("""
QPushButton { border-radius: ${r8}px; padding: 0 ${p16}px; min-height: ${control}px; outline: none; }
QPushButton[kind="primary"] { background: $primary; color: $on_primary; border: 1px solid $primary; }
QPushButton[kind="primary"]:hover { background: $primary_hover; border-color: $primary_hover; }
QPushButton[kind="primary"]:pressed { background: $primary_press; border-color: $primary_press; }
QPushButton[kind="sign"] { background: $sign; color: $on_sign; border: 1px solid $sign; }
QPushButton[kind="sign"]:hover { background: $sign_hover; border-color: $sign_hover; }
QPushButton[kind="sign"]:pressed { background: $sign_press; border-color: $sign_press; }
QPushButton[kind="secondary"] { background: $surface; color: $text; border: 1px solid $border; }
QPushButton[kind="secondary"]:hover { background: $sunken; }
QPushButton[kind="secondary"]:pressed { background: $divider; }
QPushButton[kind="link"] { background: transparent; color: $primary_text; border: none; min-height: ${p24}px;
    padding: ${p4}px 0; }
QPushButton[kind="link"][accent="sign"] { color: $sign_text; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="icon"] { background: transparent; border: none; min-height: ${icon}px; min-width: ${icon}px;
    padding: 0; border-radius: ${p4}px; }
QPushButton[kind="icon"]:hover { background: $sunken; }
QPushButton[kind="navigation"] { background: transparent; color: $text; border: none; text-align: left;
    padding: 0 ${p16}px; min-height: ${row}px; }
QPushButton[kind="navigation"]:hover { background: $sunken; }
QPushButton[kind="navigation"]:checked { background: $primary_soft; color: $primary_text; }
QPushButton[kind="tile"], QPushButton[kind="row"] { background: $surface; color: $text; text-align: left;
    border: 1px solid $divider; border-radius: ${r12}px; padding: 0; min-height: 0; }
QPushButton[kind="tile"]:hover, QPushButton[kind="row"]:hover { background: $sunken; border-color: $border; }
QPushButton[kind="tile"]:pressed, QPushButton[kind="row"]:pressed { background: $divider; }
QPushButton:disabled { color: $disabled; background: $sunken; border-color: $divider; }
QPushButton::menu-indicator { width: 0; }
""")

_FIELDS = Template("""
QPlainTextEdit { background: $surface; color: $text; border: 1px solid $border; border-radius: ${r8}px;
    padding: ${p8}px ${p8}px; selection-background-color: $primary; selection-color: $on_primary; }
QPlainTextEdit:focus { border: 2px solid $focus; padding: ${p7}px ${p7}px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $border; padding: ${p4}px;
    outline: none; selection-background-color: $primary_soft; selection-color: $primary_text; }
QComboBox QAbstractItemView::item { min-height: ${icon}px; padding: 0 ${p8}px; }
#line { background: $divider; border: none; min-height: 1px; max-height: 1px; }
QScrollBar:vertical { background: transparent; width: ${p12}px; margin: ${p4}px 2px; border: none; }
QScrollBar::handle:vertical { background: $border; border-radius: ${p4}px; min-height: ${p24}px; }
QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical { height: 0; }
QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical { background: transparent; }
""")


def stylesheet(theme: Theme) -> str:
    """Return the style sheet for `theme`."""
    names = {name: getattr(theme.tokens, name) for name in theme.tokens.__slots__}
    names |= {f"p{size}": str(theme.px(size)) for size in (4, 8, 12, 16, 24)}
    names |= {f"r{size}": str(theme.px(size)) for size in (8, 10, 12)}
    # The frame is part of a control's height, and a focused frame is one pixel wider on each side.
    names |= {"control": str(theme.px(44) - 2), "icon": str(theme.px(36)), "p7": str(theme.px(8) - 1)}
    names |= {"row": str(theme.px(44))}
    return "".join(part.substitute(names) for part in (_WINDOW, _BUTTONS, _FIELDS))
