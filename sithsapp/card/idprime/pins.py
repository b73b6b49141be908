# SPDX-License-Identifier: EUPL-1.2
"""The codes of the card: status, verify, log out, change, unblock (fact sheet idprime940 section 5).

Each function sends one command. Nothing here is ever repeated: a code that was refused stays refused.
"""

from __future__ import annotations

from contextlib import ExitStack

from sithsapp.card.idprime.files import PinDescription, parse_pin_description
from sithsapp.card.idprime.profile import PinSlot
from sithsapp.card.iso7816 import Channel, CommandApdu, Ins, StatusKind, StatusWord, Sw, wipe
from sithsapp.card.pin import MAX_PIN_LENGTH, PadEntry, Pin
from sithsapp.card.pin_pad import PadCommand, within
from sithsapp.failures import Failure, SithsError

_LOG_OUT = 0xFF
_COUNTER_FULL = 15

_WRONG_CODE = {Ins.RESET_RETRY_COUNTER: (Failure.PUK_WRONG, Failure.PUK_LOCKED)}
_PIN_FAILURES = (Failure.PIN_WRONG, Failure.PIN_LOCKED)
_FORM: dict[int, Failure] = {Sw.WRONG_LENGTH: Failure.PIN_FORMAT, Sw.WRONG_DATA: Failure.PIN_FORMAT}
_PAD: dict[int, Failure] = {
    0x6400: Failure.PIN_PAD_TIMEOUT,
    0x6401: Failure.PIN_PAD_CANCELLED,
    0x6402: Failure.NEW_PINS_DIFFER,
    0x6403: Failure.PIN_FORMAT,
    # What a reader does not let through, by its own firewall or for want of sense in the structure, and what the card
    # says of a field that the reader did not fill as it should: another sending would be no better.
    0x6B80: Failure.PIN_PAD_REFUSED,
    Sw.WRONG_LENGTH: Failure.PIN_PAD_REFUSED,
    Sw.INS_NOT_SUPPORTED: Failure.PIN_PAD_REFUSED,
    Sw.CLA_NOT_SUPPORTED: Failure.PIN_PAD_REFUSED,
}
"""What the reader answers itself (PC/SC part 10, 2.5.2)."""
_NEW_CODE: dict[int, Failure] = {
    Sw.WRONG_LENGTH: Failure.PIN_FORMAT,
    Sw.WRONG_DATA: Failure.NEW_PIN_REFUSED,
    Sw.CONDITIONS_NOT_SATISFIED: Failure.NEW_PIN_REFUSED,
}


def refusal(ins: Ins, status: StatusWord) -> SithsError | None:
    """Return what a status word after a PIN-bearing command means to a person, None for success.

    Only 63Cx, 6983 and 6984 blame the code; everything that is not known blames the card.
    """
    if status.kind is StatusKind.OK:
        return None
    detail = f"{ins.name} {status}"
    tries = status.tries_left
    if tries is not None:
        wrong, locked = _WRONG_CODE.get(ins, _PIN_FAILURES)
        return SithsError(wrong if tries else locked, detail, tries_left=tries)
    table: dict[int, Failure] = _FORM if ins is Ins.VERIFY else _NEW_CODE
    return SithsError(table.get(status.value, Failure.CARD_ERROR), detail)


def read_status(channel: Channel, slot: PinSlot) -> StatusWord:
    """Ask for the state of a code without using a try: 9000 verified, 63Cx, 6983, 6984 or a refusal."""
    return channel.send(CommandApdu(Ins.VERIFY, 0x00, slot.reference)).status


def counts_tries(status: StatusWord) -> bool:
    """Tell whether a status names the tries left for certain: 63CF may stand for more than 15."""
    return status.tries_left is not None and status.tries_left < _COUNTER_FULL


