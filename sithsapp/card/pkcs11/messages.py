# SPDX-License-Identifier: EUPL-1.2
"""What goes over the pipe between the app and the process with a module: frames, bounded and strict both ways.

A frame is a length (4 bytes, big-endian) and that many bytes. A request is one frame of msgpack and, for each code
that it needs, one raw frame, so that a code is never part of an object that cannot be wiped. An answer is one frame.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta, Struct

from sithsapp.card.pin import MAX_PIN_LENGTH

MAX_REQUEST: Final = 4 * 1024
MAX_ANSWER: Final = 1024 * 1024
MAX_TOKENS: Final = 32
MAX_OBJECTS: Final = 32
MAX_CERTIFICATE: Final = 16 * 1024
_LENGTH: Final = struct.Struct(">I")

SlotNumber = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Serial = Annotated[bytes, Meta(max_length=16)]
ObjectId = Annotated[bytes, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=64)]


class Padding(Enum):
    """How a digest is signed: PKCS#1 v1.5 over a DigestInfo, PSS, or ECDSA."""

    PKCS1 = "pkcs1"
    PSS = "pss"
    ECDSA = "ecdsa"


class HashName(Enum):
    """The hash that made the digest."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class _Message(Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of all messages: the name of the class is its tag."""


class Look(_Message, frozen=True):
    """Return which tokens are there now; no object is read."""


class Read(_Message, frozen=True):
    """Return the certificates and keys that a token shows without a log-in."""

    slot: SlotNumber
    serial: Serial


class Sign(_Message, frozen=True):
    """Log in with the one code that follows, sign, log out."""

    slot: SlotNumber
    serial: Serial
    key: ObjectId
    padding: Padding
    hash_name: HashName
    digest: Annotated[bytes, Meta(min_length=32, max_length=64)]


class ChangePin(_Message, frozen=True):
    """Replace the first code that follows with the second, without a log-in, which would send the first one twice."""

    slot: SlotNumber
    serial: Serial


class Unblock(_Message, frozen=True):
    """Log in as security officer with the first code that follows, set the second as the person's, log out."""

    slot: SlotNumber
    serial: Serial


class DeleteCertificate(_Message, frozen=True):
    """Log in with the one code that follows, delete the certificate with that SHA-256 digest, log out."""

    slot: SlotNumber
    serial: Serial
    digest: Annotated[bytes, Meta(min_length=32, max_length=32)]


Request = Look | Read | Sign | ChangePin | Unblock | DeleteCertificate


class Token(Struct, frozen=True, forbid_unknown_fields=True):
    """One token: `description` names its slot; the flags are those of CK_SLOT_INFO and CK_TOKEN_INFO.

    `final_try` and `locked` speak of the person's code (CKF_USER_PIN_*), `so_*` of the security officer's.
    """

    slot: SlotNumber
    description: Text
    removable: bool
    label: Text
    serial: Serial
    manufacturer: Text
    model: Text
    final_try: bool
    locked: bool
    to_be_changed: bool
    so_final_try: bool
    so_locked: bool
    write_protected: bool = False


class StoredCertificate(Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate on a token: CKA_ID and the DER."""

    id: ObjectId
    value: Annotated[bytes, Meta(min_length=1, max_length=MAX_CERTIFICATE)]


class Tokens(_Message, frozen=True):
    """The answer to `Look`."""

    tokens: Annotated[tuple[Token, ...], Meta(max_length=MAX_TOKENS)]


class Contents(_Message, frozen=True):
    """The answer to `Read`. `keys` are the CKA_IDs of key objects that show before a log-in, maybe none."""

    certificates: Annotated[tuple[StoredCertificate, ...], Meta(max_length=MAX_OBJECTS)]
    keys: Annotated[frozenset[ObjectId], Meta(max_length=2 * MAX_OBJECTS)]
    paddings: frozenset[Padding]


class Done(_Message, frozen=True):
    """The answer to requests with codes: the signature, or nothing."""

    signature: Annotated[bytes, Meta(max_length=1024)] = b""


class Failed(_Message, frozen=True):
    """Any other answer. `reason` names what the module returned; `logged_in`: after the code was accepted."""

    reason: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,40}$(?!\n)")]
    logged_in: bool = False


Answer = Tokens | Contents | Done | Failed

CODES: Final[dict[type[Request], int]] = {Sign: 1, ChangePin: 2, Unblock: 2, DeleteCertificate: 1}
"""How many codes follow a request."""

_requests: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(Request)
_answers: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)
_encoder: Final = msgspec.msgpack.Encoder()
_NO_MESSAGE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What the decoder raises: it lets text that is no UTF-8 through to Python's own exception."""


class ProtocolError(Exception):
    """The other side sent something that is no message, or ended."""


class Source(Protocol):
    """The reading end of a pipe, unbuffered."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill a part of the buffer."""


class Sink(Protocol):
    """The writing end of a pipe, unbuffered."""

    def write(self, data: memoryview, /) -> int | None:
        """Write a part of the data."""


def send_request(sink: Sink, request: Request, codes: tuple[bytearray, ...]) -> None:
    """Send a request and the codes that it needs, straight from their buffers."""
    _send(sink, bytearray(_encoder.encode(request)))
    for code in codes:
        _send(sink, code)


def receive_request(source: Source) -> tuple[Request, tuple[bytearray, ...]]:
    """Receive a request and its codes; raises `ProtocolError`."""
    try:
        request = _requests.decode(_receive(source, MAX_REQUEST))
    except _NO_MESSAGE as error:
        raise ProtocolError(str(error)) from None
    return request, tuple(_receive(source, MAX_PIN_LENGTH) for _ in range(CODES.get(type(request), 0)))


def send_answer(sink: Sink, answer: Answer) -> None:
    """Send an answer."""
    _send(sink, bytearray(_encoder.encode(answer)))


def receive_answer(source: Source) -> Answer:
    """Receive an answer; raises `ProtocolError`."""
    try:
        return _answers.decode(_receive(source, MAX_ANSWER))
    except _NO_MESSAGE as error:
        raise ProtocolError(str(error)) from None


def _send(sink: Sink, content: bytearray) -> None:
    for part in (memoryview(_LENGTH.pack(len(content))), memoryview(content)):
        while part:
            part = part[sink.write(part) or 0 :]


def _receive(source: Source, longest: int) -> bytearray:
    (length,) = _LENGTH.unpack(_receive_exactly(source, _LENGTH.size))
    if not 1 <= length <= longest:
        raise ProtocolError(f"a frame of {length} bytes")
    return _receive_exactly(source, length)


def _receive_exactly(source: Source, length: int) -> bytearray:
    content = bytearray(length)
    with memoryview(content) as rest:
        filled = 0
        while filled < length:
            count = source.readinto(rest[filled:])
            if not count:
                raise ProtocolError("the pipe ended")
            filled += count
    return content
