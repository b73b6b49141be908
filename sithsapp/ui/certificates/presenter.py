# SPDX-License-Identifier: EUPL-1.2
"""From certificates to what the page shows. Pure, without Qt; times are aware."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sithsapp.card.model import Card, PinRole
from sithsapp.locale import ngettext, tr
from sithsapp.pki import oids
from sithsapp.pki.certificate import Certificate
from sithsapp.pki.findings import Inspection, Revocation
from sithsapp.pki.listing import hex_text, list_fields
from sithsapp.pki.loa import LEVEL_WORDS, level_of
from sithsapp.pki.wording import moment, status_text
from sithsapp.ui import plain
from sithsapp.ui.certificates.entries import Entry, EntryId
from sithsapp.ui.elements import Fact
from sithsapp.ui.holder import Describe

NAME_LIMIT = 200
_VALUE_LIMIT = 9000
_SOON = timedelta(days=60)
_FRESH = timedelta(hours=1)  # for so long a good answer is told beside the validity
_BIRTH_DIGITS = 8


class Use(Enum):
    """What a certificate is for, which decides its drawing."""

    IDENTIFICATION = "identification"
    SIGNATURE = "signature"
    ISSUER = "issuer"


class Tone(Enum):
    """How good the news is; values are colour roles."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "error"


