# SPDX-License-Identifier: EUPL-1.2
"""MANAGE SECURITY ENVIRONMENT and PERFORM SECURITY OPERATION (fact sheet section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    NoDigestInfo,
    Prehashed,
    decode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sithsapp.card.virtual.apdu import Command, Refused, Sw, read_tlvs
from sithsapp.card.virtual.pins import Pins
from sithsapp.card.virtual.spec import ContainerSpec, PinReference
from sithsapp.card.virtual.store import CardStore

CardKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_HASHES: dict[int, hashes.HashAlgorithm] = {4: hashes.SHA256(), 5: hashes.SHA384(), 6: hashes.SHA512()}
_OAEP_HASHES: dict[int, hashes.HashAlgorithm] = {1: hashes.SHA1(), **_HASHES}  # noqa: S303 - the card's own OAEP choice
_PKCS1, _ECDSA, _PSS, _DECIPHER_PKCS1, _DECIPHER_OAEP = 2, 4, 5, 0xA, 0xD
_SIGNATURE_ALGORITHMS = frozenset({0x02, 0x42, 0x52, 0x62, 0x45, 0x55, 0x65, 0x44, 0x54})
_DECIPHER_ALGORITHMS = frozenset({0x1A, 0x1D, 0x4D, 0x5D, 0x6D})
_DIGEST_INFO_MAX = 126
_SIGNATURE_TEMPLATE, _CONFIDENTIALITY_TEMPLATE = 0xB6, 0xB8
_HASH, _SIGN, _DECIPHER = 0x90A0, 0x9E9A, 0x8086


@lru_cache(maxsize=64)
def load_key(pkcs8: bytes) -> CardKey:
    """Read a PKCS#8 key; raises `ValueError` if the card cannot hold its kind."""
    key = load_der_private_key(pkcs8, None)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise ValueError("neither RSA nor EC")
    return key


@dataclass(frozen=True, slots=True)
class _Environment:
    template: int
    algorithm: int
    key_reference: int

    @property
    def scheme(self) -> int:
        return self.algorithm & 0x0F

    @property
    def hash_number(self) -> int:
        return self.algorithm >> 4


class Crypto:
    """The security environment of one session."""

    def __init__(self, store: CardStore, pins: Pins) -> None:
        self._store = store
        self._pins = pins
        self._environment: _Environment | None = None
        self._hash: bytes | None = None
        self.signatures = 0

    def reset(self) -> None:
        """Forget the environment and the hash."""
        self._environment = None
        self._hash = None

    def manage(self, command: Command) -> None:
        """Answer MSE SET: algorithm (80) and key reference (84) in either order. A missing key shows later."""
        if command.p1 != 0x41 or command.p2 not in (_SIGNATURE_TEMPLATE, _CONFIDENTIALITY_TEMPLATE):
            raise Refused(Sw.WRONG_P1_P2)
        objects = read_tlvs(command.data)
        values = dict(objects)
        if len(objects) != 2 or set(values) != {0x80, 0x84} or any(len(value) != 1 for value in values.values()):
            raise Refused(Sw.WRONG_DATA)
        algorithm = values[0x80][0]
        known = _SIGNATURE_ALGORITHMS if command.p2 == _SIGNATURE_TEMPLATE else _DECIPHER_ALGORITHMS
        if algorithm not in known:
            raise Refused(Sw.WRONG_DATA)
        self._environment = _Environment(command.p2, algorithm, values[0x84][0])
        self._hash = None

    def perform(self, command: Command) -> bytes:
        """Answer PSO HASH, COMPUTE DIGITAL SIGNATURE and DECIPHER."""
        if command.p1p2 == _HASH:
            return self._take_hash(command)
        if command.p1p2 == _SIGN:
            return self._sign(command)
        if command.p1p2 == _DECIPHER:
            return self._decipher(command)
        raise Refused(Sw.WRONG_P1_P2)

    def _container(self, template: int) -> tuple[_Environment, ContainerSpec, CardKey]:
        environment = self._environment
        if environment is None or environment.template != template:
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        for container in self._store.spec.containers:
            if container.private_key is not None and container.key_reference == environment.key_reference:
                return environment, container, load_key(container.private_key)
        raise Refused(Sw.REFERENCE_NOT_FOUND)

    def _take_hash(self, command: Command) -> bytes:
        environment, _, key = self._container(_SIGNATURE_TEMPLATE)
        if isinstance(key, ec.EllipticCurvePrivateKey) != (environment.scheme == _ECDSA):
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        objects = read_tlvs(command.data)
        if len(objects) != 1 or objects[0][0] != 0x90 or not _hash_fits(environment, key, objects[0][1]):
            raise Refused(Sw.WRONG_DATA)
        self._hash = objects[0][1]
        return self._hash

    def _sign(self, command: Command) -> bytes:
        if command.data:
            raise Refused(Sw.WRONG_LENGTH)
        environment, container, key = self._container(_SIGNATURE_TEMPLATE)
        value = self._hash
        if value is None:
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        self._authorise(container)
        self._hash = None
        self.signatures += 1
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return _sign_ecdsa(key, value)
        return _sign_rsa(key, environment, value)

    def _decipher(self, command: Command) -> bytes:
        environment, container, key = self._container(_CONFIDENTIALITY_TEMPLATE)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        if len(command.data) != 1 + key.key_size // 8 or command.data[0] != 0x81:
            raise Refused(Sw.WRONG_DATA)
        self._authorise(container)
        try:
            return key.decrypt(command.data[1:], _decipher_padding(environment))
        except ValueError:
            raise Refused(Sw.WRONG_DATA) from None

    def _authorise(self, container: ContainerSpec) -> None:
        if not self._pins.is_verified(container.pin):
            raise Refused(Sw.NOT_VERIFIED)
        if self._pins.must_be_changed(container.pin):
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        if container.pin != PinReference.PIN1:
            self._pins.consume(container.pin)


def _hash_fits(environment: _Environment, key: CardKey, value: bytes) -> bool:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _ecdsa_hash(key) is not None and 0 < len(value) <= 64 and len(value) % 8 == 0
    if environment.hash_number == 0:
        return 0 < len(value) <= _DIGEST_INFO_MAX
    return len(value) == _HASHES[environment.hash_number].digest_size


def _sign_rsa(key: rsa.RSAPrivateKey, environment: _Environment, value: bytes) -> bytes:
    if environment.hash_number == 0:
        return key.sign(value, padding.PKCS1v15(), NoDigestInfo())
    algorithm = _HASHES[environment.hash_number]
    if environment.scheme == _PSS:
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return key.sign(value, pss, Prehashed(algorithm))
    return key.sign(value, padding.PKCS1v15(), Prehashed(algorithm))


def _ecdsa_hash(key: ec.EllipticCurvePrivateKey) -> hashes.HashAlgorithm | None:
    return {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}.get(key.key_size)


def _sign_ecdsa(key: ec.EllipticCurvePrivateKey, value: bytes) -> bytes:
    """Sign a hash, of which a longer one than the curve keeps its left part; return r || s."""
    algorithm = _ecdsa_hash(key)
    if algorithm is None:
        raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
    digest = value[: algorithm.digest_size].rjust(algorithm.digest_size, b"\0")
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(algorithm))))
    size = (key.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _decipher_padding(environment: _Environment) -> padding.AsymmetricPadding:
    if environment.scheme == _DECIPHER_PKCS1:
        return padding.PKCS1v15()
    algorithm = _OAEP_HASHES[environment.hash_number]
    return padding.OAEP(padding.MGF1(algorithm), algorithm, None)
