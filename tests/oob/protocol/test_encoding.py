# SPDX-License-Identifier: EUPL-1.2
"""Strict encodings."""

from __future__ import annotations

import json
import time

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from sithsapp.oob.protocol import encoding
from sithsapp.oob.protocol.encoding import Malformed

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=70))
def test_base64url_and_base32_round_trip(data: bytes) -> None:
    assert encoding.b64u_decode(encoding.b64u(data), length=len(data)) == data
    assert encoding.b32_decode(encoding.b32(data), length=len(data)) == data


@pytest.mark.parametrize("text", ["AA==", "AA=", "A", "A+AA", "A/AA", "AB", "AA\n", " AA", "ÅA", "AAAAA"])
def test_base64url_refuses_what_is_not_canonical(text: str) -> None:
    with pytest.raises(Malformed):
        encoding.b64u_decode(text)


@pytest.mark.parametrize("text", ["aa", "AA======", "A", "AB", "A1", "AA\n", "AAA"])
def test_base32_refuses_what_is_not_canonical(text: str) -> None:
    with pytest.raises(Malformed):
        encoding.b32_decode(text)


@pytest.mark.parametrize("text", ["AA", "AA-_", "AB==", "AA==\n", "A A=", "ÅA=="])
def test_base64_refuses_what_is_not_canonical(text: str) -> None:
    with pytest.raises(Malformed):
        encoding.b64_decode(text)


def test_length_is_exact() -> None:
    with pytest.raises(Malformed):
        encoding.b64u_decode(encoding.b64u(bytes(31)), length=32)
    with pytest.raises(Malformed):
        encoding.b32_decode(encoding.b32(bytes(17)), length=16)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        '{"a":"å"}'.encode("utf-16"),
        b"{} {}",
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":"\n"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000,
    ],
)
def test_json_refuses(data: bytes) -> None:
    with pytest.raises(Malformed):
        encoding.parse_json(data)


def test_json_is_bounded_in_size() -> None:
    with pytest.raises(Malformed):
        encoding.parse_json(b'"' + b"a" * encoding.MAX_BODY + b'"')
    with pytest.raises(Malformed):
        encoding.parse_json(b" " * 10 * 1024 * 1024)


def test_brackets_in_strings_are_not_nesting() -> None:
    deep = '"' + "[{" * 100 + '\\"' + '"'
    assert encoding.parse_json(f'{{"a":{deep}}}'.encode()) == {"a": "[{" * 100 + '"'}


@pytest.mark.parametrize("data", [b'"\\' * 130_000, b'"\\"' * 87_000, b"[" * 260_000, b'"' * 260_001])
def test_hostile_quotes_take_linear_time(data: bytes) -> None:
    begin = time.process_time()
    with pytest.raises(Malformed):
        encoding.parse_json(data)
    assert time.process_time() - begin < 2


@given(st.binary(max_size=60) | _TEXT.map(str.encode))
def test_json_fails_in_one_way_only(data: bytes) -> None:
    try:
        value = encoding.parse_json(data)
    except Malformed:
        return
    assert value == json.loads(data)


@settings(deadline=None)
@given(_VALUES)
def test_jcs_agrees_with_a_second_implementation(value: object) -> None:
    ours = encoding.jcs(value)
    assert ours == rfc8785.dumps(value)  # type: ignore[arg-type]  # the strategy makes JSON values
    assert encoding.parse_json(ours) == value


def test_jcs_sorts_by_utf16_code_units() -> None:
    # RFC 8785 section 3.2.3: the emoji is a surrogate pair and comes before U+FB33.
    assert encoding.jcs({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize("value", [1.5, {1: 2}.keys(), b"x", {"a": 2**53}, {"a": "\ud800"}, object()])
def test_jcs_refuses_what_has_no_canonical_form(value: object) -> None:
    with pytest.raises(Malformed):
        encoding.jcs(value)


def test_jcs_refuses_member_names_that_are_not_text() -> None:
    with pytest.raises(Malformed):
        encoding.jcs({1: 2})


def test_equal() -> None:
    assert encoding.equal("å", "å".encode())
    assert not encoding.equal("a", "b")
    assert not encoding.equal("a", "ab")
