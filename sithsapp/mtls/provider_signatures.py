# SPDX-License-Identifier: EUPL-1.2
"""What the provider does when the TLS library wants a signature.

The state of one signature is a small piece of memory that the library asks for and frees by C functions alone, so
that nothing calls Python while the interpreter shuts down.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_int, c_size_t, c_uint64
from typing import Any, Final

from sithsapp.card.model import SignatureScheme
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import params
from sithsapp.mtls.key_registry import KEYS, RegisteredKey
from sithsapp.mtls.params import ParamNames
from sithsapp.mtls.provider_keys import facts
from sithsapp.mtls.public_key import EcPublicKey

_PKCS1 = 1
_PSS = 6
_SALT_AS_LONG_AS_DIGEST = -1
_PADDINGS: Final = {"pkcs1": _PKCS1, "pss": _PSS, _PKCS1: _PKCS1, _PSS: _PSS}
_SALTS: Final = frozenset({"digest", _SALT_AS_LONG_AS_DIGEST, "-1"})
_HASHES: Final = {"SHA256": 256, "SHA2-256": 256, "SHA384": 384, "SHA2-384": 384, "SHA512": 512, "SHA2-512": 512}

_SETTABLE: Final = ParamNames({b"digest": str, b"pad-mode": str, b"saltlen": str, b"mgf1-digest": str})


class _State(Structure):
    _fields_ = [
        ("key", c_uint64),
        ("hash_bits", c_int),
        ("padding", c_int),
    ]


_allocate = ctypes.pythonapi.PyMem_RawCalloc
_allocate.restype, _allocate.argtypes = ctypes.c_void_p, [c_size_t, c_size_t]
free_context: Final = ctypes.cast(ctypes.pythonapi.PyMem_RawFree, ctypes.c_void_p).value
"""The C function that frees a signature's state."""


def new_context(_provider: Any, _properties: Any) -> int | None:
    """Return the state of a new signature."""
    return _allocate(1, ctypes.sizeof(_State))  # type: ignore[no-any-return] # ctypes: an address or None


def begin(context: int, digest: bytes | None, number: int | None, wanted: int | None) -> int:
    """Begin a signature over a message. A hash that the key cannot sign is refused, so that TLS chooses another."""
    state, key = _State.from_address(context), KEYS.numbered(number)
    hash_bits = _HASHES.get((digest or b"SHA256").decode("ascii", "replace").upper())
    if key is None or hash_bits is None or not any(scheme.value.endswith(str(hash_bits)) for scheme in key.schemes):
        return 0
    state.key, state.hash_bits, state.padding = key.number, hash_bits, _PKCS1
    return set_params(context, wanted)


def set_params(context: int, wanted: int | None) -> int:
    """Take padding and salt length; anything that TLS does not use is refused."""
    state = _State.from_address(context)
    return int(all(_set(state, param.key, params.read(param)) for param in params.listed(wanted)))


def _set(state: _State, name: bytes, value: int | str | None) -> bool:
    if name == b"pad-mode":
        state.padding = _PADDINGS.get(value, 0) if value is not None else 0
        return bool(state.padding)
    if name == b"saltlen":
        return value in _SALTS
    if name in (b"digest", b"mgf1-digest"):
        return isinstance(value, str) and _HASHES.get(value.upper()) == state.hash_bits
    return True


def settable(*_: Any) -> int:
    """List what `set_params` takes."""
    return _SETTABLE.address


def sign(context: int, place: int | None, length: Any, room: int, message: int | None, size: int) -> int:
    """Sign a whole message. Without a place only the length is asked for, and the card is left alone."""
    state = _State.from_address(context)
    key = KEYS.numbered(state.key)
    length = ctypes.cast(length, POINTER(c_size_t))
    if key is None:
        raise SithsError(Failure.CARD_REMOVED, "the key was taken out of the registry")
    longest = facts(key)[b"max-size"]
    if place is None:
        length[0] = longest
        return 1
    signature = _signature(key, state, ctypes.string_at(message or 0, size) if size else b"")
    if not len(signature) <= min(room, int(longest)):
        raise SithsError(Failure.CARD_ERROR, "the signature is too long")
    ctypes.memmove(place, signature, len(signature))
    length[0] = len(signature)
    return 1


def _signature(key: RegisteredKey, state: _State, message: bytes) -> bytes:
    scheme = _scheme(key, state)
    if scheme not in key.schemes:
        raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, f"{scheme.value} was asked for in TLS")
    signature = key.sign(message, scheme)
    return ecdsa_der(signature) if isinstance(key.public, EcPublicKey) else signature


def _scheme(key: RegisteredKey, state: _State) -> SignatureScheme:
    if isinstance(key.public, EcPublicKey):
        return SignatureScheme(f"ES{state.hash_bits}")
    return SignatureScheme(f"{'PS' if state.padding == _PSS else 'RS'}{state.hash_bits}")


def ecdsa_der(signature: bytes) -> bytes:
    """Return r || s (RFC 7518 section 3.4) as the DER that TLS wants (RFC 8422 section 5.4), below 128 octets."""
    half = len(signature) // 2
    body = b"".join(_der_integer(part) for part in (signature[:half], signature[half:]))
    return b"\x30" + bytes([len(body)]) + body


def _der_integer(octets: bytes) -> bytes:
    number = int.from_bytes(octets, "big")
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(content)]) + content
