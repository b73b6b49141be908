# SPDX-License-Identifier: EUPL-1.2
"""Cards with certificates that a test CA has issued to invented people, and what may be known of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.model import Card, CardId, CardsState, Credential, PinRole, PinState, Slot, SlotStatus
from sithsapp.card.pin import Pin
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.keys import KeyKind, PrivateKey, generate_key
from sithsapp.failures import Failure
from sithsapp.pki.findings import Chain, Inspection, Known, Origin, Revocation, Status
from sithsapp.ui.certificates.deleting_presenter import Deletion
from sithsapp.ui.certificates.entries import Entry, entries_of, read_name_of
from sithsapp.ui.certificates.knowledge import Knowledge, logon_of
from sithsapp.ui.certificates.page import CertificatesPage
from sithsapp.ui.certificates.presenter import as_text
from tests.ui import samples
from tests.ui.pseudo import pseudo_language

BASE = "http://status.test"


def small_key(_kind: KeyKind) -> PrivateKey:
    """Return a key that is made in no time."""
    return generate_key(KeyKind.P_256)


def issue(
    pki: VirtualPki,
    profile: IssuerProfile = IssuerProfile.HSA_ID_3,
    purpose: KeyPurpose = KeyPurpose.AUTH,
    variant: LeafVariant = LeafVariant.NORMAL,
) -> x509.Certificate:
    """Issue a certificate to the invented person."""
    key = small_key(KeyKind.P_256).public_key()
    return pki.issue(LeafRequest(profile, purpose, DEFAULT_PERSON, key, variant))


def der(certificate: x509.Certificate) -> bytes:
    """Return a certificate in DER."""
    return certificate.public_bytes(Encoding.DER)


def credential(number: int, certificate: bytes, role: PinRole = PinRole.AUTH) -> Credential:
    """Return a certificate as it lies on a card."""
    return replace(samples.AUTH, id=f"{number:02}", certificate=certificate, pin=role)


def card(credentials: Sequence[Credential], others: Sequence[bytes] = (), *, deletes: bool = False) -> Card:
    """Return a card with these certificates."""
    return replace(
        samples.CARD,
        credentials=tuple(credentials),
        other_certificates=tuple(others),
        deletes_certificates=deletes,
    )


def seen(*cards: Card) -> CardsState:
    """Return the state in which these cards are in readers."""
    return CardsState(True, tuple(Slot(each.id.reader, SlotStatus.READY, each) for each in cards))


@cache
def invented() -> dict[str, bytes]:
    """Return certificates by what they are: leaves, their issuing CA and the root."""
    with tempfile.TemporaryDirectory() as directory:
        pki = VirtualPki(Path(directory), base_url=BASE, environment="test", make_key=small_key)
        made = {
            "auth": issue(pki),
            "sign": issue(pki, purpose=KeyPurpose.SIGN),
            "number": issue(pki, IssuerProfile.PERSON_ID_3),
            "expired": issue(pki, variant=LeafVariant.EXPIRED),
            "future": issue(pki, variant=LeafVariant.NOT_YET_VALID),
            "issuer": pki.issuer(IssuerProfile.HSA_ID_3).certificate,
            "root": pki.root.certificate,
        }
        return {name: der(certificate) for name, certificate in made.items()}


def one(name: str, role: PinRole = PinRole.AUTH, *, deletes: bool = False) -> Entry:
    """Return the entry of one certificate, alone on its card but for its issuer."""
    made = card([credential(0, invented()[name], role)], [invented()["issuer"]], deletes=deletes)
    return entries_of(seen(made))[0]


def usual() -> CardsState:
    """Return a card with both certificates and their issuer."""
    own = [credential(0, invented()["auth"]), credential(1, invented()["sign"], PinRole.SIGN)]
    return seen(card(own, [invented()["issuer"]]))


def chain(*, complete: bool = True) -> Chain:
    """Return the chain of the identification certificate."""
    members = (
        Known(invented()["auth"], Origin.CARD),
        Known(invented()["issuer"], Origin.CARD),
        Known(invented()["root"], Origin.SYSTEM),
    )
    return Chain(members if complete else members[:2], complete)


def inspection(failure: Failure | None = None) -> Inspection:
    """Return what a check found."""
    at = datetime.now(UTC)
    leaf = {
        Failure.CERTIFICATE_REVOKED: Status(Revocation.REVOKED, at),
        Failure.REVOCATION_NOT_CHECKED: Status(Revocation.NOT_CHECKED),
        Failure.CERTIFICATE_NOT_KNOWN: Status(Revocation.NOT_KNOWN),
    }
    statuses = (leaf.get(failure, Status(Revocation.GOOD)) if failure else Status(Revocation.GOOD),)
    return Inspection(chain(), (*statuses, Status(Revocation.GOOD)), failure is None, at, failure)


STATES = ("list", "detail", "revoked", "everything", "nothing")
"""The states of the page that look different."""


def show(page: CertificatesPage, state: str) -> None:
    """Bring a page over the usual card into a state, without threads."""
    if state in ("list", "nothing"):
        return
    row = next(iter(page._rows.values()))
    row.knowledge = Knowledge(chain(), logon_of(row.entry, chain()))
    row.inspection = inspection(Failure.CERTIFICATE_REVOKED) if state == "revoked" else inspection()
    page.refresh()
    row.toggle()
    detail = row.panel.detail
    assert detail is not None
    if state == "everything":
        detail.fold.button.click()


class NoCards:
    """A card service that deletes nothing."""

    def delete_certificate(
        self, card: CardId, credential_id: str, pin: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """Fail: nobody shall ask."""
        raise AssertionError(card)


def deletions() -> dict[str, Deletion]:
    """Return wishes to delete a certificate."""
    entry = one("auth", deletes=True)
    assert entry.credential is not None
    wish = Deletion(card([entry.credential], deletes=True), entry.credential, entry.fields, samples.AUTH_PIN)
    return {"auth": wish, "last": replace(wish, pin=replace(samples.AUTH_PIN, tries_left=1))}


@cache
def words() -> tuple[str, ...]:
    """Return what the certificates themselves say, which no catalogue translates."""
    with pseudo_language():
        entries = entries_of(usual())
        logon = logon_of(entries[0], chain())
        mappings = [mapping.value for mapping in logon.mappings] if logon is not None else []
        names = [read_name_of(member.der) for member in chain().members]
        return (*(as_text(entry, revealed=True) for entry in entries), *mappings, *names)
