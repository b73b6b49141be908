# SPDX-License-Identifier: EUPL-1.2
"""Signatures with a key of the card: MSE, PSO HASH, PSO COMPUTE DIGITAL SIGNATURE (fact sheet section 6)."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.card.idprime.contents import Key
from sithsapp.card.idprime.habits import Habits
from sithsapp.card.iso7816 import Channel, CommandApdu, Ins, StatusKind, Sw
from sithsapp.card.model import KeyType, SignatureScheme
from sithsapp.failures import Failure, SithsError

_ALGORITHMS: dict[SignatureScheme, tuple[int, ...]] = {
    SignatureScheme.RS256: (0x42,),
    SignatureScheme.RS384: (0x52,),
    SignatureScheme.RS512: (0x62,),
    SignatureScheme.PS256: (0x45,),
    SignatureScheme.PS384: (0x55,),
    SignatureScheme.PS512: (0x65,),
    SignatureScheme.ES256: (0x44,),
    # OpenSC sends 44 for every curve, the vendor's own software 54 for P-384.
    SignatureScheme.ES384: (0x54, 0x44),
}
_NOT_THIS_KIND = frozenset({Sw.WRONG_DATA, Sw.CONDITIONS_NOT_SATISFIED, Sw.FUNCTION_NOT_SUPPORTED, Sw.WRONG_LENGTH})


@dataclass(frozen=True, slots=True)
class Environment:
    """A security environment for one kind of signature with one key."""

    algorithm: int
    key_reference: int


class Signer:
    """Signs over one channel; knows which security environment it set last."""

    def __init__(self, channel: Channel, habits: Habits) -> None:
        self._channel = channel
        self._habits = habits
        self._ready: Environment | None = None

    def forget(self) -> None:
        """Assume nothing of the card's environment: it was reset, or the application was selected again."""
        self._ready = None

    def prepare(self, key: Key, scheme: SignatureScheme) -> None:
        """Set the security environment ahead of time, if this kind of signature can be checked afterwards."""
        if key.credential.key_type is KeyType.RSA and scheme in key.credential.schemes:
            self._set(self._choose(key, scheme))

    def prepare_again(self) -> None:
        """Set the same environment once more, as another file was selected since: no card promises to keep it."""
        if self._ready is not None:
            self._set(self._ready)

    def prepared(self, key: Key, scheme: SignatureScheme) -> bool:
        """Tell whether the environment was set ahead. Another program may have set another one since."""
        return self._ready is not None and self._ready == self._choose(key, scheme)

    def sign(self, key: Key, scheme: SignatureScheme, digest: bytes, *, use_prepared: bool = False) -> bytes:
        """Return the raw signature (RSA: as long as the modulus, ECDSA: r || s).

        Raises ALGORITHM_NOT_SUPPORTED, CARD_DATA_INVALID (no such key) or CARD_ERROR.
        """
        if not use_prepared:
            self._set(self._choose(key, scheme))
        try:
            self._hash(digest)
        except SithsError as error:
            if error.failure is not Failure.ALGORITHM_NOT_SUPPORTED or not self._take_second_choice(scheme):
                raise
            self._set(self._choose(key, scheme))
            self._hash(digest)
        return self._compute(key, digest)

    def _choose(self, key: Key, scheme: SignatureScheme) -> Environment:
        choices = _ALGORITHMS[scheme]
        return Environment(choices[-1 if scheme in self._habits.second_choice else 0], key.reference)

    def _take_second_choice(self, scheme: SignatureScheme) -> bool:
        if len(_ALGORITHMS[scheme]) == 1 or scheme in self._habits.second_choice:
            return False
        self._habits.second_choice |= {scheme}
        return True

    def _set(self, wanted: Environment) -> None:
        self._ready = None
        data = bytes([0x80, 0x01, wanted.algorithm, 0x84, 0x01, wanted.key_reference])
        response = self._channel.send(CommandApdu(Ins.MANAGE_SECURITY_ENVIRONMENT, 0x41, 0xB6, data))
        # A card may refuse the algorithm here or at the hash; the hash settles it.
        if response.ok:
            self._ready = wanted
        elif response.status.value not in _NOT_THIS_KIND:
            raise SithsError(Failure.CARD_ERROR, f"MSE {response.status}")

    def _hash(self, digest: bytes) -> None:
        if self._ready is None:
            raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, "MSE was refused")
        data = bytes([0x90, len(digest)]) + digest
        command = CommandApdu(Ins.PERFORM_SECURITY_OPERATION, 0x90, 0xA0, data)
        response = self._channel.send(command, fetch=self._habits.fetch_echo)
        if response.ok or response.status.kind is StatusKind.MORE_DATA:
            return
        self._ready = None
        if response.status.value == Sw.REFERENCE_NOT_FOUND:
            raise SithsError(Failure.CARD_DATA_INVALID, "the key is not on the card")
        kind = Failure.ALGORITHM_NOT_SUPPORTED if response.status.value in _NOT_THIS_KIND else Failure.CARD_ERROR
        raise SithsError(kind, f"PSO HASH {response.status}")

    def _compute(self, key: Key, digest: bytes) -> bytes:
        command = CommandApdu(Ins.PERFORM_SECURITY_OPERATION, 0x9E, 0x9A, le=256)
        response = self._channel.send(command)
        if response.status.value == Sw.CONDITIONS_NOT_SATISFIED and not self._habits.fetch_echo:
            self._habits.fetch_echo = True
            self._hash(digest)
            response = self._channel.send(command)
        if not response.ok:
            self._ready = None
            raise SithsError(Failure.CARD_ERROR, f"PSO CDS {response.status}")
        if len(response.data) != signature_length(key):
            raise SithsError(Failure.CARD_ERROR, f"signature of {len(response.data)} bytes")
        return response.data


def signature_length(key: Key) -> int:
    """Return how long a signature of that key is, in bytes."""
    size = (key.credential.key_bits + 7) // 8
    return size if key.credential.key_type is KeyType.RSA else 2 * size
