# SPDX-License-Identifier: EUPL-1.2
"""Values of certificate fields as text (RFC 5280 section 4.2). Each raises `der.DerError` for another form."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Final

from sithsapp.locale import tr
from sithsapp.pki import der, oids
from sithsapp.pki.certificate import read_key
from sithsapp.pki.extensions import KeyUsage
from sithsapp.pki.names import read_name
from sithsapp.pki.windows_names import SID, SID_EXTENSION, UPN, read_sid

_CPS: Final = "1.3.6.1.5.5.7.2.1"
_USER_NOTICE: Final = "1.3.6.1.5.5.7.2.2"
_MOST_ITEMS: Final = 256


def public_key(reader: der.Reader) -> str:
    """Return the kind and size of a SubjectPublicKeyInfo's key; for kinds that the app does not use, the kind."""
    element = reader.raw(der.SEQUENCE)
    try:
        key = read_key(der.Reader(element).enter(der.SEQUENCE))
    except der.DerError:
        algorithm = der.Reader(element).enter(der.SEQUENCE).enter(der.SEQUENCE)
        return oids.technical_name(der.oid(algorithm.read(der.OID)))
    return f"{key.algorithm} {key.bits}"


def _each(reader: der.Reader) -> Iterator[tuple[int, bytes]]:
    for _ in range(_MOST_ITEMS):
        if reader.at_end:
            return
        yield reader.any()
    raise der.DerError("too many items")


def _octets(reader: der.Reader) -> str:
    return reader.read(der.OCTET_STRING).hex(" ").upper()


def _text(reader: der.Reader) -> str:
    return der.text(*reader.any())


def _nothing(reader: der.Reader) -> str:
    reader.read(der.NULL)
    return tr("Yes")


def _key_usage(reader: der.Reader) -> str:
    _, octets = der.bits(reader.read(der.BIT_STRING))
    value = int.from_bytes(octets[:2].ljust(2, b"\0"))
    return "\n".join(
        oids.usage_name(usage) for position, usage in enumerate(KeyUsage) if value & (0x8000 >> position)
    )


def _purposes(reader: der.Reader) -> str:
    found = [_oid(*each) for each in _each(reader.enter(der.SEQUENCE))]
    return "\n".join(oids.named(oids.purpose_name(oid), oid) for oid in found)


def _application_policies(reader: der.Reader) -> str:
    found = [der.oid(_sequence(*each).read(der.OID)) for each in _each(reader.enter(der.SEQUENCE))]
    return "\n".join(oids.named(oids.purpose_name(oid), oid) for oid in found)


def _oid(tag: int, contents: bytes) -> str:
    if tag != der.OID:
        raise der.DerError("another tag was expected")
    return der.oid(contents)


def _sequence(tag: int, contents: bytes) -> der.Reader:
    if tag != der.SEQUENCE:
        raise der.DerError("another tag was expected")
    return der.Reader(contents)


def _basic_constraints(reader: der.Reader) -> str:
    sequence = reader.enter(der.SEQUENCE)
    is_ca = sequence.optional(der.BOOLEAN) not in (None, b"\x00")
    length = sequence.optional(der.INTEGER)
    sequence.finish()
    if not is_ca:
        return tr("Not a certification authority")
    if length is None:
        return tr("Certification authority")
    return tr("Certification authority, at most {n} more below it").format(n=der.integer(length, max_octets=2))


def _policies(reader: der.Reader) -> str:
    lines: list[str] = []
    for each in _each(reader.enter(der.SEQUENCE)):
        policy = _sequence(*each)
        lines.append(oids.technical_name(der.oid(policy.read(der.OID))))
        qualifiers = policy.optional(der.SEQUENCE)
        if qualifiers is not None:
            lines += [f"  {_qualifier(_sequence(*found))}" for found in _each(der.Reader(qualifiers))]
    return "\n".join(lines)


def _qualifier(reader: der.Reader) -> str:
    kind = der.oid(reader.read(der.OID))
    if kind == _CPS:
        return _text(reader)
    if kind != _USER_NOTICE:
        return kind
    notice = reader.enter(der.SEQUENCE)
    notice.optional(der.SEQUENCE)  # a reference to a list of notices that nobody publishes
    return kind if notice.at_end else _text(notice)


