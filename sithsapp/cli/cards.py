# SPDX-License-Identifier: EUPL-1.2
"""`siths status`, `siths readers` and `siths certs`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sithsapp import __version__
from sithsapp.card.model import Card, CardsState, Credential, PinState, Slot
from sithsapp.cli.card_service import running_card_service, settled
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.pki.certificate import Certificate


def status(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Show readers, cards and codes; exit 0 only when a card is ready."""
    with running_card_service(settings) as service:
        state = settled(service)
    data = {
        "version": __version__,
        "environment": settings.environment,
        "service_running": state.service_running,
        "readers": [_slot_data(slot) for slot in state.slots],
    }
    lines = [f"SITHS eID-app {__version__} ({settings.environment})"]
    for slot in state.slots:
        lines += _slot_lines(slot)
    failure = _why_not_ready(state)
    if failure is not None:
        data["failure"] = failure.number
    output.result(data, lines)
    if failure is None:
        return 0
    if not output.as_json:
        output.failure(SithsError(failure))
    return failure.exit_code


def readers(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """List the readers by name with what is in them."""
    with running_card_service(settings) as service:
        state = settled(service)
    if not state.service_running:
        raise SithsError(Failure.NO_READER_SERVICE)
    data = {"readers": [{"reader": slot.reader, "status": slot.status.value} for slot in state.slots]}
    output.result(data, [f"{slot.reader}: {slot.status.value}" for slot in state.slots] or [tr("No card reader")])
    return 0


def certs(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """List the certificates on all cards."""
    from sithsapp.pki.certificate import read_certificate

    with running_card_service(settings) as service:
        state = settled(service)
    failure = _why_not_ready(state)
    if failure is not None:
        raise SithsError(failure)
    found = [(card, c, read_certificate(c.certificate)) for card in state.cards for c in card.credentials]
    lines = [line for card, credential, certificate in found for line in _certificate_lines(credential, certificate)]
    output.result({"certificates": [_certificate_data(*each) for each in found]}, lines)
    return 0


def _why_not_ready(state: CardsState) -> Failure | None:
    if state.cards:
        return None
    if not state.service_running:
        return Failure.NO_READER_SERVICE
    if not state.slots:
        return Failure.NO_READER
    return next((slot.failure for slot in state.slots if slot.failure is not None), Failure.NO_CARD)


def _slot_data(slot: Slot) -> dict[str, object]:
    data: dict[str, object] = {"reader": slot.reader, "status": slot.status.value}
    if slot.failure is not None:
        data["failure"] = slot.failure.number
    if slot.card is not None:
        data |= {
            "product": slot.card.product,
            "label": slot.card.label,
            "serial": slot.card.id.serial.hex(),
            "atr": slot.card.id.atr.hex(),
            "codes": [_pin_data(pin) for pin in slot.card.pins],
            "certificates": len(slot.card.credentials),
        }
    return data


def _pin_data(pin: PinState) -> dict[str, object]:
    return {"role": pin.role.value, "tries_left": pin.tries_left, "blocked": pin.blocked}


def _slot_lines(slot: Slot) -> list[str]:
    if slot.card is None:
        return [f"{slot.reader}: {slot.status.value}" + (f" ({slot.failure.number})" if slot.failure else "")]
    lines = [f"{slot.reader}: {slot.card.product}, {slot.card.label}"]
    return lines + [f"  {_pin_line(pin)}" for pin in slot.card.pins]


def _pin_line(pin: PinState) -> str:
    if pin.blocked:
        return f"{pin.role.value}: " + tr("locked")
    if pin.tries_left is None:
        return pin.role.value
    return f"{pin.role.value}: " + tr("{n} attempts left").format(n=pin.tries_left)


def _certificate_data(card: Card, credential: Credential, certificate: Certificate) -> dict[str, object]:
    return {
        "reader": card.id.reader,
        "id": credential.id,
        "code": credential.pin.value,
        "holder": certificate.common_name,
        "organisation": certificate.organisation,
        "hsaid": certificate.hsaid,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "key": f"{certificate.key_type} {certificate.key_bits}",
        "policies": list(certificate.policies),
        "card_number": certificate.card_number,
        "sha256": certificate.sha256.hex(),
    }


def _certificate_lines(credential: Credential, certificate: Certificate) -> list[str]:
    key = f"{certificate.key_type} {certificate.key_bits}"
    return [
        f"{credential.id}  {certificate.common_name}, {certificate.organisation or ''}",
        f"    {certificate.hsaid or ''}  {certificate.issuer}",
        f"    {credential.pin.value}  {key}  {certificate.not_after:%Y-%m-%d}",
    ]
