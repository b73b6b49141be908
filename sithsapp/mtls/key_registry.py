# SPDX-License-Identifier: EUPL-1.2
"""Keys that the TLS library may use: who signs with them, and what went wrong while it did.

The TLS library knows a key by a number. A number is never used twice, so that a reference that it still holds to a
key that was taken out finds nothing.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sithsapp.card.model import SignatureScheme
from sithsapp.mtls.permission import here
from sithsapp.mtls.public_key import PublicKey

PEM_BEGIN: Final = b"-----BEGIN SITHS CARD KEY-----\n"
PEM_END: Final = b"\n-----END SITHS CARD KEY-----\n"
HANDLE_LENGTH: Final = 32
"""Octets of a handle in the PEM: hexadecimal of 16 random octets."""

Sign = Callable[[bytes, SignatureScheme], bytes]
"""Hashes and signs a message; ES* gives r || s, as `CardService.sign` does. Raises what the caller shall see."""


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A key as the provider sees it. `schemes` are those that `sign` can do."""

    number: int
    handle: bytes
    public: PublicKey
    schemes: frozenset[SignatureScheme]
    sign: Sign

    @property
    def pem(self) -> bytes:
        """What stands in for the private key: it names the key within this process and tells nothing of it."""
        return PEM_BEGIN + self.handle + PEM_END


class KeyRegistry:
    """The keys of this process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._by_number: dict[int, RegisteredKey] = {}
        self._by_handle: dict[bytes, RegisteredKey] = {}

    def __len__(self) -> int:
        """Return how many keys are registered."""
        return len(self._by_number)

    def add(self, public: PublicKey, schemes: frozenset[SignatureScheme], sign: Sign) -> RegisteredKey:
        """Register a key."""
        handle = secrets.token_hex(HANDLE_LENGTH // 2).encode()
        with self._lock:
            key = RegisteredKey(next(self._numbers), handle, public, schemes, sign)
            self._by_number[key.number] = self._by_handle[handle] = key
        return key

    def remove(self, key: RegisteredKey) -> None:
        """Forget a key; contexts that still hold it cannot sign from now on. May be repeated."""
        with self._lock:
            self._by_number.pop(key.number, None)
            self._by_handle.pop(key.handle, None)

    def numbered(self, number: int | None) -> RegisteredKey | None:
        """Return the key with that number."""
        return self._by_number.get(number or 0)

    def with_handle(self, handle: bytes) -> RegisteredKey | None:
        """Return the key that a PEM names."""
        return self._by_handle.get(handle)


KEYS: Final = KeyRegistry()
"""The one registry: the provider is registered once for the process and never unloaded."""


def note_error(error: BaseException) -> None:
    """Keep what `Sign` raised in this thread until the TLS call that led to it has returned."""
    here.turn.error = error


def forget_error() -> None:
    """Begin a TLS call in this thread: what an earlier one led to is not its."""
    here.turn.error = None


def raise_noted(error: OSError) -> None:
    """Raise what `Sign` raised in this thread since `forget_error`, if it did, in place of what TLS says of it."""
    noted, here.turn.error = here.turn.error, None
    if noted is not None:
        raise noted from error


@contextmanager
def signing_errors() -> Iterator[None]:
    """Raise, in place of the TLS library's general error, what `Sign` raised in this thread within the block."""
    forget_error()
    try:
        yield
    except OSError as error:
        raise_noted(error)
        raise
    finally:
        forget_error()
