# SPDX-License-Identifier: EUPL-1.2
"""Which of several cards is the active one: chosen, moved, gone, back, and remembered by its reader alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sithsapp.card.active import ActiveCard, Choice
from sithsapp.card.model import Card, CardId, CardsState, Slot, SlotStatus
from sithsapp.card.service import CardService
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from tests.card.helpers import Watcher
from tests.parts.virtual_card import CardFactory

SECOND = "Second reader"


def a_card(number: int, reader: str) -> Card:
    return Card(CardId(reader, b"\x3b\x00", bytes([number]) * 8), "IDPrime 940", "SITHS", (), ())


ANNA, BERTIL = a_card(1, "left"), a_card(2, "right")


class TestRules:
    def test_a_choice_is_of_a_card(self) -> None:
        choice = Choice(BERTIL.id, "right")
        assert choice.among([ANNA, BERTIL]) == BERTIL

    def test_the_card_stays_chosen_in_another_reader(self) -> None:
        moved = a_card(2, "left")
        assert Choice(BERTIL.id, "right").among([moved, a_card(1, "right")]) == moved

    def test_another_card_in_the_same_reader_is_not_the_chosen_one(self) -> None:
        assert Choice(BERTIL.id, "right").among([ANNA, a_card(3, "right")]) is None

    def test_of_an_earlier_session_the_reader_is_known_alone(self) -> None:
        assert Choice(None, "right").among([ANNA, a_card(3, "right")]) == a_card(3, "right")
        assert Choice(None, "right").among([ANNA]) is None
        assert Choice().among([ANNA, BERTIL]) is None

    def test_one_card_needs_no_choice_but_two_do(self) -> None:
        slots = tuple(Slot(card.id.reader, SlotStatus.READY, card) for card in (ANNA, BERTIL))
        assert CardsState(True, slots[1:]).chosen == BERTIL
        assert (CardsState(True, slots).chosen, CardsState(True, slots).active) == (None, ANNA)
        assert CardsState(True, slots, chosen_id=BERTIL.id).active == BERTIL
        assert CardsState().active is None


class TestFile:
    def test_only_the_readers_name_is_kept_and_only_for_its_owner(self, tmp_path: Path) -> None:
        file = tmp_path / "state" / "active-reader"
        ActiveCard(file).choose("right", [ANNA, BERTIL])
        assert file.read_bytes() == b"right\n"
        if os.name == "posix":
            assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert ActiveCard(file).among([ANNA, BERTIL]) == BERTIL

    def test_what_another_program_chose_counts(self, tmp_path: Path) -> None:
        file = tmp_path / "active-reader"
        here, there = ActiveCard(file), ActiveCard(file)
        here.choose("left", [ANNA, BERTIL])
        there.choose("right", [ANNA, BERTIL])
        assert here.among([ANNA, BERTIL]) == BERTIL
        here.choose(None, [ANNA, BERTIL])
        assert there.among([ANNA, BERTIL]) is None

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 5000, b"", b"left\x1b[2J\n", b"left\nright\n"])
    def test_a_damaged_file_chooses_nothing(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "active-reader"
        file.write_bytes(content)
        assert ActiveCard(file).among([ANNA, BERTIL]) is None

    def test_a_choice_holds_where_it_cannot_be_kept(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        active = ActiveCard(tmp_path / "file" / "active-reader")
        active.choose("right", [ANNA, BERTIL])
        assert active.among([ANNA, BERTIL]) == BERTIL


def test_the_service_tells_of_a_choice_and_a_later_one_remembers_it(make_card: CardFactory, tmp_path: Path) -> None:
    readers = VirtualReaders((DEFAULT_READER, SECOND))
    service = CardService([readers], state_dir=tmp_path)
    watcher = Watcher(service)
    service.start()
    try:
        readers.insert(make_card())
        readers.insert(make_card(), SECOND)
        watcher.until(lambda state: len(state.cards) == 2)
        service.use(SECOND)
        second = watcher.until(lambda state: state.chosen is not None).cards[1]
        assert service.state.active == second
        readers.remove(SECOND)
        watcher.until(lambda state: len(state.cards) == 1 and state.chosen_id is None)
        readers.insert(make_card(), SECOND)
        watcher.until(lambda state: len(state.cards) == 2)
        assert service.state.chosen is None, "another card in the same reader was not chosen"
    finally:
        service.close()
    again = CardService([two_cards(make_card)], state_dir=tmp_path)
    later = Watcher(again)
    again.start()
    try:
        chosen = later.until(lambda state: len(state.cards) == 2).chosen
        assert chosen is not None
        assert chosen.id.reader == SECOND
        again.use(None)
        assert again.state.chosen is None
    finally:
        again.close()


def two_cards(make_card: CardFactory) -> VirtualReaders:
    readers = VirtualReaders((DEFAULT_READER, SECOND))
    for name in (DEFAULT_READER, SECOND):
        readers.insert(make_card(), name)
    return readers
