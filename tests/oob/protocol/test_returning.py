# SPDX-License-Identifier: EUPL-1.2
"""The way back to the browser (protocol section B13)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, sha256_b64u
from sithsapp.oob.protocol.order import Order
from sithsapp.oob.protocol.returning import check_return_url, is_origin, origin_of, return_address
from sithsapp.oob.protocol.secret import Secret
from tests.oob.protocol.vectors import RETURN_URL, tv3_order


def _order_for(url: str) -> Order:
    return msgspec.structs.replace(tv3_order(), ret_s256=sha256_b64u(url))


def _refusal(url: str, order: Order, environment: str = "test") -> str:
    with pytest.raises(SithsError) as caught:
        check_return_url(url, order, environment=environment)
    assert caught.value.failure is Failure.RETURN_ADDRESS_REFUSED
    assert "example" not in str(caught.value)
    return caught.value.detail


def test_the_signed_address_passes() -> None:
    check_return_url(RETURN_URL, tv3_order(), environment="production")


def test_any_other_address_is_refused() -> None:
    assert "signed" in _refusal(RETURN_URL + "d", tv3_order())
    assert "signed" in _refusal(RETURN_URL, msgspec.structs.replace(tv3_order(), ret_s256=None))


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.org/r",
        "https://idp.example.org.evil.example/r",
        "https://evil.example/r",
        "https://evil.example/https://idp.example.org",
        "https://idp.example.org@evil.example/r",
        "https://user:pass@idp.example.org/r",
        "https://idp.example.org:8443/r",
        "https://idp.example.org\\@evil.example/r",
        "https:\\\\idp.example.org/r",
        "https:/idp.example.org/r",
        "//idp.example.org/r",
        "javascript:alert(1)//https://idp.example.org",
        "file:///etc/passwd",
        "https://IDP.example.org/r",
        "https://idp.ex\u0430mple.org/r",
        "https://idp.example.org/r#x",
        "https://idp.example.org/r?a=b c",
        "https://idp.example.org/r\n",
        " https://idp.example.org/r",
        "https://idp.example.org/r?oob_verifier=x",
        "https://idp.example.org/r?x=\u00e5",
        'https://idp.example.org/"&calc.exe',
        "https://idp.example.org/" + "a" * 2048,
        "--help",
        "",
    ],
)
def test_addresses_that_even_a_signed_order_does_not_open(url: str) -> None:
    _refusal(url, _order_for(url), environment="demo")


def test_localhost_is_for_the_demo() -> None:
    url = "http://localhost:8080/return?n=1"
    order = _order_for(url)
    order = msgspec.structs.replace(order, rp=msgspec.structs.replace(order.rp, origin="http://localhost:8080"))
    check_return_url(url, order, environment="demo")
    assert "https" in _refusal(url, order, environment="test")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example:443/x", "https://a.example"),
        ("https://a.example", "https://a.example"),
        ("https://a.example?x", "https://a.example"),
        ("https://a.example:8443/x", "https://a.example:8443"),
    ],
)
def test_origins_have_no_default_port(url: str, origin: str) -> None:
    assert origin_of(url, environment="production") == origin


def test_is_origin() -> None:
    assert is_origin("https://a.example", environment="production")
    assert not is_origin("https://a.example/", environment="production")
    assert not is_origin("https://a.example:443", environment="production")
    assert not is_origin("a.example", environment="production")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://a/r", "https://a/r?oob_verifier=V"),
        ("https://a/r?n=1", "https://a/r?n=1&oob_verifier=V"),
    ],
)
def test_the_verifier_is_appended(url: str, address: str) -> None:
    assert return_address(url, Secret("V")) == address


@given(st.text(max_size=60) | st.text("htps:/.@\\#?a1", max_size=40))
def test_origin_of_fails_in_one_way_only(url: str) -> None:
    try:
        origin = origin_of(url, environment="demo")
    except Malformed:
        return
    assert is_origin(origin, environment="demo")