def read_description(channel: Channel, slot: PinSlot) -> bytes:
    """Return the card's description of a code, empty if there is none with that reference."""
    question = bytes([0xA0, 0x03, 0x83, 0x01, slot.reference])
    response = channel.send(CommandApdu(Ins.GET_DATA_ODD, 0x00, 0xFF, question, le=256))
    if response.status.value == Sw.REFERENCE_NOT_FOUND:
        return b""
    if not response.ok:
        raise SithsError(Failure.CARD_ERROR, f"GET DATA PIN {response.status}")
    parse_pin_description(response.data)
    return response.data


def verify(channel: Channel, slot: PinSlot, description: PinDescription, pin: Pin | PadEntry) -> None:
    """Send the code once, or let it be typed on the reader once.

    Raises PIN_WRONG, PIN_LOCKED, PIN_FORMAT or CARD_ERROR, and as `on_pad`.
    """
    if isinstance(pin, PadEntry):
        on_pad(channel, Ins.VERIFY, slot, description, pin)
    else:
        _send(channel, Ins.VERIFY, slot, description, pin)


def change(channel: Channel, slot: PinSlot, description: PinDescription, old: Pin, new: Pin) -> None:
    """Replace the code; raises as `verify`, and NEW_PIN_REFUSED."""
    _send(channel, Ins.CHANGE_REFERENCE_DATA, slot, description, old, new)


def unblock(channel: Channel, slot: PinSlot, description: PinDescription, puk: Pin, new: Pin) -> None:
    """Set a new code with the PUK; raises PUK_WRONG, PUK_LOCKED, NEW_PIN_REFUSED, PIN_FORMAT or CARD_ERROR."""
    _send(channel, Ins.RESET_RETRY_COUNTER, slot, description, puk, new)


def log_out(channel: Channel, slot: PinSlot) -> StatusWord | None:
    """End the code's login state; return the status that shows it, None if the card still holds it."""
    response = channel.send(CommandApdu(Ins.VERIFY, _LOG_OUT, slot.reference))
    status = read_status(channel, slot)
    return status if response.ok and status.tries_left is not None else None


def on_pad(channel: Channel, ins: Ins, slot: PinSlot, description: PinDescription, entry: PadEntry) -> None:
    """Let codes be typed on the reader for one command: one for VERIFY, else an old one, or the PUK, and a new one.

    Raises as `verify`, `change` or `unblock`; PIN_PAD_TIMEOUT, PIN_PAD_CANCELLED, PIN_PAD_REFUSED, NEW_PINS_DIFFER;
    and CANCELLED_BY_USER when nobody waits any more.
    """
    width = description.stored_length or MAX_PIN_LENGTH
    pad = channel.connection.pin_pad
    if pad is None or (ins is not Ins.VERIFY and not pad.changes):
        raise SithsError(Failure.PIN_PAD_REFUSED, "the reader has no keys for this")
    lengths = within(pad, min(slot.min_length, width), width)
    header = bytes([0x00, ins, 0x00, slot.reference])
    entry.take()
    status = channel.send_on_pad(PadCommand(header, 1 if ins is Ins.VERIFY else 2, width, *lengths))
    failure = _PAD.get(status.value)
    if failure is Failure.PIN_PAD_REFUSED:
        channel.connection.distrust_pad()
    problem = refusal(ins, status) if failure is None else SithsError(failure, f"{ins.name} {status} on the reader")
    if problem is not None:
        raise problem
    entry.accept()


def _send(channel: Channel, ins: Ins, slot: PinSlot, description: PinDescription, *codes: Pin) -> None:
    width = description.stored_length or MAX_PIN_LENGTH
    with ExitStack() as lent:
        entries = [lent.enter_context(code.once()) for code in codes]
        if any(not 1 <= len(digits) <= width for digits in entries):
            raise SithsError(Failure.PIN_FORMAT, "the code does not fit the card's field")
        field = bytearray(width * len(entries))
        for place, digits in enumerate(entries):
            field[place * width : place * width + len(digits)] = digits
        try:
            status = channel.send_secret(bytes([0x00, ins, 0x00, slot.reference]), field)
        finally:
            wipe(field)
    problem = refusal(ins, status)
    if problem is not None:
        raise problem
