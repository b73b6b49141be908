# SPDX-License-Identifier: EUPL-1.2
"""Put a report together: what support asks for (facts: siths-domain section 7), and nothing that names anybody.

Every line passes the redactor, also those that cannot hold anything private by construction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from sithsapp.card.model import CardsState, Credential, Slot
from sithsapp.failures import Failure, SithsError
from sithsapp.settings.schema import Settings
from sithsapp.support.checks.check import Check, Context, Result
from sithsapp.support.log_files import ROLES, recent_entries
from sithsapp.support.recent import MetFailure, numbers_in
from sithsapp.support.redaction import Redactor, serial_mark
from sithsapp.support.report.parts import MAX_PART, PartKind, Report, text_part
from sithsapp.support.report.private import private_values
from sithsapp.support.report.versions import all_versions, versions_text

MAX_DESCRIPTION = 20_000
"""Signs of the person's own description."""

_LOG_HOURS = timedelta(hours=24)
_MAX_MET = 200


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of.

    `number` is the failure that the person wants to report, empty for none; `met` are those that this process met.
    """

    context: Context
    results: Sequence[tuple[Check, Result]] = ()
    description: str = ""
    number: str = ""
    met: Sequence[MetFailure] = ()
    home: Path = Path("/")


def build(material: Material, now: datetime) -> Report:
    """Return the report as it would be saved; `now` is local time. May take some seconds, and changes nothing."""
    context, cards = material.context, material.context.cards()
    redactor = Redactor(private_values(cards, context.environment, material.home))
    logs = {role: recent_entries(context.log_directory, role, now - _LOG_HOURS, MAX_PART) for role in ROLES}
    log_texts = {role: "\n".join(entry.text for entry in found) for role, found in logs.items() if found}
    parts = [
        text_part("description.txt", PartKind.DESCRIPTION, redactor.text(_description(material))),
        text_part("computer.txt", PartKind.COMPUTER, _computer(material, cards, redactor, now)),
        text_part("checks.txt", PartKind.COMPUTER, _redacted(_checks(material.results), redactor)),
        text_part("failures.txt", PartKind.COMPUTER, _redacted(_failures(material, log_texts.values()), redactor)),
        text_part("settings.txt", PartKind.SETTINGS, _redacted(_settings(context), redactor)),
        text_part("certificates.txt", PartKind.CERTIFICATES, _redacted(_certificates(cards), redactor)),
        *(text_part(f"log-{role}.txt", PartKind.LOG, redactor.text(text)) for role, text in log_texts.items()),
    ]
    return Report(now, tuple(part for part in parts if part.content.strip()))


def with_description(report: Report, description: str, number: str, redactor: Redactor) -> Report:
    """Return the report with another description and all else as it is."""
    text = redactor.text(_describe(description, number))
    parts = [part for part in report.parts if part.kind is not PartKind.DESCRIPTION]
    if text.strip():
        parts.insert(0, text_part("description.txt", PartKind.DESCRIPTION, text))
    return Report(report.made, tuple(parts))


def redactor_for(material: Material) -> Redactor:
    """Return what takes private things out of this computer's texts."""
    return Redactor(private_values(material.context.cards(), material.context.environment, material.home))


def _description(material: Material) -> str:
    return _describe(material.description, material.number)


def _describe(description: str, number: str) -> str:
    text = description.strip()[:MAX_DESCRIPTION]
    heading = f"{number} {_title(number)}\n\n" if number else ""
    return f"{heading}{text}\n" if heading or text else ""


def _title(number: str) -> str:
    return next((failure.title for failure in Failure if failure.number == number), "")


def _redacted(lines: Iterable[str], redactor: Redactor) -> str:
    return "".join(f"{redactor.text(line)}\n" for line in lines)


def _computer(material: Material, cards: CardsState, redactor: Redactor, now: datetime) -> str:
    context = material.context
    head = f"report: {now:%Y-%m-%d %H:%M} (local time)\nenvironment: {context.settings.settings.environment}\n"
    versions = redactor.text(versions_text(all_versions(context.system)))
    others = ", ".join(context.system.other_card_software()) or "none"
    service = "running" if cards.service_running else f"not running {cards.failure.number if cards.failure else ''}"
    more = redactor.text(f"other card software: {others}\nsmart card service: {service.strip()}\n")
    return head + versions + more + "".join(_slot(slot, redactor) for slot in cards.slots)


def _slot(slot: Slot, redactor: Redactor) -> str:
    text = redactor.text(f"\nreader: {slot.reader}\n  status: {slot.status.value}\n")
    if slot.failure is not None:
        text += f"  failure: {slot.failure.number}\n"
    if slot.card is not None:
        text += redactor.text(f"  product: {slot.card.product}\n")
        # The answer to reset says which kind of card it is, the same for all of a kind; so it stays.
        text += f"  card: {serial_mark(slot.card.id.serial)}\n  ATR: {slot.card.id.atr.hex(' ').upper()}\n"
        for pin in slot.card.pins:
            left = "blocked" if pin.blocked else "unknown" if pin.tries_left is None else str(pin.tries_left)
            text += f"  code {pin.role.value}: attempts left {left}\n"
    return text


def _checks(results: Sequence[tuple[Check, Result]]) -> Iterator[str]:
    for check, result in results:
        number = f" {result.failure.number}" if result.failure is not None else ""
        yield f"{check.id}: {result.outcome.value}{number}"
        yield f"  {result.sentence}"
        yield from (f"  - {detail}" for detail in result.details if detail)


def _failures(material: Material, logs: Iterable[str]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for text in logs:
        for number in numbers_in(text):
            counts[number] = counts.get(number, 0) + 1
    for number, count in sorted(counts.items()):
        yield f"{number} {_title(number)}: {count} in the log"
    for met in list(material.met)[:_MAX_MET]:
        yield f"{met.when:%Y-%m-%d %H:%M:%S} {met.number} {met.source}"


def _settings(context: Context) -> Iterator[str]:
    values = msgspec.to_builtins(context.settings.settings)
    for name in Settings.__struct_fields__:
        authority = context.settings.authority(name).name.lower()
        shown = _services(context.settings.settings) if name == "services" else values[name]
        yield f"{name} ({authority}): {msgspec.json.encode(shown).decode()}"
    yield from (f"left out: {problem.detail}" for problem in context.settings.problems)


def _services(settings: Settings) -> list[dict[str, object]]:
    """Return the services without their keys, of which the names suffice."""
    return [
        {
            "id": service.id,
            "origin": service.origin,
            "environment": service.environment,
            "keys": [key.kid for key in service.order_keys],
        }
        for service in settings.services
    ]


def _certificates(cards: CardsState) -> Iterator[str]:
    for card in cards.cards:
        yield f"card {serial_mark(card.id.serial)}: {card.product}"
        for credential in card.credentials:
            yield from _certificate(credential)


def _certificate(credential: Credential) -> Iterator[str]:
    from sithsapp.pki.certificate import read_certificate

    yield f"  certificate {credential.id} ({credential.pin.value}), {credential.key_type.value} {credential.key_bits}"
    try:
        certificate = read_certificate(credential.certificate)
    except SithsError as error:
        yield f"    cannot be read: {error.detail}"
        return
    yield f"    issuer: {certificate.issuer}"
    yield f"    valid: {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
    yield f"    use: {', '.join(sorted(usage.name.lower() for usage in certificate.key_usage))}"
