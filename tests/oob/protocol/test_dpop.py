# SPDX-License-Identifier: EUPL-1.2
"""DPoP proofs (RFC 9449)."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey

from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.dpop import DpopKey, Proof, target, verify_proof
from sithsapp.oob.protocol.encoding import jcs
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from tests.oob.protocol.vectors import SERVICE_JWK, SERVICE_KEY

URL = "https://auth.example.org/app/v1/claim"
NONCE = "nonce-1"
JWK = msgspec.to_builtins(msgspec.structs.replace(SERVICE_JWK, kid=None))
HEADER: dict[str, object] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": JWK}
CLAIMS: dict[str, object] = {"htm": "POST", "htu": URL, "iat": 1, "jti": "A" * 22, "nonce": NONCE}


def _proof(header: object = HEADER, claims: object = CLAIMS) -> str:
    return es256.sign(jcs(header), jcs(claims), SERVICE_KEY)


def _verify(proof: str) -> Proof:
    return verify_proof(proof, method="POST", url=URL, nonces=["nonce-0", NONCE])


def test_a_proof_verifies() -> None:
    key = DpopKey()
    proof = verify_proof(key.proof("POST", URL + "?wait=1#x", nonce=NONCE), method="POST", url=URL, nonces=[NONCE])
    assert proof.jkt == key.jkt
    assert len(proof.jti) == 22
    assert proof.jti != _verify(key.proof("POST", URL, nonce=NONCE)).jti


def test_a_second_library_verifies_it() -> None:
    proof = DpopKey().proof("GET", URL, nonce=NONCE)
    header = joserfc_jws.extract_compact(proof.encode()).headers()
    found = joserfc_jws.deserialize_compact(proof, ECKey.import_key(header["jwk"]), algorithms=["ES256"])
    assert msgspec.json.decode(found.payload)["htu"] == URL


def test_each_order_has_its_own_key_and_it_stays_in_memory() -> None:
    key = DpopKey()
    assert key.jkt != DpopKey().jkt
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_the_apps_clock_does_not_matter() -> None:
    assert _verify(_proof(claims=CLAIMS | {"iat": 0})).iat == 0
    assert _verify(_proof(claims=CLAIMS | {"iat": 9_999_999_999})).iat == 9_999_999_999


def _tampered() -> str:
    proof = _proof()
    return proof[:-2] + ("AA" if not proof.endswith("AA") else "BA")


REFUSED: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "long": lambda: "a" * 3000,
    "tampered": _tampered,
    "other method": lambda: _proof(claims=CLAIMS | {"htm": "GET"}),
    "other address": lambda: _proof(claims=CLAIMS | {"htu": URL + "/x"}),
    "other origin": lambda: _proof(claims=CLAIMS | {"htu": URL.replace("example", "evil")}),
    "old nonce": lambda: _proof(claims=CLAIMS | {"nonce": "old"}),
    "no nonce": lambda: _proof(claims={name: value for name, value in CLAIMS.items() if name != "nonce"}),
    "no jti": lambda: _proof(claims={name: value for name, value in CLAIMS.items() if name != "jti"}),
    "short jti": lambda: _proof(claims=CLAIMS | {"jti": "A"}),
    "negative time": lambda: _proof(claims=CLAIMS | {"iat": -1}),
    "extra claim": lambda: _proof(claims=CLAIMS | {"sub": "x"}),
    "other typ": lambda: _proof(HEADER | {"typ": "JWT"}),
    "other alg": lambda: _proof(HEADER | {"alg": "none"}),
    "extra header": lambda: _proof(HEADER | {"kid": "x"}),
    "private key": lambda: _proof(HEADER | {"jwk": JWK | {"d": "AA"}}),
    "no key": lambda: _proof({"typ": "dpop+jwt", "alg": "ES256"}),
    "another's key": lambda: es256.sign(
        jcs(HEADER | {"jwk": JWK | {"x": JWK["y"], "y": JWK["x"]}}), jcs(CLAIMS), SERVICE_KEY
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_proofs_are_refused(name: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        _verify(REFUSED[name]())
    assert caught.value.code is ProblemCode.INVALID_DPOP


def test_without_known_nonces_nothing_passes() -> None:
    with pytest.raises(ProtocolViolation):
        verify_proof(_proof(), method="POST", url=URL, nonces=[])


@given(st.text("eyJ.AQ-_=", max_size=60) | st.text(max_size=60))
def test_nothing_but_violations_escape(proof: str) -> None:
    with pytest.raises(ProtocolViolation):
        _verify(proof)


def test_target_drops_query_and_fragment() -> None:
    assert target("https://a/b?c#d") == target("https://a/b#d?c") == "https://a/b"
