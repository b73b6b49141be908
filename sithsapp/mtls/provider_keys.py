# SPDX-License-Identifier: EUPL-1.2
"""What the provider answers about a key: decoder for our PEM, and key management.

These functions are called by the TLS library; `provider` keeps what they raise from it. The decoder runs for
every PEM that this process parses as a key, so it looks at the first line and gives way.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, byref, c_char_p, c_int, c_size_t, c_void_p
from typing import Any, Final

from sithsapp.mtls import params
from sithsapp.mtls.key_registry import HANDLE_LENGTH, KEYS, PEM_BEGIN, RegisteredKey
from sithsapp.mtls.openssl import Operation
from sithsapp.mtls.params import ParamList, ParamNames
from sithsapp.mtls.public_key import EcPublicKey, RsaPublicKey

CARRY_ON: Final = 1
_OBJECT_IS_KEY = 2
_PRIVATE = 0x01
_PUBLIC = 0x02
_DOMAIN = 0x04
_MOST_PEM = len(PEM_BEGIN) + HANDLE_LENGTH

ParamCallback = CFUNCTYPE(c_int, c_void_p, c_void_p)
"""OSSL_CALLBACK: takes a list of parameters and its own argument."""

BioRead = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, c_void_p)
"""OSSL_FUNC_BIO_read_ex."""

KEY_TYPES: Final[dict[str, type[RsaPublicKey] | type[EcPublicKey]]] = {"RSA": RsaPublicKey, "EC": EcPublicKey}
SIGNATURE_NAMES: Final = {"RSA": b"RSA", "EC": b"ECDSA"}

_GETTABLE: Final = {
    "RSA": ParamNames({b"bits": int, b"security-bits": int, b"max-size": int, b"n": int, b"e": int}),
    "EC": ParamNames({b"bits": int, b"security-bits": int, b"max-size": int, b"group": str, b"pub": bytes}),
}
_PUBLIC_PARAMS: Final = {
    "RSA": ParamNames({b"n": int, b"e": int}),
    "EC": ParamNames({b"group": str, b"pub": bytes}),
}
_SIGNATURE_NAME_BUFFERS: Final = {name: c_char_p(value) for name, value in SIGNATURE_NAMES.items()}


def decoder(kind: str, bio_read: Callable[..., int]) -> Callable[..., int]:
    """Return the function that recognises our PEM for keys of `kind` and hands over a reference to the key."""

    def decode(_ctx: Any, bio: Any, _selection: int, found: int, argument: Any, *_password: Any) -> int:
        key = KEYS.with_handle(_read_handle(bio, bio_read))
        if key is None or not isinstance(key.public, KEY_TYPES[kind]):
            return CARRY_ON
        reference = key.number.to_bytes(8, "big")
        answer = ParamList({b"type": _OBJECT_IS_KEY, b"data-type": kind, b"reference": reference})
        return int(ParamCallback(found)(answer.address, argument))

    return decode


def _read_handle(bio: int | None, bio_read: Callable[..., int]) -> bytes:
    buffer = ctypes.create_string_buffer(_MOST_PEM)
    length, content = c_size_t(), b""
    while len(content) < _MOST_PEM and bio_read(bio, buffer, _MOST_PEM - len(content), byref(length)):
        if not length.value:
            break
        content += buffer.raw[: length.value]
        if not content.startswith(PEM_BEGIN[: len(content)]):
            return b""
    return content[len(PEM_BEGIN) :]


def load(reference: int | None, size: int) -> int | None:
    """Return the key data that a reference names: the key's number in the place of a pointer."""
    if reference is None or size != 8:
        return None
    number = int.from_bytes(ctypes.string_at(reference, size), "big")
    return number if KEYS.numbered(number) is not None else None


def has(number: int | None, _selection: int) -> int:
    """Tell whether the key is there; it always has both halves."""
    return int(KEYS.numbered(number) is not None)


def get_params(number: int | None, wanted: int | None) -> int:
    """Fill in what the TLS library asks of a key."""
    key = KEYS.numbered(number)
    if key is None:
        return 0
    known = facts(key)
    return int(all(params.answer(p, known[p.key]) for p in params.listed(wanted) if p.key in known))


def facts(key: RegisteredKey) -> dict[bytes, params.Value]:
    """Return all that may be known of a key."""
    public = key.public
    if isinstance(public, RsaPublicKey):
        strength = 112 if public.bits < 3072 else 128 if public.bits < 4096 else 152
        own: dict[bytes, params.Value] = {b"n": public.modulus, b"e": public.exponent}
        longest = (public.bits + 7) // 8
    else:
        strength, own = public.bits // 2, {b"group": public.curve, b"pub": public.point}
        longest = 2 * (public.bits // 8 + 3) + (2 if public.bits < 480 else 3)
    return own | {b"bits": public.bits, b"security-bits": strength, b"max-size": longest, b"default-digest": "SHA256"}


def export(number: int | None, selection: int, take: int, argument: Any) -> int:
    """Give out the public half; with it the certificate is matched to the key. There is no private half to give."""
    key = KEYS.numbered(number)
    if key is None or selection & _PRIVATE:
        return 0
    kind = "RSA" if isinstance(key.public, RsaPublicKey) else "EC"
    names = (b"n", b"e") if kind == "RSA" else (b"group", b"pub")
    known = facts(key)
    answer = ParamList({name: known[name] for name in names})
    return int(ParamCallback(take)(answer.address, argument))


def export_types(kind: str) -> Callable[[int], int | None]:
    """Return the function that tells which parameters `export` gives for a selection."""

    def types(selection: int) -> int | None:
        return _PUBLIC_PARAMS[kind].address if selection & (_PUBLIC | _DOMAIN) else None

    return types


def gettable(kind: str) -> Callable[[Any], int]:
    """Return the function that lists what `get_params` knows."""
    return lambda _provider: _GETTABLE[kind].address


def operation_name(kind: str) -> Callable[[int], int | None]:
    """Return the function that tells which signature algorithm goes with the key."""

    def name(operation: int) -> int | None:
        if operation != Operation.SIGNATURE:
            return None
        return ctypes.cast(_SIGNATURE_NAME_BUFFERS[kind], c_void_p).value

    return name