def _general_names(reader: der.Reader) -> str:
    return "\n".join(general_name(*each) for each in _each(reader.enter(der.SEQUENCE)))


def general_name(tag: int, contents: bytes) -> str:
    """Return a GeneralName with its kind."""
    if tag == der.context(0, constructed=True):
        return _other_name(der.Reader(contents))
    if tag == der.context(4, constructed=True):
        return tr("Name: {name}").format(name=read_name(der.Reader(contents)).rfc4514)
    if tag == der.context(7, constructed=False):
        return tr("IP address: {address}").format(address=_address(contents))
    if tag == der.context(8, constructed=False):
        return der.oid(contents)
    kinds = {1: "e-mail", 2: "DNS", 6: "URI"}
    if tag & 0xE0 != 0x80 or tag & 0x1F not in kinds:
        return contents.hex(" ").upper()
    return f"{kinds[tag & 0x1F]}: {der.text(0x16, contents)}"


def _address(contents: bytes) -> str:
    if len(contents) not in (4, 16):
        return contents.hex(" ").upper()
    return str(ipaddress.ip_address(contents))


def _other_name(reader: der.Reader) -> str:
    kind, value = der.oid(reader.read(der.OID)), reader.enter(der.context(0, constructed=True))
    tag, contents = value.any()
    if kind == SID and tag == der.OCTET_STRING:
        return f"SID: {der.text(der.UTF8_STRING, contents)}"
    shown = der.text(tag, contents) if kind == UPN else contents.hex(" ").upper()
    return f"UPN: {shown}" if kind == UPN else f"{kind}: {shown}"


def _sid(reader: der.Reader) -> str:
    return read_sid(reader)


def _authority_key(reader: der.Reader) -> str:
    lines: list[str] = []
    for tag, contents in _each(reader.enter(der.SEQUENCE)):
        if tag == der.context(1, constructed=True):
            lines += [general_name(*each) for each in _each(der.Reader(contents))]
        else:
            lines.append(contents.hex(" ").upper())
    return "\n".join(lines)


def _distribution_points(reader: der.Reader) -> str:
    lines: list[str] = []
    for each in _each(reader.enter(der.SEQUENCE)):
        for tag, contents in _each(_sequence(*each)):
            lines.append(_point_name(contents) if tag == der.context(0, constructed=True) else _rest(contents))
    return "\n".join(lines)


def _point_name(contents: bytes) -> str:
    tag, names = der.Reader(contents).any()
    if tag != der.context(0, constructed=True):
        return _rest(contents)
    return "\n".join(general_name(*each) for each in _each(der.Reader(names)))


def _rest(contents: bytes) -> str:
    return contents.hex(" ").upper()


def _access(reader: der.Reader) -> str:
    lines: list[str] = []
    for each in _each(reader.enter(der.SEQUENCE)):
        description = _sequence(*each)
        method = oids.algorithm_name(der.oid(description.read(der.OID)))
        lines.append(f"{method}: {general_name(*description.any())}")
    return "\n".join(lines)


def _statements(reader: der.Reader) -> str:
    return "\n".join(der.oid(_sequence(*each).read(der.OID)) for each in _each(reader.enter(der.SEQUENCE)))


def _number(reader: der.Reader) -> str:
    return str(der.integer(reader.read(der.INTEGER), max_octets=4))


DECODERS: Final[dict[str, Callable[[der.Reader], str]]] = {
    "2.5.29.14": _octets,
    "2.5.29.15": _key_usage,
    "2.5.29.17": _general_names,
    "2.5.29.18": _general_names,
    "2.5.29.19": _basic_constraints,
    "2.5.29.31": _distribution_points,
    "2.5.29.32": _policies,
    "2.5.29.35": _authority_key,
    "2.5.29.37": _purposes,
    "2.5.29.46": _distribution_points,
    "2.5.29.54": _number,
    "1.3.6.1.5.5.7.1.1": _access,
    "1.3.6.1.5.5.7.1.3": _statements,
    "1.3.6.1.5.5.7.1.11": _access,
    "1.3.6.1.5.5.7.48.1.5": _nothing,
    "1.3.6.1.4.1.311.20.2": _text,
    "1.3.6.1.4.1.311.21.10": _application_policies,
    SID_EXTENSION: _sid,
    "1.2.752.34.2.1": _text,
}
"""How an extension's value becomes text, by OID."""
