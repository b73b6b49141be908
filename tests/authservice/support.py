# SPDX-License-Identifier: EUPL-1.2
"""A software app, card holders from the test CA, and a service on a clock that tests turn."""

from __future__ import annotations

import base64
import json
import secrets
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.exceptions import StarletteDeprecationWarning

from authservice.app import create_app, make_context
from authservice.certificates import CertificateJudge, JudgedCertificate
from authservice.config import DisplayName, Environment, Registration, ServiceConfig
from authservice.context import ServiceContext
from authservice.rp.checking import Trust
from authservice.rp.http import ServiceClient
from authservice.rp.relying_party import Ask, RelyingParty
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant, Person
from sithsapp.card.virtual.keys import KeyKind, PrivateKey, generate_key
from sithsapp.oob.protocol.dpop import DpopKey
from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.es256 import raw_from_der
from sithsapp.oob.protocol.jwk import jwk_of
from sithsapp.oob.protocol.launch import parse_launch_url
from sithsapp.oob.protocol.order import (
    Binding,
    CertIdentity,
    Flow,
    KeyUse,
    OrderType,
    Requirements,
    Text,
)
from sithsapp.oob.protocol.order import (
    RelyingParty as Party,
)
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.qr import make_mac
from sithsapp.oob.protocol.rp_messages import Bindings, OrderCreated, OrderRequirements, RevocationProof, Subject
from sithsapp.oob.protocol.secret import Secret
from sithsapp.oob.protocol.signature import SignatureAlgorithm, challenge_of, new_verifier, signing_input
from sithsapp.pki.certificate import read_certificate
from sithsapp.pki.rules import unsuitability

with warnings.catch_warnings():
    # Starlette announces its move to httpx2; the library under test speaks httpx, and so must the test client.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

SERVICE_ORIGIN = "https://auth.example.org"
RP_ORIGIN = "https://journal.example.org"
RETURN_URL = RP_ORIGIN + "/oob/return"
RP_NAME = "Journalsystem Exempel"
POLICY = IssuerProfile.HSA_ID_3.policy
APP = "oobeid/1.2.3"
LOA3 = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3"


