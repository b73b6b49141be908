# SPDX-License-Identifier: EUPL-1.2
"""The fixed test vectors of protocol section B17, and keys and certificates made from them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import b64u_decode, parse_json
from sithsapp.oob.protocol.jwk import EcJwk, jwk_of
from sithsapp.oob.protocol.order import Flow, Order, OrderType
from sithsapp.oob.protocol.signature import SignatureAlgorithm, SigningInput, signing_input
from sithsapp.oob.protocol.verification import Expected

RFC7515_A3_D = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
SERVICE_KEY = ec.derive_private_key(int.from_bytes(b64u_decode(RFC7515_A3_D)), ec.SECP256R1())
SERVICE_JWK: EcJwk = jwk_of(SERVICE_KEY.public_key(), "svc-1")
JKT = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
RETURN_URL = "https://idp.example.org/r?n=abc"
APP = "oobeid/1.0.0"

TV3_PAYLOAD = (
    '{"binding":"return","exp":1767225780,"flow":"same","iat":1767225600,'
    '"nonce_rp":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","nonce_svc":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",'
    '"order":"ord_01","req":{"key":"auth","policies":["1.2.752.74.8.503"]},'
    '"ret_s256":"duWQzaDicjMAMEnfY8huDw3u6PdA1h1SAxiZV2Yx1fY",'
    '"rp":{"id":"rp1","name":"Journalsystem Exempel","origin":"https://idp.example.org"},'
    '"svc":"https://auth.example.org","text":{"body":"Logga in i Journalsystem Exempel","fmt":"plain"},'
    '"typ":"auth","v":1}'
)
TV3_DIGEST = "cbb24226dcda8225933bb9a7d796df8b006facf8c013334a7d1191a9e631c61c"
TV3_SIGNATURE = "A1ghYm_Ge9YAQAXUB8nm9BLdaImYHLHi9W7k1QK4mM1l4zRvjmMy388jJzEvF4v8MeCfVw9hKCnhdThMJ-Z1ew"
TV3_ORDER_S256 = "CDPQ1OSZtmMVBGhcblyn-2n6bdCosqQFc4em0TSPxgA"

TV4_TBS = (
    '{"app":"oobeid/1.0.0","challenge":"g77gcvvTQj90gfwWOCFjatjPtz-u8N0FgfOXnqDHMbk","flow":"same",'
    '"jkt":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",'
    '"order_s256":"CDPQ1OSZtmMVBGhcblyn-2n6bdCosqQFc4em0TSPxgA","v":1}'
)
TV4_DIGEST = "dbe75d9d52501fc2f3898d7401668b7502d0f67822d294286341ab279eff4065"
TV4_CERTIFICATE = b"test-cert"
TV4_X5T = "rJeOY_Jzup7hEyv-zBA8dnxSUS_VsGXMDuIk-exJ1qI"
TV4_JWS = (
    "eyJhbGciOiJFUzI1NiIsInR5cCI6Im9vYi1hdXRoK2p3cyIsIng1dCNTMjU2IjoickplT1lfSnp1cDdoRXl2LXpCQThkbnhTVVNfVnNHWE1EdUlrLWV4"
    "SjFxSSJ9..5mCyGSLK6GgknMvieCLTBqF7__jQxtF7uewiHbsNL4l-nXDWCTz_FXOfpdSqw_--9jmWwTPcmcsDfg-Q5rRtWQ"
)
TV5_CHALLENGE = "g77gcvvTQj90gfwWOCFjatjPtz-u8N0FgfOXnqDHMbk"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def tv3_order() -> Order:
    """Return the order of TV3."""
    return msgspec.convert(parse_json(TV3_PAYLOAD.encode()), Order)


def sign_order_order(**changes: object) -> Order:
    """Return TV3 turned into a signature order, with changes."""
    order = tv3_order()
    sign: dict[str, object] = {
        "typ": OrderType.SIGN,
        "req": msgspec.convert({"key": "sign", "policies": ["1.2.752.74.8.503"]}, type(order.req)),
    }
    return msgspec.structs.replace(order, **(sign | changes))


@cache
def key(algorithm: SignatureAlgorithm) -> PrivateKey:
    """Return a key that fits the algorithm, the same in all tests."""
    if algorithm is SignatureAlgorithm.ES256:
        return SERVICE_KEY
    if algorithm is SignatureAlgorithm.ES384:
        return ec.derive_private_key(7, ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(holder: PrivateKey, common_name: str = "Anna Andersson") -> bytes:
    """Return a self-signed certificate over a key; enough for rules 1 to 7."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(holder.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(holder, hashes.SHA256()).public_bytes(Encoding.DER)


def x5c(*certificates: bytes) -> list[str]:
    """Write certificates as an `x5c` member."""
    return [base64.b64encode(found).decode() for found in certificates]


def card_signature(holder: PrivateKey, algorithm: SignatureAlgorithm, octets: bytes, *, salt: int = 32) -> bytes:
    """Sign as a card does."""
    if isinstance(holder, ec.EllipticCurvePrivateKey):
        size = (holder.key_size + 7) // 8
        digest = hashes.SHA256() if algorithm is SignatureAlgorithm.ES256 else hashes.SHA384()
        return es256.raw_from_der(holder.sign(octets, ec.ECDSA(digest, deterministic_signing=True)), size)
    if algorithm is SignatureAlgorithm.PS256:
        return holder.sign(octets, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
    return holder.sign(octets, padding.PKCS1v15(), hashes.SHA256())


ORDER_JWS = f"eyJ.{TV3_SIGNATURE}.x"
EXPECTED = Expected(order_jws=ORDER_JWS, order_type=OrderType.AUTH, flow=Flow.SAME, jkt=JKT)


def to_sign(algorithm: SignatureAlgorithm, der: bytes, order_type: OrderType = OrderType.AUTH) -> SigningInput:
    """Return the signing input for `EXPECTED`."""
    return signing_input(
        certificate=der,
        algorithm=algorithm,
        order_type=order_type,
        order_jws=ORDER_JWS,
        flow=Flow.SAME,
        jkt=JKT,
        challenge=TV5_CHALLENGE,
        app=APP,
    )
