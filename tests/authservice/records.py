# SPDX-License-Identifier: EUPL-1.2
"""Order records in every state, for tests of the life cycle."""

from __future__ import annotations

import msgspec

from authservice.orders import machine
from authservice.orders.record import Claim, OrderRecord, Signature
from sithsapp.oob.protocol.encoding import sha256_b64u
from sithsapp.oob.protocol.order import Binding, Flow, OrderType
from sithsapp.oob.protocol.rp_messages import Completion, CreateOrder, Evidence, Signals, Subject
from tests.authservice.support import APP, LOA3, order_body

NOW = 1_767_225_600.0
VERIFIER = "v" * 43


CLAIM = Claim(flow=Flow.SAME, jkt="j" * 43, order_jws="a.b.c", ip_match=True)


def request(binding: Binding = Binding.RETURN, life: int = 180) -> CreateOrder:
    body = order_body(flows=["same"], binding={"same": binding.value}, life=life)
    return msgspec.convert(body, CreateOrder)


def outstanding(binding: Binding = Binding.RETURN, life: int = 180, key: str = "order") -> OrderRecord:
    return OrderRecord(
        key=key,
        order_id="ord_01",
        rp_id="journal",
        seed=bytes(32),
        token_hashes=(f"token-{key}",),
        request=request(binding, life),
        created=NOW,
        deadline=NOW + machine.CLAIM_WITHIN,
    )


def claimed(binding: Binding = Binding.RETURN, life: int = 180) -> OrderRecord:
    return machine.claim(outstanding(binding, life), CLAIM, "key", NOW)


def signed(binding: Binding = Binding.RETURN) -> OrderRecord:
    return machine.sign(claimed(binding), signature(), NOW)


def signature() -> Signature:
    return Signature(body_s256="b", challenge=sha256_b64u(VERIFIER), completion=completion(), code="123456")


def completion() -> Completion:
    return Completion(
        order="ord_01",
        typ=OrderType.AUTH,
        flow=Flow.SAME,
        binding=Binding.RETURN,
        bound=True,
        subject=Subject(cert_sha256="c" * 43, issuer="CA", policies=[], loa=LOA3),
        signals=Signals(ip_match=True, app=APP),
        evidence=Evidence(order_jws="", tbs="", jws="", x5c=[], revocation=[], verified_at=""),
    )
