# SPDX-License-Identifier: EUPL-1.2
"""The order document: what a creation request becomes, and whether the app will show it (protocol section B7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from authservice.orders.record import OrderRecord, binding_for
from authservice.orders.secrets import OrderSecrets
from authservice.registry import RegisteredParty
from sithsapp.failures import SithsError
from sithsapp.oob.protocol.checks import Situation, check_order, text_faults
from sithsapp.oob.protocol.encoding import sha256_b64u
from sithsapp.oob.protocol.jwk import EcJwk, jwk_of
from sithsapp.oob.protocol.jws import sign_order
from sithsapp.oob.protocol.order import Binding, Flow, Order, RelyingParty
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.rp_messages import CreateOrder

KEY_ID_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues the documents: the service's origin and environment, and its order-signing key (P-256)."""

    origin: str
    environment: str
    key: ec.EllipticCurvePrivateKey

    @property
    def jwk(self) -> EcJwk:
        """The public key to pin; its `kid` is the beginning of its thumbprint."""
        public = self.key.public_key()
        return jwk_of(public, kid=jwk_of(public).thumbprint[:KEY_ID_LENGTH])

    def check(self, request: CreateOrder, party: RegisteredParty, flow: Flow) -> None:
        """Refuse a request that would become a document that the app refuses. Raises `ProtocolViolation`."""
        order = build_order(request, party, flow, self.origin, OrderSecrets.derive(b"", b""), 0)
        for what, fault in text_faults(order):
            raise ProtocolViolation(ProblemCode.BAD_TEXT, f"{what}: {fault.value}")
        try:
            check_order(order, Situation(self.origin, self.environment, flow))
        except SithsError as error:
            raise ProtocolViolation(ProblemCode.INVALID_REQUEST, error.detail) from None

    def sign(self, record: OrderRecord, party: RegisteredParty, flow: Flow, secrets: OrderSecrets, now: float) -> str:
        """Return the signed document for an order that is claimed now."""
        order = build_order(record.request, party, flow, self.origin, secrets, int(now))
        return sign_order(order, self.key, self.jwk.kid or "")


def build_order(
    request: CreateOrder, party: RegisteredParty, flow: Flow, service: str, secrets: OrderSecrets, now: int
) -> Order:
    """Make the document; names come from the registration. Raises `ProtocolViolation`."""
    binding = binding_for(request, flow)
    if binding is None:
        raise ProtocolViolation(ProblemCode.INVALID_REQUEST, "a flow has no binding")
    returning = request.return_url if binding is Binding.RETURN else None
    origin = party.return_origin(request.return_url) if request.return_url else party.origins[0]
    if origin is None:
        raise ProtocolViolation(ProblemCode.NOT_ALLOWED, "return address is not under a registered origin")
    return Order(
        v=1,
        typ=request.typ,
        svc=service,
        order=secrets.order_id,
        rp=RelyingParty(id=party.id, name=party.name, origin=origin),
        on_behalf_of=request.on_behalf_of,
        nonce_rp=request.nonce,
        nonce_svc=secrets.nonce_svc,
        flow=flow,
        binding=binding,
        ret_s256=None if returning is None else sha256_b64u(returning),
        text=request.text,
        hidden_s256=request.hidden_s256,
        docs=request.docs,
        ades=request.ades,
        context=request.context,
        req=request.req.for_order(),
        iat=now,
        exp=now + request.life,
    )
