# SPDX-License-Identifier: EUPL-1.2
"""Launch links (protocol section B2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.launch import LaunchUrl, format_launch_url, parse_launch_url
from sithsapp.oob.protocol.secret import Secret

TOKEN = "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8"
TV2 = f"siths:start?v=1&s=demo&t={TOKEN}"
LAUNCH = LaunchUrl("demo", Secret(TOKEN))


def test_vector_tv2() -> None:
    assert b64u(bytes(range(0x80, 0xA0))) == TOKEN
    assert format_launch_url("siths", LAUNCH) == TV2
    assert parse_launch_url("siths", TV2) == LAUNCH


@pytest.mark.parametrize(
    "text",
    [
        f"siths://start?v=1&s=demo&t={TOKEN}",
        f"siths:///start?v=1&s=demo&t={TOKEN}",
        f"siths://start/?v=1&s=demo&t={TOKEN}",
        f"siths:start?t={TOKEN}&s=demo&v=1",
        f"{TV2}/",
    ],
)
def test_rewritten_forms_are_the_same_link(text: str) -> None:
    assert parse_launch_url("siths", text) == LAUNCH


REFUSED = [
    "",
    "siths",
    "siths:",
    "--url",
    "-psn_0_12345",
    f"--x={TV2}",
    f" {TV2}",
    f"{TV2} ",
    f"{TV2}\n",
    f"{TV2}\0",
    TV2.upper(),
    TV2.replace("siths", "Siths"),
    TV2.replace("siths", "bankid"),
    TV2.replace("start", "stop"),
    TV2.replace("start", "start//"),
    TV2.replace("siths:", "siths:/"),
    TV2.replace("siths:", "siths:////"),
    TV2.replace("start?", "start/?") + "/",
    f"{TV2}//",
    TV2.replace("siths:start", "siths://user@start"),
    TV2.replace("siths:start", "siths://start:80"),
    TV2.replace("siths:start", "siths://evil.example/start"),
    TV2.replace("v=1", "v=2"),
    TV2.replace("v=1&", ""),
    TV2.replace("&s=demo", ""),
    TV2.replace(f"&t={TOKEN}", ""),
    f"{TV2}&t={TOKEN}",
    f"{TV2}&x=1",
    f"{TV2}&",
    TV2.replace("?", "?&"),
    TV2.replace("&t=", "&%74="),
    f"{TV2}#x",
    f"{TV2}%00",
    TV2.replace("s=demo", "s=Demo"),
    TV2.replace("s=demo", "s="),
    TV2.replace("s=demo", "s=abcdefghijklm"),
    TV2.replace("s=demo", "s=de-mo"),
    TV2.replace("s=demo", "s=dem\u00f6"),
    TV2.replace("v=1", "v=\u0661"),
    TV2[:-1],
    f"{TV2}A",
    TV2[:-1] + "9",
    TV2[:-1] + "=",
    TV2[:-1] + "+",
    TV2 + "A" * (513 - len(TV2)),
    f"siths:start?redirect=https://evil.example&v=1&s=demo&t={TOKEN}",
]


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(SithsError) as caught:
        parse_launch_url("siths", text)
    assert caught.value.failure is Failure.BAD_LINK


@pytest.mark.parametrize("text", [f"{TV2}&x=1", f"{TV2}A", TV2.replace("v=1", "v=2"), TV2.upper()])
def test_the_token_is_not_in_the_failure(text: str) -> None:
    with pytest.raises(SithsError) as caught:
        parse_launch_url("siths", text)
    assert TOKEN[:8] not in str(caught.value)
    assert TOKEN[:8].upper() not in str(caught.value)
    assert caught.value.__cause__ is None
    assert TOKEN not in repr(LAUNCH)


@given(st.text(max_size=600) | st.text("siths:/?tarv=1&demoT-_%#", max_size=100))
def test_nothing_but_the_catalogued_failure_escapes(text: str) -> None:
    with pytest.raises(SithsError):
        parse_launch_url("siths", text)


@given(st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True), st.binary(min_size=32, max_size=32))
def test_round_trip(service: str, token: bytes) -> None:
    launch = LaunchUrl(service, Secret(b64u(token)))
    assert parse_launch_url("x-siths", format_launch_url("x-siths", launch)) == launch


@given(st.integers(0, len(TV2) - 1), st.characters(max_codepoint=0x2FF))
def test_one_changed_sign_gives_another_link_or_none(position: int, sign: str) -> None:
    changed = TV2[:position] + sign + TV2[position + 1 :]
    try:
        launch = parse_launch_url("siths", changed)
    except SithsError:
        return
    assert format_launch_url("siths", launch) == changed
