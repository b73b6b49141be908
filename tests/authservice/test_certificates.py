# SPDX-License-Identifier: EUPL-1.2
"""The whole judgement with a real status service: what passes, and that everything else fails closed (P12, P13)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authservice.certificates import AnchoredJudge
from authservice.rp.session import LoginSession
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import LeafVariant
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.ca_status import StatusMode
from sithsapp.card.virtual.keys import KeyKind, generate_key
from tests.authservice.support import (
    LOA3,
    Bench,
    Holder,
    ManualClock,
    ask,
    make_bench,
    problem_code,
)


@pytest.fixture
def status_server() -> Iterator[CaServer]:
    with CaServer() as server:
        yield server


@pytest.fixture
def live_pki(status_server: CaServer, tmp_path: Path) -> VirtualPki:
    pki = VirtualPki(
        tmp_path / "pki",
        base_url=status_server.url,
        environment="test",
        make_key=lambda _kind: generate_key(KeyKind.P_256),
    )
    status_server.pki = pki
    return pki


@pytest.fixture
def live(live_pki: VirtualPki, tmp_path: Path) -> Iterator[Bench]:
    """A service that judges for itself."""
    anchors = tmp_path / "anchors.pem"
    anchors.write_bytes(live_pki.root.certificate.public_bytes(Encoding.PEM))
    clock = ManualClock()
    made = make_bench(tmp_path, clock=clock, judge=AnchoredJudge.from_files(anchors, None, clock))
    with made.http:
        yield made


def outcome(bench: Bench, holder: Holder) -> tuple[str, str]:
    """Sign an order; return the problem code, or "accepted", and the hint."""
    created, app = bench.create(), bench.app()
    app.claim(created)
    answer = app.sign(holder)
    code = "accepted" if answer.status_code == 200 else problem_code(answer)
    return code, bench.status(created)["hint"]


def test_good_card_end_to_end(live: Bench, live_pki: VirtualPki) -> None:
    rp, session, app = live.relying_party(), LoginSession(), live.app()
    pending = rp.start(session, ask())
    app.claim(pending.created)
    assert app.sign(Holder.issue(live_pki)).status_code == 200
    principal = rp.finish(session, return_nonce=pending.return_nonce, verifier=app.verifier.reveal())
    assert (principal.name, principal.loa) == ("Anna Andersson", LOA3)


def test_relying_party_verifies_without_a_network(live: Bench, live_pki: VirtualPki, status_server: CaServer) -> None:
    rp, session, app = live.relying_party(), LoginSession(), live.app()
    pending = rp.start(session, ask())
    app.claim(pending.created)
    assert app.sign(Holder.issue(live_pki)).status_code == 200
    asked = status_server.requests
    status_server.ocsp_mode = status_server.crl_mode = StatusMode.DOWN
    assert rp.finish(session, return_nonce=pending.return_nonce, verifier=app.verifier.reveal()).bound
    assert status_server.requests == asked


@pytest.mark.parametrize("which", [0, 1])
def test_revoked(live: Bench, live_pki: VirtualPki, which: int) -> None:
    holder = Holder.issue(live_pki)
    live_pki.revoke(x509.load_der_x509_certificate(holder.chain[which]))
    assert outcome(live, holder) == ("certificateErr", "certificateErr")


@pytest.mark.parametrize(
    "mode", [StatusMode.DOWN, StatusMode.STALE, StatusMode.WRONG_SIGNER, StatusMode.GARBAGE, StatusMode.UNKNOWN]
)
def test_no_usable_status(live: Bench, live_pki: VirtualPki, status_server: CaServer, mode: StatusMode) -> None:
    status_server.ocsp_mode = status_server.crl_mode = mode
    assert outcome(live, Holder.issue(live_pki)) == ("statusUnavailable", "statusUnavailable")


def test_crl_in_place_of_ocsp(live: Bench, live_pki: VirtualPki, status_server: CaServer) -> None:
    status_server.ocsp_mode = StatusMode.DOWN
    assert outcome(live, Holder.issue(live_pki)) == ("accepted", "return_pending")


@pytest.mark.parametrize(
    ("variant", "code", "hint"),
    [
        (LeafVariant.EXPIRED, "certificateErr", "certificateErr"),
        (LeafVariant.NOT_YET_VALID, "certificateErr", "certificateErr"),
        (LeafVariant.UNKNOWN_CRITICAL_EXTENSION, "certificateErr", "certificateErr"),
        (LeafVariant.SERVER_AUTH_ONLY, "wrongCertificate", "started"),
        (LeafVariant.NO_POLICY, "wrongCertificate", "started"),
    ],
)
def test_wrong_kinds(live: Bench, live_pki: VirtualPki, variant: LeafVariant, code: str, hint: str) -> None:
    assert outcome(live, Holder.issue(live_pki, variant=variant)) == (code, hint)


def test_foreign_root(live: Bench, tmp_path: Path, pki: VirtualPki) -> None:
    assert outcome(live, Holder.issue(pki)) == ("certificateErr", "certificateErr")


def test_anchors_must_be_there(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    with pytest.raises(ValueError, match=r"PEM|certificate"):
        AnchoredJudge.from_files(empty, None, ManualClock())
