# SPDX-License-Identifier: EUPL-1.2
"""HTML that escapes everything which is not markup already."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


NOTHING: Final = Markup()
"""No HTML at all."""


def fill(template: str, **values: object) -> Markup:
    """Put `values` into the `{name}` places of a template, escaped unless they are `Markup`."""
    return Markup(template.format_map({name: _escaped(value) for name, value in values.items()}))


def join(parts: Iterable[Markup]) -> Markup:
    """Put pieces of HTML one after another."""
    return Markup("\n".join(parts))


def _escaped(value: object) -> str:
    return value if isinstance(value, Markup) else html.escape(str(value))
