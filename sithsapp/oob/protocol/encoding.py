# SPDX-License-Identifier: EUPL-1.2
"""Strict encodings: base64url, base32, JSON, JCS (RFC 8785) and digests (protocol section B)."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn

MAX_BODY: Final = 256 * 1024
"""Largest JSON text that either side reads, in bytes (section B15)."""

MAX_DEPTH: Final = 16
"""Deepest nesting of arrays and objects that either side reads."""

_MAX_SAFE_INTEGER: Final = 2**53 - 1
# Also takes a string that never ends, so that hostile input is scanned once and not once per quote.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_BASE32 = re.compile(r"[A-Z2-7]*")


class Malformed(ValueError):
    """Input is not in the strict form. The message never holds the input."""


def b64u(data: bytes) -> str:
    """Encode to base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64u_decode(text: str, *, length: int | None = None) -> bytes:
    """Decode unpadded, canonical base64url.

    `length` is the exact number of octets wanted. Raises `Malformed`.
    """
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise Malformed("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64u(data) != text:
        raise Malformed("base64url is not canonical")
    if length is not None and len(data) != length:
        raise Malformed("wrong number of octets")
    return data


def b64_decode(text: str) -> bytes:
    """Decode ordinary padded base64, as `x5c` members use (RFC 7515 section 4.1.6). Raises `Malformed`."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed("not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Malformed("base64 is not canonical")
    return data


def b32(data: bytes) -> str:
    """Encode to upper case base32 without padding (RFC 4648 section 6)."""
    return base64.b32encode(data).rstrip(b"=").decode("ascii")


def b32_decode(text: str, *, length: int | None = None) -> bytes:
    """Decode unpadded, canonical, upper case base32. `length` as in `b64u_decode`. Raises `Malformed`."""
    if not _BASE32.fullmatch(text) or len(text) % 8 in (1, 3, 6):
        raise Malformed("not base32")
    data = base64.b32decode(text + "=" * (-len(text) % 8))
    if b32(data) != text:
        raise Malformed("base32 is not canonical")
    if length is not None and len(data) != length:
        raise Malformed("wrong number of octets")
    return data


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 digest, 32 octets."""
    import hashlib  # it loads OpenSSL: a link is taken without, so that the window comes sooner

    return hashlib.sha256(data).digest()


def sha256_b64u(data: bytes | str) -> str:
    """Return the SHA-256 digest as 43 characters of base64url; a `str` is taken as UTF-8."""
    return b64u(sha256(data.encode() if isinstance(data, str) else data))


def equal(left: str | bytes, right: str | bytes) -> bool:
    """Compare in a time that does not tell where the two differ; `str` is taken as UTF-8."""
    one = left.encode() if isinstance(left, str) else left
    other = right.encode() if isinstance(right, str) else right
    return hmac.compare_digest(one, other)


def parse_json(data: bytes, *, max_size: int = MAX_BODY, max_depth: int = MAX_DEPTH) -> object:
    """Parse one JSON value, refusing what lenient parsers let through.

    Refused: other encodings than UTF-8, byte order marks, duplicate members, fractions, integers beyond 2**53 - 1,
    lone surrogates, more than `max_size` octets or `max_depth` levels. Raises `Malformed`.
    """
    if len(data) > max_size:
        raise Malformed("JSON is too large")
    _check_depth(data, max_depth)
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be written as UTF-8
    except Malformed:
        raise
    except ValueError:
        raise Malformed("not JSON in UTF-8") from None
    return value


def jcs(value: object) -> bytes:
    """Write `value` in the canonical form of RFC 8785.

    Takes dict, list, tuple, str, int, bool and None; numbers are integers below 2**53. Raises `Malformed`.
    """
    try:
        return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        raise Malformed("value has no canonical form") from None


def _check_depth(data: bytes, max_depth: int) -> None:
    depth = 0
    for octet in _STRING.sub(b"", data):
        if octet in b"[{":
            depth += 1
            if depth > max_depth:
                raise Malformed("JSON is nested too deeply")
        elif octet in b"]}":
            depth -= 1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("duplicate member")
    return members


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > _MAX_SAFE_INTEGER:
        raise Malformed("integer out of range")
    return int(text)


def _refuse_number(_text: str) -> NoReturn:
    raise Malformed("number is not an integer")


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in _utf16_order(value)}
    if isinstance(value, (list, tuple)):
        return [_sorted(item) for item in value]
    if isinstance(value, int) and abs(value) > _MAX_SAFE_INTEGER:
        raise Malformed("integer out of range")
    if value is None or isinstance(value, (str, int)):
        return value
    raise Malformed("value has no canonical form")


def _utf16_order(names: Iterable[object]) -> list[str]:
    return sorted(map(_member_name, names), key=lambda name: name.encode("utf-16-be"))


def _member_name(name: object) -> str:
    if not isinstance(name, str):
        raise Malformed("member name is not text")
    return name
