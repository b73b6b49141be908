# SPDX-License-Identifier: EUPL-1.2
"""What the page of certificates says, without Qt."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sithsapp.card.model import PinRole
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.pki.ad_checks import Verdict
from sithsapp.ui.certificates import checks_presenter
from sithsapp.ui.certificates.entries import Entry, entries_of
from sithsapp.ui.certificates.knowledge import logon_of
from sithsapp.ui.certificates.presenter import Tone, Use, as_text, mask, present_card, present_sheet
from sithsapp.ui.elements import Severity
from tests.ui import certificate_samples as made

NUMBER = DEFAULT_PERSON.personal_number


def _now() -> datetime:
    return datetime.now(UTC)


def _facts(entry: Entry, *, revealed: bool = False) -> dict[str, str]:
    return {fact.label: fact.value for fact in present_sheet(entry, revealed=revealed).facts}


def test_keys_first_then_issuers() -> None:
    cards = [present_card(entry, _now()) for entry in entries_of(made.usual())]
    assert [card.use for card in cards] == [Use.IDENTIFICATION, Use.SIGNATURE, Use.ISSUER]
    assert [card.title for card in cards[:2]] == ["Identification", "Signature"]
    assert cards[2].title == "TEST SITHS e-id Person HSA-id 3 CA v1"
    assert cards[0].issuer == "TEST SITHS e-id Person HSA-id 3 CA v1"
    assert cards[0].tone is Tone.GOOD


def test_a_certificate_that_lies_there_twice_is_shown_once() -> None:
    auth, issuer = made.invented()["auth"], made.invented()["issuer"]
    entries = entries_of(made.seen(made.card([made.credential(0, auth)], [auth, issuer, issuer])))
    assert [entry.credential is not None for entry in entries] == [True, False]


def test_siths_fields_come_first() -> None:
    facts = _facts(made.one("auth"))
    assert list(facts)[:4] == ["Issued to", "Organisation", "HSA-id", "Card number"]
    assert facts["Issued to"] == "Anna Andersson"
    assert facts["HSA-id"] == DEFAULT_PERSON.hsa_id
    assert facts["Assurance level"] == "3"
    assert facts["Used for"] == "Digital signature, Client authentication, Smart card logon"
    assert facts["Key"] == "P-256"


def test_the_personal_number_is_masked_everywhere_until_it_is_asked_for() -> None:
    entry = made.one("number")
    masked = as_text(entry, revealed=False)
    assert NUMBER not in masked
    assert masked.count(mask(NUMBER)) >= 2
    assert mask(NUMBER) == "19121212-••••"
    assert _facts(entry, revealed=True)["Personal identity number"] == NUMBER
    assert NUMBER in as_text(entry, revealed=True)
    assert present_sheet(entry, revealed=False).reveal == "Show the personal identity number"
    assert present_sheet(made.one("auth"), revealed=False).reveal == ""


@pytest.mark.parametrize(
    ("name", "tone", "begins"),
    [
        ("expired", Tone.BAD, "Expired 20"),
        ("future", Tone.WARNING, "Not valid until 20"),
        ("auth", Tone.GOOD, "Valid"),
    ],
)
def test_validity_in_words(name: str, tone: Tone, begins: str) -> None:
    card = present_card(made.one(name), _now())
    assert (card.tone, card.status.startswith(begins)) == (tone, True)


def test_the_end_comes_near() -> None:
    entry = made.one("auth")
    assert entry.fields is not None
    near = present_card(entry, entry.fields.not_after - timedelta(days=10, hours=1))
    assert (near.status, near.tone) == ("Expires in 10 days", Tone.WARNING)
    assert present_card(entry, entry.fields.not_after - timedelta(days=1, hours=1)).status == "Expires in 1 day"


def test_a_check_is_told() -> None:
    entry = made.one("auth")
    revoked = present_card(entry, _now(), made.inspection(Failure.CERTIFICATE_REVOKED))
    assert (revoked.tone, revoked.status[:13]) == (Tone.BAD, "Revoked since")
    good = made.inspection()
    assert present_card(entry, good.at, good).status.startswith("Valid and not revoked")
    assert present_card(entry, good.at + timedelta(hours=2), good).status.startswith("Valid · valid until")
    assert checks_presenter.present_result(made.inspection()).severity is Severity.GOOD
    bad = checks_presenter.present_result(made.inspection(Failure.CERTIFICATE_REVOKED))
    assert (bad.severity, "C207" in bad.text) == (Severity.ERROR, True)
    vague = checks_presenter.present_result(made.inspection(Failure.REVOCATION_NOT_CHECKED))
    assert (vague.severity, "C221" in vague.text) == (Severity.WARNING, True)


def test_what_cannot_be_read_is_still_shown() -> None:
    entry = entries_of(made.seen(made.card([made.credential(0, b"\x30\x03abc")])))[0]
    assert present_card(entry, _now()).status == "The certificate cannot be read"
    sheet = present_sheet(entry, revealed=False)
    assert (sheet.facts, sheet.fields[0].value) == ((), "30 03 61 62 63")
    assert as_text(entry, revealed=False).startswith("Identification\n")


def test_a_chain_says_where_it_comes_from() -> None:
    rows = checks_presenter.present_chain(made.chain(), made.inspection())
    assert [row.note for row in rows] == [
        "This certificate · Not revoked",
        "Issuer · From the card · Not revoked",
        "Root · From this computer",
    ]
    short = checks_presenter.present_chain(made.chain(complete=False))
    assert short[-1].name == "The next issuer is missing"


def test_the_logon_names_what_is_to_be_done_first() -> None:
    logon = logon_of(made.one("auth"), made.chain())
    assert logon is not None
    view = checks_presenter.present_logon(logon)
    assert view.notice.severity is Severity.WARNING
    assert [row.verdict for row in view.open_demands] == [Verdict.SETUP]
    assert Verdict.MET in {row.verdict for row in view.other_demands}
    assert view.mappings[0].value.startswith("X509:<I>C=SE")
    assert logon_of(made.one("sign", PinRole.SIGN), made.chain()) is None


def test_failures_have_their_number() -> None:
    notice = checks_presenter.present_failure(SithsError(Failure.FILE_NOT_WRITTEN, "secret detail"))
    assert "A910" in notice.text
    assert "secret" not in notice.text


def test_names_from_outside_stay_in_their_lines() -> None:
    entry = made.one("auth")
    assert entry.fields is not None
    name = "\u202eAnna\u2028" + "x" * 500
    parts = tuple(
        tuple((oid, name if oid == "2.5.4.10" else value) for oid, value in part)
        for part in entry.fields.subject.parts
    )
    fields = replace(entry.fields, subject=replace(entry.fields.subject, parts=parts))
    shown = _facts(replace(entry, fields=fields))["Organisation"]
    assert "\u202e" not in shown
    assert "\u2028" not in shown
    assert len(shown) <= 202


def test_swedish() -> None:
    set_language("sv")
    assert present_card(made.one("auth"), _now()).status.startswith("Giltigt · giltigt till 20")
    assert "Tillitsnivå" in _facts(made.one("auth"))


def test_the_list_loads_no_cryptographic_library() -> None:
    code = (
        "import sys; from sithsapp.ui.certificates import presenter, checks_presenter, entries, knowledge; "
        "print(any(name.startswith(('cryptography', 'PySide6')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "False"
