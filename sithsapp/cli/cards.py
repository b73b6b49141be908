# SPDX-License-Identifier: EUPL-1.2
"""`siths status`, `siths readers`, `siths card list`, `siths card read` and `siths card use`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from sithsapp import __version__
from sithsapp.card.model import CardsState, PinState, Slot, SlotStatus
from sithsapp.cli.card_service import read_again, running_card_service, settled
from sithsapp.cli.choice import chosen_card, chosen_slots, why_not_ready
from sithsapp.cli.holder import card_holder, valid_until
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings
from sithsapp.support.state import app_state


def status(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Say what is so, as the windows do, and show readers, cards and codes; exit 0 only when a card is ready."""
    with running_card_service(settings) as service:
        state = settled(service)
    told = app_state(state, valid_until, datetime.now(UTC))
    data = {
        "version": __version__,
        "state": {"condition": told.condition.value, "title": told.title, "text": told.text},
        "environment": settings.environment,
        "service_running": state.service_running,
        "readers": [_slot_data(slot, state) for slot in state.slots],
    }
    lines = [f"SITHS eID-app {__version__} ({settings.environment})", f"{told.title}. {told.text}"]
    for slot in state.slots:
        lines += _slot_lines(slot, state)
    failure = why_not_ready(state)
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


def card_list(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Show the cards, or the one in a named reader; exit 0 only when one is ready."""
    with running_card_service(settings) as service:
        state = settled(service)
    return _show_cards(state, arguments.reader, output)


def card_read(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Read the cards from the start, past what is kept of them, then show them as `card_list` does."""
    with running_card_service(settings) as service:
        readers = [slot.reader for slot in chosen_slots(settled(service), arguments.reader)]
        state = read_again(service, readers)
    return _show_cards(state, arguments.reader, output)


def card_use(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Make the card in a reader the active one, or take the choice back; raises as `chosen_card`."""
    with running_card_service(settings) as service:
        state = settled(service)
        if arguments.forget:
            service.use(None)
            output.result({"active": None}, [tr("No card is chosen any more.")])
            return 0
        card = chosen_card(state, arguments.reader)
        service.use(card.id.reader)
    name = card_holder(card)
    data = {"active": card.id.reader, "holder": name}
    output.result(data, [tr("The app now works with {card}.").format(card=f"{name} ({card.id.reader})")])
    return 0


def _show_cards(state: CardsState, reader: str | None, output: Output) -> int:
    slots = tuple(slot for slot in chosen_slots(state, reader) if slot.status is not SlotStatus.EMPTY)
    failure = why_not_ready(CardsState(state.service_running, slots or state.slots, state.failure))
    if failure is not None and not slots:
        raise SithsError(failure)
    output.result(
        {"cards": [_slot_data(slot, state) for slot in slots]},
        [line for slot in slots for line in _slot_lines(slot, state)],
    )
    if failure is None:
        return 0
    if not output.as_json:
        output.failure(SithsError(failure))
    return failure.exit_code


def _slot_data(slot: Slot, state: CardsState) -> dict[str, object]:
    data: dict[str, object] = {"reader": slot.reader, "status": slot.status.value}
    if slot.failure is not None:
        data["failure"] = slot.failure.number
    if slot.card is not None:
        data |= {
            "product": slot.card.product,
            "label": slot.card.label,
            "holder": card_holder(slot.card),
            "active": slot.card == state.chosen,
            "pin_pad": slot.card.pin_pad is not None,
            "serial": slot.card.id.serial.hex(),
            "atr": slot.card.id.atr.hex(),
            "codes": [_pin_data(pin) for pin in slot.card.pins],
            "certificates": len(slot.card.credentials),
        }
    return data


def _pin_data(pin: PinState) -> dict[str, object]:
    return {"role": pin.role.value, "tries_left": pin.tries_left, "blocked": pin.blocked}


def _slot_lines(slot: Slot, state: CardsState) -> list[str]:
    if slot.card is None:
        return [f"{slot.reader}: {slot.status.value}" + (f" ({slot.failure.number})" if slot.failure else "")]
    lines = [f"{slot.reader}: {slot.card.product}, {card_holder(slot.card)}"]
    if len(state.cards) > 1 and slot.card == state.chosen:
        lines[0] += " (" + tr("active") + ")"
    return lines + [f"  {_pin_line(pin)}" for pin in slot.card.pins]


def _pin_line(pin: PinState) -> str:
    if pin.blocked:
        return f"{pin.role.value}: " + tr("locked")
    if pin.tries_left is None:
        return pin.role.value
    return f"{pin.role.value}: " + tr("{n} attempts left").format(n=pin.tries_left)
