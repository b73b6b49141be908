# SPDX-License-Identifier: EUPL-1.2
"""Which slot is taken for a reader when no name fits: the only one that is left, and only when that is certain."""

from __future__ import annotations

import msgspec
import pytest

from sithsapp.card.model import CardsState, Slot, SlotStatus
from sithsapp.card.pkcs11.messages import Token
from sithsapp.card.pkcs11.opening import Place, only_homeless
from sithsapp.failures import Failure
from tests.card.pkcs11.test_tokens import TOKEN

HERE = Slot("Here 0", SlotStatus.READING)
ODD = msgspec.structs.replace(TOKEN, description="AKS ifdh 00")


def found(*tokens: Token, others: tuple[Slot, ...] = ()) -> list[Token]:
    return only_homeless(tokens, Place(HERE.reader, b"", CardsState(slots=(HERE, *others))))


def test_the_only_slot_without_a_reader() -> None:
    second_code = msgspec.structs.replace(ODD, slot=2)
    assert found(ODD, second_code) == [ODD, second_code]
    assert found(ODD, TOKEN, others=(Slot("Reader 0", SlotStatus.READY),)) == [ODD]


@pytest.mark.parametrize(
    "other",
    [Slot("There 0", SlotStatus.READING), Slot("There 0", SlotStatus.FAILED, failure=Failure.CARD_NOT_SUPPORTED)],
)
def test_nothing_while_another_reader_could_be_meant(other: Slot) -> None:
    assert found(ODD, others=(other,)) == []


def test_nothing_when_two_slots_are_left() -> None:
    assert found(ODD, msgspec.structs.replace(ODD, description="AKS ifdh 01")) == []


def test_never_a_token_that_sits_in_no_reader() -> None:
    assert found(msgspec.structs.replace(ODD, removable=False)) == []
