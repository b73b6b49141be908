# SPDX-License-Identifier: EUPL-1.2
"""The user's signature, the app's side: what the card signs and how it is sent (protocol section B8).

The card signs `SigningInput.octets` and nothing else. They are built here from a header and an object of ours, so
they are ASCII text that begins with `eyJ` and can be neither a digest nor a TLS message chosen by somebody else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, b64u, b64u_decode, jcs, sha256, sha256_b64u
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.secret import Secret

VERIFIER_OCTETS: Final = 32
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 4096

_APP = re.compile(r"[a-z0-9.-]{1,32}/[0-9.]{1,16}")


class SignatureAlgorithm(Enum):
    """JOSE algorithms that a card may sign with (RFC 7518 section 3.1)."""

    PS256 = "PS256"
    RS256 = "RS256"
    ES256 = "ES256"
    ES384 = "ES384"


SIGNATURE_TYPES: Final = {OrderType.AUTH: "oob-auth+jws", OrderType.SIGN: "oob-sign+jws"}
"""The `typ` of the protected header, by order type."""

_BY_KEY: Final = {
    "RSA": (SignatureAlgorithm.PS256, SignatureAlgorithm.RS256),
    "P-256": (SignatureAlgorithm.ES256,),
    "P-384": (SignatureAlgorithm.ES384,),
}


def new_verifier() -> Secret:
    """Make the one-time verifier that comes back through the browser: 43 characters of base64url."""
    return Secret(b64u(secrets.token_bytes(VERIFIER_OCTETS)))


def challenge_of(verifier: Secret) -> str:
    """Return the challenge that is signed for `verifier`: base64url of the SHA-256 of its text."""
    return sha256_b64u(verifier.reveal())


def choose_algorithm(key_type: str, key_bits: int, offered: Collection[str]) -> SignatureAlgorithm:
    """Choose the algorithm for a key.

    `key_type` is `RSA`, `P-256`, `P-384` or `P-521`; `offered` are the JOSE names that the card can do. Raises
    `SithsError` with `ALGORITHM_NOT_SUPPORTED`.
    """
    if key_type == "RSA" and not MIN_RSA_BITS <= key_bits <= MAX_RSA_BITS:
        raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, f"RSA key of {key_bits} bits")
    for algorithm in _BY_KEY.get(key_type, ()):
        if algorithm.value in offered:
            return algorithm
    raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, f"no agreed algorithm for {key_type}")


@dataclass(frozen=True, slots=True, repr=False)
class ToBeSigned:
    """What the signature covers besides its header. `jkt` is the thumbprint of the app's key for this order.

    `order_s256` stands for the order JWS as it was received. Raises `Malformed` for members out of form.
    """

    app: str
    challenge: str
    flow: Flow
    jkt: str
    order_s256: str

    def __post_init__(self) -> None:
        if not _APP.fullmatch(self.app):
            raise Malformed("app is not name/version")
        for digest in (self.challenge, self.jkt, self.order_s256):
            b64u_decode(digest, length=32)

    @property
    def octets(self) -> bytes:
        """The JCS form."""
        return jcs(
            {
                "app": self.app,
                "challenge": self.challenge,
                "flow": self.flow.value,
                "jkt": self.jkt,
                "order_s256": self.order_s256,
                "v": 1,
            }
        )


@dataclass(frozen=True, slots=True, repr=False)
class SigningInput:
    """What the card signs for one certificate. `leaf` is the certificate's SHA-256 (32 octets)."""

    order_type: OrderType
    algorithm: SignatureAlgorithm
    leaf: bytes
    tbs: ToBeSigned

    def __post_init__(self) -> None:
        if len(self.leaf) != 32:
            raise Malformed("leaf is not a SHA-256 digest")

    @property
    def octets(self) -> bytes:
        """The JWS signing input: ASCII, begins with `eyJ`."""
        return f"{self._header}.{b64u(self.tbs.octets)}".encode("ascii")

    def detached_jws(self, signature: bytes) -> str:
        """Join header and `signature` to a JWS with detached payload (RFC 7515 appendix F)."""
        return f"{self._header}..{b64u(signature)}"

    @property
    def _header(self) -> str:
        members = {
            "alg": self.algorithm.value,
            "typ": SIGNATURE_TYPES[self.order_type],
            "x5t#S256": b64u(self.leaf),
        }
        return b64u(jcs(members))


def signing_input(
    *,
    certificate: bytes,
    algorithm: SignatureAlgorithm,
    order_type: OrderType,
    order_jws: str,
    flow: Flow,
    jkt: str,
    challenge: str,
    app: str,
) -> SigningInput:
    """Build what the card signs for an order. `certificate` is the signer's DER, `order_jws` as received."""
    tbs = ToBeSigned(app=app, challenge=challenge, flow=flow, jkt=jkt, order_s256=sha256_b64u(order_jws))
    return SigningInput(order_type, algorithm, sha256(certificate), tbs)
