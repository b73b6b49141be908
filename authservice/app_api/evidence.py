# SPDX-License-Identifier: EUPL-1.2
"""Completion and evidence of a verified signature (protocol section B9)."""

from __future__ import annotations

from datetime import UTC, datetime

from authservice.certificates import JudgedCertificate
from authservice.orders.record import Claim, OrderRecord
from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.messages import SignatureRequest
from sithsapp.oob.protocol.order import Binding
from sithsapp.oob.protocol.rp_messages import Completion, Evidence, Signals
from sithsapp.oob.protocol.verification import VerifiedSignature


def make_completion(
    record: OrderRecord,
    claim: Claim,
    posted: SignatureRequest,
    verified: VerifiedSignature,
    judged: JudgedCertificate,
    now: float,
) -> Completion:
    """Return what the relying party gets once the order is complete."""
    binding = record.binding or Binding.NONE
    return Completion(
        order=record.order_id,
        typ=record.request.typ,
        flow=claim.flow,
        binding=binding,
        bound=binding in (Binding.RETURN, Binding.CODE),
        subject=judged.subject,
        signals=Signals(ip_match=claim.ip_match, app=posted.app, extended=claim.extended),
        evidence=Evidence(
            order_jws=claim.order_jws,
            tbs=b64u(verified.tbs),
            jws=verified.jws,
            x5c=posted.x5c,
            revocation=list(judged.revocation),
            verified_at=datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        ),
    )