class ManualClock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC).timestamp()

    def now(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


class LeafOnlyJudge:
    """Applies the real leaf rules and leaves path and revocation out; `error` is raised in their place."""

    def __init__(self) -> None:
        self.error: ProtocolViolation | None = None

    def judge(self, certificates: Sequence[bytes], requirements: Requirements) -> JudgedCertificate:
        if self.error is not None:
            raise self.error
        leaf = read_certificate(certificates[0])
        reason = unsuitability(leaf, requirements, at=None)
        if reason is not None:
            raise ProtocolViolation(ProblemCode.WRONG_CERTIFICATE, reason.reason, rule=9)
        subject = Subject(
            cert_sha256=b64u(leaf.sha256),
            issuer=leaf.issuer,
            policies=list(leaf.policies),
            loa=LOA3,
            hsaid=leaf.hsaid,
            pnr=leaf.personal_number,
            given_name=leaf.given_name,
            surname=leaf.surname,
            org=leaf.organisation,
        )
        return JudgedCertificate(subject, ())

    def judge_again(
        self,
        certificates: Sequence[bytes],
        requirements: Requirements,
        revocation: Sequence[RevocationProof],
        at: datetime,
    ) -> JudgedCertificate:
        return self.judge(certificates, requirements)


@dataclass(frozen=True)
class Holder:
    """A person's key and certificate, with the chain (DER, leaf first, without the root)."""

    key: PrivateKey
    chain: tuple[bytes, ...]

    @classmethod
    def issue(
        cls,
        pki: VirtualPki,
        *,
        purpose: KeyPurpose = KeyPurpose.AUTH,
        person: Person = DEFAULT_PERSON,
        profile: IssuerProfile = IssuerProfile.HSA_ID_3,
        variant: LeafVariant = LeafVariant.NORMAL,
        key: PrivateKey | None = None,
    ) -> Holder:
        key = key or generate_key(KeyKind.P_256)
        leaf = pki.issue(LeafRequest(profile, purpose, person, key.public_key(), variant))
        return cls(key, tuple(item.public_bytes(Encoding.DER) for item in pki.chain(leaf)[:2]))

    @property
    def x5c(self) -> list[str]:
        return [base64.b64encode(der).decode() for der in self.chain]

    def sign(self, octets: bytes) -> tuple[SignatureAlgorithm, bytes]:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return SignatureAlgorithm.RS256, self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        der = self.key.sign(octets, ec.ECDSA(hashes.SHA256()))
        return SignatureAlgorithm.ES256, raw_from_der(der, 32)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        return self.sign(b"")[0]


@dataclass
class App:
    """A software app over any HTTP client: one DPoP key, the order it claimed, the nonce it was given."""

    http: httpx.Client
    origin: str = SERVICE_ORIGIN
    client: str = f"{APP} (linux; amd64)"
    key: DpopKey = field(default_factory=DpopKey)
    verifier: Secret = field(default_factory=new_verifier)
    nonce: str | None = None
    order_jws: str = ""
    flow: Flow = Flow.SAME
    last_proof: str = ""

    def call(self, method: str, path: str, body: object = None, *, proof: str | None = None) -> httpx.Response:
        url = f"{self.origin}/app/v1{path}"
        response = self._send(method, url, body, proof)
        self.nonce = response.headers.get("dpop-nonce", self.nonce)
        if response.status_code == 401 and proof is None:
            response = self._send(method, url, body, None)
        return response

    def _send(self, method: str, url: str, body: object, proof: str | None) -> httpx.Response:
        self.last_proof = proof or self.key.proof(method, url, nonce=self.nonce)
        headers = {"DPoP": self.last_proof, "App-Client": self.client}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.request(method, url, headers=headers, content=content)

    def claim(self, created: OrderCreated) -> httpx.Response:
        token = parse_launch_url("siths", created.launch_url or "").token.reveal()
        return self.claim_token(token)

    def claim_token(self, token: str) -> httpx.Response:
        self.flow = Flow.SAME
        return self._claimed(self.call("POST", "/claim", {"kind": "launch", "token": token, "caps": CAPS}))

    def claim_qr(self, created: OrderCreated, t: int, *, mac: str | None = None) -> httpx.Response:
        assert created.qr is not None
        secret = base64.urlsafe_b64decode(created.qr.secret + "=")
        mac = mac or make_mac(secret, "demo", created.qr.token, t)
        self.flow = Flow.OTHER
        body = {"kind": "qr", "qt": created.qr.token, "t": t, "mac": mac, "caps": CAPS}
        return self._claimed(self.call("POST", "/claim", body))

    def _claimed(self, response: httpx.Response) -> httpx.Response:
        if response.status_code == 200:
            self.order_jws = response.json()["order_jws"]
        return response

    def signature_body(self, holder: Holder, typ: OrderType = OrderType.AUTH, **changes: Any) -> dict[str, Any]:
        made = signing_input(
            certificate=holder.chain[0],
            algorithm=holder.algorithm,
            order_type=typ,
            order_jws=changes.pop("order_jws", self.order_jws),
            flow=changes.pop("flow", self.flow),
            jkt=changes.pop("jkt", self.key.jkt),
            challenge=challenge_of(self.verifier),
            app=APP,
        )
        jws = made.detached_jws(holder.sign(made.octets)[1])
        return {"jws": jws, "x5c": holder.x5c, "challenge": challenge_of(self.verifier), "app": APP, **changes}

    def sign(self, holder: Holder, typ: OrderType = OrderType.AUTH) -> httpx.Response:
        return self.call("POST", "/signature", self.signature_body(holder, typ))


CAPS: Mapping[str, object] = {"alg": ["ES256"], "text": ["plain"], "pinpad": False}


@dataclass
class Bench:
    """A service with two relying parties, reached in process."""

    context: ServiceContext
    http: TestClient
    clock: ManualClock
    judge: Any
    rp_keys: dict[str, ec.EllipticCurvePrivateKey]
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def app(self, **changes: Any) -> App:
        return App(self.http, **changes)

    def service_client(self, party: str = "journal") -> ServiceClient:
        return ServiceClient(SERVICE_ORIGIN, party, self.rp_keys[party], self.http, now=self.clock.now)

    def relying_party(self, party: str = "journal") -> RelyingParty:
        own = Party(id=party, name=RP_NAME, origin=RP_ORIGIN)
        trust = Trust(SERVICE_ORIGIN, (self.context.issuer.jwk,), own, self.judge)
        return RelyingParty(self.service_client(party), trust)

    def bearer(self, party: str = "journal") -> dict[str, str]:
        token, until = self.tokens.get(party, ("", 0.0))
        if self.clock.now() >= until:
            token, until = self.service_client(party)._bearer(), self.clock.now() + 299
            self.tokens[party] = (token, until)
        return {"Authorization": f"Bearer {token}"}

    def rp_call(
        self, method: str, path: str, body: object = None, *, party: str = "journal", **headers: str
    ) -> httpx.Response:
        sent = {**self.bearer(party), **{name.replace("_", "-"): value for name, value in headers.items()}}
        content = None
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        http: httpx.Client = self.http
        return http.request(method, f"{SERVICE_ORIGIN}/rp/v1{path}", headers=sent, content=content)

    def create(self, body: Mapping[str, object] | None = None, party: str = "journal") -> OrderCreated:
        answer = self.rp_call(
            "POST", "/orders", body or order_body(), party=party, Idempotency_Key=secrets.token_urlsafe(16)
        )
        assert answer.status_code == 201, answer.text
        return msgspec.convert(answer.json(), OrderCreated)

    def status(self, created: OrderCreated, party: str = "journal") -> dict[str, Any]:
        self.clock.pass_(1)
        answer: dict[str, Any] = self.rp_call("GET", f"/orders/{created.order_ref}", party=party).json()
        return answer


def make_bench(
    directory: Path, *, clock: ManualClock | None = None, judge: CertificateJudge | None = None, **changes: Any
) -> Bench:
    clock, judge = clock or ManualClock(), judge or LeafOnlyJudge()
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("journal", "other")}
    config = service_config(directory, keys, **changes)
    context = make_context(config, judge, clock=clock)
    http = TestClient(create_app(context), base_url=SERVICE_ORIGIN, client=("192.0.2.7", 50_000))
    return Bench(context, http, clock, judge, keys)


