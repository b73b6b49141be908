# SPDX-License-Identifier: EUPL-1.2
"""The whole job in process: the relying party starts, the app claims and signs, the browser returns."""

from __future__ import annotations

import pytest

from authservice.rp.errors import NotFinishedError, OrderFailedError, OtherBrowserError
from authservice.rp.session import LoginSession
from sithsapp.oob.protocol.order import Binding, CertIdentity, Flow, KeyUse, OrderType, Text
from sithsapp.oob.protocol.rp_messages import Bindings, OrderRequirements, OrderState
from tests.authservice.support import LOA3, POLICY, RETURN_URL, Bench, Holder, ask


def test_log_in_on_the_same_device(bench: Bench, holder: Holder) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask())
    assert app.claim(pending.created).status_code == 200
    accepted = app.sign(holder)
    assert accepted.status_code == 200, accepted.text
    assert accepted.json() == {
        "result": "accepted",
        "return_url": f"{RETURN_URL}?n={pending.return_nonce}",
        "code": None,
    }
    assert rp.poll(session).state is OrderState.AWAITING_REDEEM
    principal = rp.finish(session, return_nonce=pending.return_nonce, verifier=app.verifier.reveal())
    assert (principal.name, principal.hsaid) == ("Anna Andersson", "TSTNMT2321000156-1A2B")
    assert (principal.loa, principal.organisation) == (LOA3, "Region Exempel")
    assert (principal.flow, principal.binding, principal.bound) == (Flow.SAME, Binding.RETURN, True)
    assert principal.evidence is None
    assert session.pending is None


def test_signature_keeps_its_evidence(bench: Bench, signer: Holder) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    text = Text(fmt="plain", body="Jag godkänner.\n\nFiktiv text.", lang="sv")
    requirements = OrderRequirements(key=KeyUse.SIGN, policies=[POLICY], cert_id=CertIdentity.HSAID)
    pending = rp.start(session, ask(typ=OrderType.SIGN, text=text, requirements=requirements))
    app.claim(pending.created)
    assert app.sign(signer, OrderType.SIGN).status_code == 200
    principal = rp.finish(session, return_nonce=pending.return_nonce, verifier=app.verifier.reveal())
    assert principal.typ is OrderType.SIGN
    assert principal.text == text.body
    assert principal.evidence is not None
    assert principal.evidence.order_jws == app.order_jws


def test_log_in_from_another_device(bench: Bench, holder: Holder) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask())
    assert app.claim_qr(pending.created, 0).status_code == 200
    with pytest.raises(NotFinishedError):
        rp.finish_without_return(session)
    assert app.sign(holder).status_code == 200
    principal = rp.finish_without_return(session)
    assert (principal.binding, principal.bound) == (Binding.QR, False)


def test_log_in_with_a_code(bench: Bench, holder: Holder) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask(bindings=Bindings(same=Binding.CODE)))
    app.claim(pending.created)
    code = app.sign(holder).json()["code"]
    assert len(code) == 6
    assert rp.finish_with_code(session, code).bound


def test_relayed_frame_gains_nothing_without_the_code(bench: Bench, holder: Holder) -> None:
    """P3: with binding `code` whoever showed the QR code to somebody else must also get the digits."""
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask(bindings=Bindings(other=Binding.CODE)))
    assert app.claim_qr(pending.created, 0).status_code == 200
    code = app.sign(holder).json()["code"]
    with pytest.raises(NotFinishedError):
        rp.finish_without_return(session)
    assert rp.finish_with_code(session, code).binding is Binding.CODE


def test_cancelled_order_has_no_principal(bench: Bench) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask())
    app.claim(pending.created)
    app.call("POST", "/cancel", {"reason": "suspicious"})
    with pytest.raises(OrderFailedError) as caught:
        rp.finish_without_return(session)
    assert caught.value.hint.value == "userSuspicious"
    with pytest.raises(OtherBrowserError):
        rp.finish_without_return(session)
