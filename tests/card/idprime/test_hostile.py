# SPDX-License-Identifier: EUPL-1.2
"""Cards and readers that answer anything at all: defined failures, and an end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.opening import open_card
from sithsapp.card.idprime.session import CardSession
from sithsapp.card.model import PinRole, SignatureScheme
from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import SithsError
from tests.card.helpers import ATR_940, CODES, ScriptedCard, pin

MAX_COMMANDS = 2000
STATUS = st.sampled_from(["9000", "6110", "6100", "6C10", "6A82", "6A88", "63C3", "6983", "6700", "6F00", "6282"])
ANSWER = st.one_of(
    STATUS,
    st.builds(lambda data, status: data.hex() + status, st.binary(max_size=256), STATUS),
    st.binary(max_size=300).map(bytes.hex),
)


class Flipping(ScriptedCard):
    """A real dialogue in which some bytes of the answers are changed."""

    def __init__(self, card: VirtualCard, seed: int, rate: float) -> None:
        super().__init__([""], card.protocol, card.atr)
        self._card = card
        self._random = random.Random(seed)  # noqa: S311 - repeatable noise, no secret
        self._rate = rate

    def transmit(self, command: bytes) -> bytes:
        """Answer as the card does, more or less."""
        self.sent.append(command.hex().upper())
        answer = bytearray(self._card.process(command))
        if self._random.random() < self._rate:
            for _ in range(self._random.randint(1, 4)):
                answer[self._random.randrange(len(answer))] = self._random.randrange(256)
        if self._random.random() < self._rate / 4:
            del answer[self._random.randrange(len(answer)) :]
        return bytes(answer)


def use(session: CardSession) -> None:
    """Do everything that can be done with a card."""
    session.read_pins()
    session.prepare_login()
    for credential in session.record.card.credentials:
        session.prepare(credential.id, credential.schemes[0])
        session.sign(credential.id, SignatureScheme.PS256, b"m", pin(CODES[credential.pin]), deliver=lambda _: None)
    session.change_pin(PinRole.AUTH, pin("123456"), pin("654321"))
    session.unblock(PinRole.SIGN, pin("12345678"), pin("654321"))


@settings(max_examples=300)
@given(
    answers=st.lists(ANSWER, min_size=1, max_size=40),
    protocol=st.sampled_from(CardProtocol),
    atr=st.one_of(st.just(ATR_940), st.binary(min_size=2, max_size=33)),
)
def test_any_answers_end_in_a_defined_failure(answers: list[str], protocol: CardProtocol, atr: bytes) -> None:
    card = ScriptedCard(answers, protocol, atr)
    try:
        use(open_card(card, "reader", CardCache()))
    except SithsError as error:
        assert error.failure
    assert len(card.sent) < MAX_COMMANDS
    assert sum(sent.startswith(("0020001110", "00240011", "002C0083")) for sent in card.sent) <= 4


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_a_disturbed_dialogue_ends_in_a_defined_failure(card: VirtualCard, rate: float) -> None:
    readers = VirtualReaders()
    readers.insert(card)
    readers.connect(DEFAULT_READER).disconnect()
    for seed in range(120):
        card.reset()
        disturbed = Flipping(card, seed, rate)
        try:
            use(open_card(disturbed, "reader", CardCache()))
        except SithsError as error:
            assert error.failure
        assert len(disturbed.sent) < MAX_COMMANDS
