# SPDX-License-Identifier: EUPL-1.2
"""Both ends of the pipe take nothing that is not exactly right."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.card.pkcs11.messages import (
    MAX_ANSWER,
    MAX_REQUEST,
    ChangePin,
    Contents,
    Done,
    Failed,
    HashName,
    Look,
    Padding,
    ProtocolError,
    Sign,
    StoredCertificate,
    Tokens,
    receive_answer,
    receive_request,
    send_answer,
    send_request,
)

SIGN = Sign(7, b"serial", b"\x01", Padding.PSS, HashName.SHA256, bytes(32))


def frame(content: bytes) -> io.BytesIO:
    return io.BytesIO(struct.pack(">I", len(content)) + content)


def test_requests_travel_with_their_codes() -> None:
    pipe = io.BytesIO()
    send_request(pipe, SIGN, (bytearray(b"123456"),))
    send_request(pipe, ChangePin(7, b"serial"), (bytearray(b"123456"), bytearray(b"654321")))
    send_request(pipe, Look(), ())
    pipe.seek(0)
    assert receive_request(pipe) == (SIGN, (bytearray(b"123456"),))
    assert receive_request(pipe)[1] == (bytearray(b"123456"), bytearray(b"654321"))
    assert receive_request(pipe) == (Look(), ())
    with pytest.raises(ProtocolError):
        receive_request(pipe)


def test_a_text_that_is_no_utf_8_is_no_message() -> None:
    encoded = msgspec.msgpack.encode(Failed("PinIncorrect")).replace(b"PinIncorrect", b"PinIncorrec\xff")
    with pytest.raises(ProtocolError):
        receive_answer(frame(encoded))
    with pytest.raises(ProtocolError):
        receive_request(frame(encoded))


@pytest.mark.parametrize("answer", [Tokens(()), Done(b"s" * 256), Failed("PinIncorrect", logged_in=True)])
def test_answers_travel(answer: Tokens | Done | Failed) -> None:
    pipe = io.BytesIO()
    send_answer(pipe, answer)
    pipe.seek(0)
    assert receive_answer(pipe) == answer


def test_a_pipe_that_gives_and_takes_one_byte_at_a_time(tmp_path: Path) -> None:
    class Slow(io.BytesIO):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than any buffer
            return super().readinto(buffer[:1])

        def write(self, data: memoryview) -> int:  # type: ignore[override]  # as above
            return super().write(data[:1])

    pipe = Slow()
    send_request(pipe, SIGN, (bytearray(b"123456"),))
    pipe.seek(0)
    assert receive_request(pipe) == (SIGN, (bytearray(b"123456"),))


@pytest.mark.parametrize("longest", [MAX_REQUEST, MAX_ANSWER])
def test_lengths_are_bounded_before_anything_is_read(longest: int) -> None:
    pipe = io.BytesIO(struct.pack(">I", longest + 1))
    with pytest.raises(ProtocolError, match="a frame of"):
        (receive_request if longest == MAX_REQUEST else receive_answer)(pipe)


def test_codes_are_bounded() -> None:
    for length in (0, 17):
        pipe = io.BytesIO()
        send_request(pipe, SIGN, (bytearray(length),))
        pipe.seek(0)
        with pytest.raises(ProtocolError):
            receive_request(pipe)


@pytest.mark.parametrize(
    "answer",
    [
        Done(b"s" * 1025),
        Failed("x" * 41),
        Failed("a name"),
        Failed("Name\n"),
        Contents((StoredCertificate(b"", b"c" * 16385),), frozenset(), frozenset()),
        Contents((StoredCertificate(b"", b"c"),) * 33, frozenset(), frozenset()),
        Contents((StoredCertificate(b"i" * 257, b"c"),), frozenset(), frozenset()),
    ],
)
def test_values_are_bounded(answer: Done | Failed | Contents) -> None:
    with pytest.raises(ProtocolError):
        receive_answer(frame(msgspec.msgpack.encode(answer)))


def test_unknown_members_are_refused() -> None:
    content = {"type": "Done", "signature": b"", "more": 1}
    with pytest.raises(ProtocolError):
        receive_answer(frame(msgspec.msgpack.encode(content)))


@given(st.binary(max_size=200))
def test_garbage_is_garbage(content: bytes) -> None:
    for receive in (receive_request, receive_answer):
        try:
            receive(io.BytesIO(content))
        except ProtocolError:
            continue
