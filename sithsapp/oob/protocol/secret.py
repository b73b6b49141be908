# SPDX-License-Identifier: EUPL-1.2
"""A text that must not be shown or logged by accident (protocol section B14)."""

from __future__ import annotations

from typing import NoReturn

from sithsapp.oob.protocol.encoding import equal


class Secret:
    """Holds a token or verifier. `repr`, `str` and formatting give `***`; `reveal` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, to be sent and nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and equal(self._text, other._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")
