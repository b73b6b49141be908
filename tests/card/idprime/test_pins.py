# SPDX-License-Identifier: EUPL-1.2
"""Every status word after every command with a code, and what a person is told."""

from __future__ import annotations

import pytest

from sithsapp.card.idprime import pins
from sithsapp.card.idprime.files import PinDescription
from sithsapp.card.idprime.profile import PINS
from sithsapp.card.iso7816 import Channel, Ins, StatusWord
from sithsapp.card.pin import Pin
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import ScriptedCard, pin

VERIFY, CHANGE, UNBLOCK = Ins.VERIFY, Ins.CHANGE_REFERENCE_DATA, Ins.RESET_RETRY_COUNTER
SLOT = PINS[0]
DESCRIPTION = PinDescription(3, 16, 4, False)

# status word: what VERIFY, CHANGE and RESET RETRY COUNTER mean by it, and the tries left.
TABLE: dict[int, tuple[Failure | None, Failure | None, Failure | None, int | None]] = {
    0x9000: (None, None, None, None),
    **{0x63C0 + n: (Failure.PIN_WRONG, Failure.PIN_WRONG, Failure.PUK_WRONG, n) for n in range(1, 16)},
    0x63C0: (Failure.PIN_LOCKED, Failure.PIN_LOCKED, Failure.PUK_LOCKED, 0),
    0x6983: (Failure.PIN_LOCKED, Failure.PIN_LOCKED, Failure.PUK_LOCKED, 0),
    0x6984: (Failure.PIN_LOCKED, Failure.PIN_LOCKED, Failure.PUK_LOCKED, 0),
    0x6700: (Failure.PIN_FORMAT, Failure.PIN_FORMAT, Failure.PIN_FORMAT, None),
    0x6A80: (Failure.PIN_FORMAT, Failure.NEW_PIN_REFUSED, Failure.NEW_PIN_REFUSED, None),
    0x6985: (Failure.CARD_ERROR, Failure.NEW_PIN_REFUSED, Failure.NEW_PIN_REFUSED, None),
}
BLAMES_THE_CARD = (Failure.CARD_ERROR, Failure.CARD_ERROR, Failure.CARD_ERROR, None)


def test_each_of_all_status_words_has_its_meaning() -> None:
    for value in range(0x10000):
        *expected, tries = TABLE.get(value, BLAMES_THE_CARD)
        for ins, failure in zip((VERIFY, CHANGE, UNBLOCK), expected, strict=True):
            error = pins.refusal(ins, StatusWord(value))
            assert (error.failure if error else None) is failure, f"{ins.name} {value:04X}"
            assert (error.tries_left if error else None) == tries


def send(ins: Ins, card: ScriptedCard, first: Pin, second: Pin | None = None) -> None:
    channel = Channel(card)
    if ins is VERIFY:
        pins.verify(channel, SLOT, DESCRIPTION, first)
    elif ins is CHANGE:
        assert second is not None
        pins.change(channel, SLOT, DESCRIPTION, first, second)
    else:
        assert second is not None
        pins.unblock(channel, SLOT, DESCRIPTION, first, second)


@pytest.mark.parametrize("ins", [VERIFY, CHANGE, UNBLOCK])
@pytest.mark.parametrize("answer", ["9000", "63C2", "6983", "6700", "6110", "6C10", "6F00", ""])
def test_whatever_the_card_says_a_code_leaves_once_and_is_wiped(ins: Ins, answer: str) -> None:
    card = ScriptedCard([answer])
    first, second = pin("123456"), pin("654321")
    codes = (first,) if ins is VERIFY else (first, second)
    try:
        send(ins, card, *codes)
    except SithsError:
        assert answer != "9000"
    assert len(card.sent) == 1
    assert card.sent[0].startswith(f"00{ins:02X}0011")
    assert [len(code) for code in codes] == [0] * len(codes)
    with pytest.raises(RuntimeError):
        send(ins, card, *codes)
    assert len(card.sent) == 1


@pytest.mark.parametrize(
    ("ins", "expected"),
    [
        (VERIFY, "0020001110" + "313233343536" + "00" * 10),
        (CHANGE, "0024001120" + "313233343536" + "00" * 10 + "36353433323130" + "00" * 9),
        (UNBLOCK, "002C001120" + "313233343536" + "00" * 10 + "36353433323130" + "00" * 9),
    ],
)
def test_codes_are_padded_to_the_cards_field(ins: Ins, expected: str) -> None:
    card = ScriptedCard(["9000"])
    send(ins, card, pin("123456"), None if ins is VERIFY else pin("6543210"))
    assert card.sent == [expected]


def test_a_code_that_does_not_fit_is_not_sent() -> None:
    card = ScriptedCard(["9000"])
    code = pin("1234567890123")
    with pytest.raises(SithsError) as caught:
        pins.verify(Channel(card), SLOT, PinDescription(3, 12, 4, False), code)
    assert caught.value.failure is Failure.PIN_FORMAT
    assert card.sent == []
    assert len(code) == 0


def test_a_wiped_code_is_not_sent() -> None:
    card = ScriptedCard(["9000"])
    code = pin("123456")
    code.wipe()
    with pytest.raises(RuntimeError):
        pins.verify(Channel(card), SLOT, DESCRIPTION, code)
    assert card.sent == []


@pytest.mark.parametrize(
    ("answers", "ended"), [(["9000", "63C3"], True), (["9000", "9000"], False), (["6D00", "63C3"], False)]
)
def test_a_log_out_is_believed_only_if_the_card_confirms_it(answers: list[str], ended: bool) -> None:
    assert (pins.log_out(Channel(ScriptedCard(answers)), SLOT) is not None) is ended
