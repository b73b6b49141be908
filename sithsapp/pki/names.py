# SPDX-License-Identifier: EUPL-1.2
"""Distinguished names (RFC 5280 section 4.1.2.4): the attributes that people and services ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sithsapp.pki import der

COMMON_NAME: Final = "2.5.4.3"
SURNAME: Final = "2.5.4.4"
SERIAL_NUMBER: Final = "2.5.4.5"
ORGANISATION: Final = "2.5.4.10"
GIVEN_NAME: Final = "2.5.4.42"

_SINGLE: Final = frozenset({COMMON_NAME, SURNAME, SERIAL_NUMBER, ORGANISATION, GIVEN_NAME})
_SHORT_NAMES: Final = {
    COMMON_NAME: "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    ORGANISATION: "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_MAX_ATTRIBUTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Name:
    """A name as sets of (attribute type, value), in the order of the certificate."""

    parts: tuple[tuple[tuple[str, str], ...], ...]

    def get(self, attribute: str) -> str | None:
        """Return the value of an attribute by its OID, or None."""
        return next((value for part in self.parts for found, value in part if found == attribute), None)

    @property
    def rfc4514(self) -> str:
        """The text form of RFC 4514, most specific part first; types without a short name in dotted form."""
        return ",".join("+".join(_assertion(*pair) for pair in part) for part in reversed(self.parts))


def read_name(reader: der.Reader) -> Name:
    """Read a Name; raises `der.DerError`, also when an attribute that identifies somebody comes twice."""
    sequence = reader.enter(der.SEQUENCE)
    parts: list[tuple[tuple[str, str], ...]] = []
    seen: list[str] = []
    while not sequence.at_end:
        part = _part(sequence.enter(der.SET))
        parts.append(part)
        seen += [attribute for attribute, _ in part]
        if len(seen) > _MAX_ATTRIBUTES:
            raise der.DerError("name has too many attributes")
    if any(seen.count(attribute) > 1 for attribute in _SINGLE):
        raise der.DerError("name has an attribute twice")
    return Name(tuple(parts))


def _part(reader: der.Reader) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    while not reader.at_end:
        pair = reader.enter(der.SEQUENCE)
        attribute = der.oid(pair.read(der.OID))
        pairs.append((attribute, der.text(*pair.any())))
        pair.finish()
    if not pairs:
        raise der.DerError("name has an empty part")
    return tuple(pairs)


def _assertion(attribute: str, value: str) -> str:
    escaped = "".join(f"\\{sign}" if sign in '\\,+"<>;' else sign for sign in value)
    if escaped.startswith(("#", " ")):
        escaped = "\\" + escaped
    if value.endswith(" ") and len(value) > 1:
        escaped = escaped[:-1] + "\\ "
    return f"{_SHORT_NAMES.get(attribute, attribute)}={escaped}"