@dataclass(frozen=True, slots=True)
class CertificateCard:
    """A certificate in one glance."""

    id: EntryId
    use: Use
    title: str
    issuer: str
    status: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the certificate itself says.

    `facts` come first, `fields` are the rest; `reveal` is the label of what shows or hides the personal number, empty
    where there is none.
    """

    facts: tuple[Fact, ...]
    fields: tuple[Fact, ...]
    reveal: str


def present_card(entry: Entry, now: datetime, inspection: Inspection | None = None) -> CertificateCard:
    """Return the certificate in one glance; a check that found it revoked outweighs its validity."""
    use = _use(entry)
    fields = entry.fields
    if fields is None:
        cannot = tr("The certificate cannot be read")
        return CertificateCard(entry.id, use, _title(use, entry), "", cannot, Tone.BAD)
    status, tone = _status(fields, now, inspection)
    issuer = plain.line(fields.issuer, NAME_LIMIT)
    return CertificateCard(entry.id, use, _title(use, entry), issuer, status, tone)


def present_sheet(entry: Entry, *, revealed: bool) -> Sheet:
    """Return what the certificate says; without `revealed` the personal number is masked wherever it stands."""
    listing = list_fields(entry.der)
    number = entry.fields.personal_number if entry.fields is not None else None
    facts = _facts(entry.fields) if entry.fields is not None else ()
    fields = tuple(
        Fact(_label(field.label, critical=field.critical), plain.block(field.value, _VALUE_LIMIT))
        for field in (*listing.fields, *listing.extensions)
    )
    if number is None:
        return Sheet(facts, fields, "")
    if revealed:
        return Sheet(facts, fields, tr("Hide the personal identity number"))
    hidden = mask(number)
    return Sheet(
        _masked(facts, number, hidden), _masked(fields, number, hidden), tr("Show the personal identity number")
    )


def present_heading(card: Card, describe: Describe) -> str:
    """Return whose card in which reader the certificates below are on, for the case that there are several."""
    holder = describe(card.credentials[0]).name if card.credentials else card.label
    return " · ".join(plain.line(text, NAME_LIMIT) for text in (holder, card.id.reader) if text)


def mask(number: str) -> str:
    """Return a personal number of which the last four digits cannot be seen."""
    return number[:_BIRTH_DIGITS] + "-" + "•" * (len(number) - _BIRTH_DIGITS)


def as_text(entry: Entry, *, revealed: bool) -> str:
    """Return all that the certificate says as lines of text, for the clipboard."""
    sheet = present_sheet(entry, revealed=revealed)
    lines = [f"{fact.label}: {_folded(fact.value)}" for fact in (*sheet.facts, *sheet.fields)]
    return "\n".join((_title(_use(entry), entry), *lines)) + "\n"


def _folded(value: str) -> str:
    return value.replace("\n", "\n    ")


def _use(entry: Entry) -> Use:
    if entry.credential is None:
        return Use.ISSUER
    return Use.SIGNATURE if entry.credential.pin is PinRole.SIGN else Use.IDENTIFICATION


def _title(use: Use, entry: Entry) -> str:
    if use is Use.ISSUER:
        name = entry.fields.common_name if entry.fields is not None else None
        return plain.line(name, NAME_LIMIT) if name else tr("Certificate of an issuer")
    return tr("Signature") if use is Use.SIGNATURE else tr("Identification")


def _status(fields: Certificate, now: datetime, inspection: Inspection | None) -> tuple[str, Tone]:
    checked = inspection.statuses[0] if inspection is not None and inspection.statuses else None
    if checked is not None and checked.revocation is Revocation.REVOKED:
        return status_text(checked), Tone.BAD
    day = fields.not_after.astimezone().date().isoformat()
    if now > fields.not_after:
        return tr("Expired {date}").format(date=day), Tone.BAD
    if now < fields.not_before:
        begins = fields.not_before.astimezone().date().isoformat()
        return tr("Not valid until {date}").format(date=begins), Tone.WARNING
    if fields.not_after - now < _SOON:
        days = (fields.not_after - now).days
        return ngettext("Expires in {n} day", "Expires in {n} days", days).format(n=days), Tone.WARNING
    if checked is not None and checked.revocation is Revocation.GOOD and _is_fresh(inspection, now):
        return tr("Valid and not revoked · valid until {date}").format(date=day), Tone.GOOD
    return tr("Valid · valid until {date}").format(date=day), Tone.GOOD


def _is_fresh(inspection: Inspection | None, now: datetime) -> bool:
    return inspection is not None and now - inspection.at < _FRESH


def _facts(fields: Certificate) -> tuple[Fact, ...]:
    pairs = (
        (tr("Issued to"), _holder(fields)),
        (tr("Organisation"), fields.organisation if not fields.is_ca else None),
        (tr("HSA-id"), fields.hsaid),
        (tr("Personal identity number"), fields.personal_number),
        (tr("Card number"), fields.card_number),
        (tr("Assurance level"), LEVEL_WORDS.get(level_of(fields) or "")),
        (tr("Issued by"), fields.issuer),
        (tr("Valid from"), moment(fields.not_before)),
        (tr("Valid until"), moment(fields.not_after)),
        (tr("Used for"), _uses(fields)),
        (tr("Windows user name (UPN)"), fields.upn),
        (tr("Key"), _key(fields)),
        (tr("Serial number"), hex_text(_octets(fields.serial_number))),
    )
    return tuple(Fact(label, plain.line(value, NAME_LIMIT)) for label, value in pairs if value)


def _holder(fields: Certificate) -> str:
    person = " ".join(filter(None, (fields.given_name, fields.surname)))
    return person or fields.common_name or fields.subject.rfc4514


def _uses(fields: Certificate) -> str:
    usages = sorted(fields.key_usage, key=lambda usage: usage.value)
    purposes = (oids.purpose_name(purpose) for purpose in fields.extended_key_usage or ())
    return ", ".join((*map(oids.usage_name, usages), *purposes))


def _key(fields: Certificate) -> str:
    return f"RSA {fields.key_bits}" if fields.key_type == "RSA" else fields.key_type


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8 or 1)


def _label(label: str, *, critical: bool) -> str:
    return tr("{label}, critical").format(label=label) if critical else label


def _masked(facts: tuple[Fact, ...], number: str, hidden: str) -> tuple[Fact, ...]:
    return tuple(Fact(fact.label, fact.value.replace(number, hidden)) for fact in facts)
