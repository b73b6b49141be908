# SPDX-License-Identifier: EUPL-1.2
"""QR frames (protocol section B3)."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol import qr
from sithsapp.oob.protocol.encoding import b32

SECRET = bytes(range(32))
TOKEN = b32(bytes(range(0x40, 0x50)))
TV1 = "SITHS:Q/1/DEMO/IBAUEQ2EIVDEOSCJJJFUYTKOJ4/0/MWY4XDIC2D42DZFZLOCJCCH3IE"
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_vector_tv0_of_a_third_party() -> None:
    secret = b"d28db9a7-4cde-429e-a983-359be676944c"
    expected = "dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"
    assert hmac.new(secret, b"0", hashlib.sha256).hexdigest() == expected


def test_vector_tv1() -> None:
    assert qr.format_frame("siths", SECRET, "demo", TOKEN, 0) == TV1
    assert qr.make_mac(SECRET, "DEMO", TOKEN, 1) == "UNQ75GCIEYXCM4QPLCE6BXAPFE"
    assert qr.make_mac(SECRET, "demo", TOKEN, 59) == "65BG3443L3OUIEKABGTVWGBXB4"
    assert set(TV1) <= ALPHANUMERIC


def test_a_frame_is_read_and_verifies() -> None:
    frame = qr.parse_frame("siths", TV1)
    assert (frame.service, frame.token.reveal(), frame.t) == ("demo", TOKEN, 0)
    assert qr.verify_mac(SECRET, frame.service, frame.token.reveal(), frame.t, frame.mac.reveal())
    assert TOKEN not in repr(frame)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TV1.lower(),
        TV1.replace("SITHS", "BANKID"),
        TV1.replace("/1/", "/2/"),
        TV1.replace("/0/", "/00/"),
        TV1.replace("/0/", "/01/"),
        TV1.replace("/0/", "/-1/"),
        TV1.replace("/0/", "//"),
        TV1.replace("/0/", "/1000000/"),
        TV1.replace("/0/", "/\u0660/"),
        TV1[:-1],
        f"{TV1}A",
        f"{TV1}\n",
        f" {TV1}",
        TV1[:-1] + "F",
        TV1.replace("DEMO", "DEM\u00d6"),
        TV1.replace("DEMO", "ABCDEFGHIJKLM"),
        "A" * 5000,
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(SithsError) as caught:
        qr.parse_frame("siths", text)
    assert caught.value.failure is Failure.BAD_LINK
    assert TOKEN not in str(caught.value)


@given(st.text(max_size=130) | st.text("SITHS:Q/1DEMO0A", max_size=90))
def test_nothing_but_the_catalogued_failure_escapes(text: str) -> None:
    with pytest.raises(SithsError):
        qr.parse_frame("siths", text)


@pytest.mark.parametrize("mac", ["", "MWY4XDIC2D42DZFZLOCJCCH3I", "mwy4xdic2d42dzfzlocjcch3ie", "Å" * 26])
def test_a_wrong_mac_does_not_verify(mac: str) -> None:
    assert not qr.verify_mac(SECRET, "demo", TOKEN, 0, mac)


def test_the_mac_covers_service_token_and_time() -> None:
    mac = qr.make_mac(SECRET, "demo", TOKEN, 5)
    assert not qr.verify_mac(SECRET, "demo2", TOKEN, 5, mac)
    assert not qr.verify_mac(SECRET, "demo", TOKEN[::-1], 5, mac)
    assert not qr.verify_mac(SECRET, "demo", TOKEN, 6, mac)
    assert not qr.verify_mac(bytes(32), "demo", TOKEN, 5, mac)
    assert not qr.verify_mac(SECRET, "demo", "\u00c5" * 26, 5, mac)


def test_freshness() -> None:
    assert [t for t in range(40) if qr.is_fresh(t, 20)] == [15, 16, 17, 18, 19, 20, 21]
