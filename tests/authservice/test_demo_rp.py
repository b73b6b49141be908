# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's pages: log-in without script, attacks between browsers, cookies, headers, both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from authservice.demo_rp.frames import frame_svg
from authservice.rp.errors import NotVerifiedError, ServiceUnreachableError
from authservice.rp.principal import Principal
from authservice.rp.relying_party import RelyingParty
from authservice.rp.session import LoginSession
from authservice.rp_api.creation import _answer
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import OTHER_PERSON, KeyPurpose
from sithsapp.oob.protocol.order import OrderType
from sithsapp.oob.protocol.qr import parse_frame
from sithsapp.oob.protocol.rp_messages import Completion
from tests.authservice.demo_site import Site, launch_link, log_in, sign_in_app
from tests.authservice.support import RP_ORIGIN, Bench, Holder


def test_log_in_without_script(site: Site, bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    start = browser.get("/")
    assert "Logga in med SITHS eID på denna enhet" in start.text
    page = browser.post("/login", data={"how": "same"})
    assert page.url.path == "/login"
    assert "Starta appen." in page.text
    assert '<noscript><meta http-equiv="refresh" content="15; url=/login"></noscript>' in page.text
    app, address = sign_in_app(bench, page, holder)
    bench.clock.pass_(1)
    assert "Klart i appen." in browser.get("/login").text
    me = browser.get(address)
    assert (me.url.path, me.url.query) == ("/me", b"")
    for expected in (
        "Anna Andersson",
        "TSTNMT2321000156-1A2B",
        "Region Exempel",
        "LoA 3",
        "kom tillbaka till webbläsaren",
    ):
        assert expected in me.text
    assert "Du har fortsatt i en annan flik" in browser.get("/login").text
    names = [event["event"] for event in site.events()]
    assert names == ["started", "principal"]
    assert site.events()[1]["hsaid"] == "TSTNMT2321000156-1A2B"
    assert app.verifier.reveal() not in me.text


def test_steps_follow_the_app(bench: Bench, browser: httpx.Client) -> None:
    page = browser.post("/login", data={"how": "same"})
    app = bench.app()
    app.claim(launch_link(page))
    bench.clock.pass_(1)
    page = browser.get("/login")
    assert "Sätt i kortet i läsaren." in page.text
    assert "siths:" not in page.text
    assert 'content="5; url=/login"' in page.text
    app.call("POST", "/progress", {"hint": "user_sign"})
    bench.clock.pass_(1)
    assert browser.get("/login/state").json() == {
        "reload": False,
        "message": "Skriv din säkerhetskod i appen och välj Legitimera.",
        "step": 2,
    }


def test_log_in_from_another_device(site: Site, bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    page = browser.post("/login", data={"how": "other"})
    assert "/login/qr.svg" in page.text
    assert "siths:" not in page.text.lower().replace("siths eid", "")
    assert 'content="3; url=/login"' in page.text
    frame = browser.get("/login/qr.svg")
    assert frame.headers["content-type"] == "image/svg+xml"
    assert frame.text.count("<path") == 1
    [record] = bench.context.store._orders.values()  # type: ignore[attr-defined] # the store in memory
    secrets = bench.context.secrets_of(record.seed)
    app = bench.app()
    assert app.claim_qr(_answer(bench.context, record), 0).status_code == 200
    assert secrets.order_ref not in page.text
    assert app.sign(holder).status_code == 200
    bench.clock.pass_(1)
    me = browser.get("/login")
    assert me.url.path == "/me"
    assert "QR-kod, som kan vidarebefordras" in me.text


def test_frames_hold_this_second_and_end(bench: Bench) -> None:
    created = bench.create()
    assert created.qr is not None
    first, second = (frame_svg(created.qr, "siths", "demo", at) for at in (0.2, 1.3))
    assert first
    assert second
    assert first != second
    assert frame_svg(created.qr, "siths", "demo", 60.0) is None
    assert created.qr.secret.encode() not in first
    assert parse_frame("siths", f"SITHS:Q/1/DEMO/{created.qr.token}/0/{'A' * 26}").service == "demo"


def test_return_in_another_browser(site: Site, bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    """P1: who starts is not who signs: nobody is logged in, and the starter learns nothing."""
    page = browser.post("/login", data={"how": "same"})
    _, address = sign_in_app(bench, page, holder)
    with site.browser() as victim:
        lost = victim.get(address)
        assert lost.status_code == 403
        assert "Inloggningen påbörjades i en annan webbläsare" in lost.text
        assert "Jag har inte påbörjat någon inloggning" in lost.text
        assert "Andersson" not in lost.text
        assert victim.get("/me").url.path == "/"
        assert "Ingen loggades in." in victim.post("/report").text
    bench.clock.pass_(1)
    assert browser.get("/me").url.path == "/"
    assert "Andersson" not in browser.get("/login").text
    bench.clock.pass_(121)
    assert "kunde inte kopplas till din webbläsare" in browser.get("/login").text
    assert {"event": "other_browser"} in site.events()


def test_the_attack_works_where_the_check_is_taken_out(
    bench: Bench, tmp_path: Path, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1, the other half: with a relying party that finishes whatever order the link names, the attack works."""
    orders: dict[str, LoginSession] = {}
    genuine_start, genuine_finish = RelyingParty.start, RelyingParty.finish

    def start(self: RelyingParty, session: LoginSession, ask: Any) -> Any:
        pending = genuine_start(self, session, ask)
        orders[pending.return_nonce] = session
        return pending

    def finish(self: RelyingParty, session: LoginSession, *, return_nonce: str, verifier: str) -> Principal:
        return genuine_finish(self, orders[return_nonce], return_nonce=return_nonce, verifier=verifier)

    monkeypatch.setattr(RelyingParty, "start", start)
    monkeypatch.setattr(RelyingParty, "finish", finish)
    site = Site(bench, tmp_path)
    with site.browser() as attacker, site.browser() as victim:
        _, address = sign_in_app(bench, attacker.post("/login", data={"how": "same"}), holder)
        victim.post("/login", data={"how": "same"})
        assert "Anna Andersson" in victim.get(address).text


def test_link_of_the_attacker_logs_nobody_in(
    site: Site, bench: Bench, browser: httpx.Client, pki: VirtualPki
) -> None:
    """P4."""
    attacker_page = browser.post("/login", data={"how": "same"})
    _, address = sign_in_app(bench, attacker_page, Holder.issue(pki, person=OTHER_PERSON))
    with site.browser() as victim:
        victim.post("/login", data={"how": "same"})
        assert victim.get(address).status_code == 403
        assert victim.get("/me").url.path == "/"


def test_session_id_changes_at_every_step(bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    browser.cookies.set("__Host-session", "planted", domain="journal.example.org", path="/")
    page = browser.post("/login", data={"how": "same"})
    before = browser.cookies.get("__Host-session", domain="journal.example.org")
    assert before
    assert before != "planted"
    _, address = sign_in_app(bench, page, holder)
    browser.get(address)
    after = browser.cookies.get("__Host-session", domain="journal.example.org")
    assert after != before
    with httpx.Client(transport=browser._transport, base_url=RP_ORIGIN, cookies={"__Host-session": before}) as old:
        assert old.get("/me").status_code == 303


def test_signature(site: Site, bench: Bench, browser: httpx.Client, holder: Holder, signer: Holder) -> None:
    log_in(bench, browser, holder)
    page = browser.post("/sign", data={"text": "Rad ett <b>\r\nRad två & mer"})
    assert "Skriv under med SITHS eID" in page.text
    _, address = sign_in_app(bench, page, signer, OrderType.SIGN)
    done = browser.get(address)
    assert done.url.path == "/signed"
    assert "Rad ett &lt;b&gt;\nRad två &amp; mer" in done.text
    assert "<b>" not in done.text
    assert browser.get("/me").status_code == 200
    assert site.events()[-1]["event"] == "signature"


def test_only_she_who_is_logged_in_can_sign(
    bench: Bench, browser: httpx.Client, holder: Holder, pki: VirtualPki
) -> None:
    log_in(bench, browser, holder)
    page = browser.post("/sign", data={"text": "Text"})
    app = bench.app()
    app.claim(launch_link(page))
    other = Holder.issue(pki, person=OTHER_PERSON, purpose=KeyPurpose.SIGN)
    assert app.sign(other, OrderType.SIGN).status_code == 422
    with httpx.Client(transport=browser._transport, base_url=RP_ORIGIN) as stranger:
        assert stranger.post("/sign", data={"text": "Text"}).headers["location"] == "/"


@pytest.mark.parametrize("text", ["", "a\u202eb", "   "])
def test_texts_that_cannot_be_signed(bench: Bench, browser: httpx.Client, holder: Holder, text: str) -> None:
    log_in(bench, browser, holder)
    assert "Texten kan inte skrivas under" in browser.post("/sign", data={"text": text}).text


def test_cancel_and_start_again(bench: Bench, browser: httpx.Client) -> None:
    page = browser.post("/login", data={"how": "same"})
    assert "Åtgärden avbruten. Försök igen." in browser.post("/cancel").text
    app = bench.app()
    assert app.claim(launch_link(page)).status_code == 404


def test_new_start_cancels_the_old_order(bench: Bench, browser: httpx.Client) -> None:
    first = browser.post("/login", data={"how": "same"})
    browser.post("/login", data={"how": "same"})
    assert bench.app().claim(launch_link(first)).status_code == 404


def test_log_out(bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    assert log_in(bench, browser, holder).url.path == "/me"
    assert browser.post("/logout").url.path == "/"
    assert browser.get("/me").url.path == "/"


ENDS = {
    "user": "Åtgärden avbruten.",
    "suspicious": "Du avvisade begäran. Kontakta din IT-support.",
    "blocked": "Koden är låst. Lås upp med PUK-kod.",
    "no_card": "Inget kort sattes i. Försök igen.",
}


@pytest.mark.parametrize("reason", list(ENDS))
def test_ends(bench: Bench, browser: httpx.Client, reason: str) -> None:
    app = bench.app()
    app.claim(launch_link(browser.post("/login", data={"how": "same"})))
    app.call("POST", "/cancel", {"reason": reason})
    bench.clock.pass_(1)
    assert ENDS[reason] in browser.get("/login").text
    assert browser.get("/login/state").json() == {"reload": True}


def test_app_did_not_start(bench: Bench, browser: httpx.Client) -> None:
    browser.post("/login", data={"how": "same"})
    bench.clock.pass_(61)
    assert "Appen startade inte. Är den installerad?" in browser.get("/login").text


def test_result_that_does_not_verify(
    bench: Bench, browser: httpx.Client, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(*_arguments: object, **_more: object) -> Completion:
        raise NotVerifiedError(11, "for the test")

    monkeypatch.setattr("authservice.rp.relying_party.verify_completion", swap)
    assert "Inloggningen kunde inte verifieras." in log_in(bench, browser, holder).text
    assert browser.get("/me").url.path == "/"


def test_service_away(bench: Bench, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object, **_more: object) -> None:
        raise ServiceUnreachableError("away")

    monkeypatch.setattr(RelyingParty, "start", away)
    assert "Autentiseringstjänsten kan inte nås." in browser.post("/login", data={"how": "same"}).text