def service_config(directory: Path, keys: Mapping[str, ec.EllipticCurvePrivateKey], **changes: Any) -> ServiceConfig:
    config = ServiceConfig(
        id="demo",
        origin=SERVICE_ORIGIN,
        display_name=DisplayName(sv="Exempeltjänst", en="Example service"),
        environment=Environment.TEST,
        anchors=directory / "anchors.pem",
        state_directory=directory / "state",
        relying_parties=[registration(name, key) for name, key in keys.items()],
        per_address_per_minute=60_000,
        per_address_burst=10_000,
    )
    return msgspec.structs.replace(config, **changes)


def registration(party: str, key: ec.EllipticCurvePrivateKey, **changes: Any) -> Registration:
    made = Registration(
        id=party,
        name=RP_NAME,
        origins=[RP_ORIGIN],
        client_keys=[jwk_of(key.public_key())],
        flows=[Flow.SAME, Flow.OTHER],
        bindings=[Binding.RETURN, Binding.CODE, Binding.QR],
        keys=[KeyUse.AUTH, KeyUse.SIGN],
        may_act_for={"lab": "Labbsvar Exempel"},
        per_minute=60_000,
        burst=10_000,
    )
    return msgspec.structs.replace(made, **changes)


def order_body(**changes: object) -> dict[str, object]:
    """A log-in by link or QR, as JSON."""
    body: dict[str, object] = {
        "typ": "auth",
        "flows": ["same", "other"],
        "binding": {"same": "return", "other": "qr"},
        "nonce": b64u(bytes(32)),
        "return_url": RETURN_URL + "?n=abc",
        "end_user_ip": "192.0.2.7",
        "text": {"fmt": "plain", "body": "Logga in i Journalsystem Exempel", "lang": "sv"},
        "req": {"key": "auth", "policies": [POLICY], "cert_id": "hsaid"},
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def ask(**changes: Any) -> Ask:
    made = Ask(
        typ=OrderType.AUTH,
        text=Text(fmt="plain", body="Logga in i Journalsystem Exempel", lang="sv"),
        requirements=OrderRequirements(key=KeyUse.AUTH, policies=[POLICY], cert_id=CertIdentity.HSAID),
        return_url=RETURN_URL,
        end_user_ip="192.0.2.7",
        bindings=Bindings(same=Binding.RETURN, other=Binding.QR),
    )
    return replace(made, **changes)


def problem_code(response: httpx.Response) -> str:
    """Return the problem code of an error answer, having checked its form."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["status"] == response.status_code
    return str(body["type"]).removeprefix("urn:oob-eid:error:")


def browser_of(app: Starlette, origin: str) -> TestClient:
    """A browser, as far as HTTP goes: cookies and redirects, no script."""
    return TestClient(app, base_url=origin, client=("192.0.2.7", 50_001))


def quiet_client(app: Starlette) -> TestClient:
    """A client that sees what the service answers when it fails, as clients over a network do."""
    return TestClient(app, base_url=SERVICE_ORIGIN, raise_server_exceptions=False)
