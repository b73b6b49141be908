# SPDX-License-Identifier: EUPL-1.2
"""Cards behind modules in the card service: in which reader they show, and what broken modules do to the rest."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sithsapp.card.model import Card, CardsState, PinRole, Slot, SlotStatus
from sithsapp.card.pkcs11 import session as session_module
from sithsapp.card.pkcs11.modules import Module
from sithsapp.card.pkcs11.source import Pkcs11Tokens
from sithsapp.card.service import CardService
from sithsapp.card.transport import ReaderBackend
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, DEADLINE, WRONG, Watcher, assert_signed, eventually, pin
from tests.parts.softhsm import SO_PIN, USER_PIN, SoftHsm, SoftHsmFactory, Wrapper, module_processes
from tests.parts.unknown_cards import UnknownCards
from tests.parts.virtual_card import CardFactory

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
OTHER_READER = "Other Reader 0"
FINAL_TRY, LOCKED, TO_BE_CHANGED = 0x20000, 0x40000, 0x80000
WRITE_PROTECTED = 0x2
SLOT_NAME = f'"{DEFAULT_READER}"'

Run = Callable[..., CardService]


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts card services and ends them, in time."""
    services: list[CardService] = []

    def start(tokens: Pkcs11Tokens, *backends: ReaderBackend) -> CardService:
        services.append(CardService(backends, tokens=tokens))
        services[-1].start()
        return services[-1]

    yield start
    for service in services:
        began = time.monotonic()
        service.close()
        assert time.monotonic() - began < 2.0


def slot(state: CardsState, reader: str) -> Slot:
    return next(slot for slot in state.slots if slot.reader == reader)


def sign(service: CardService, card: Card, digits: str = USER_PIN, *, last_try_ok: bool = False) -> bytes:
    credential = card.credentials[0]
    entry = pin(digits)
    future = service.sign(card.id, credential.id, credential.schemes[0], b"m", entry, last_try_ok=last_try_ok)
    try:
        return future.result(DEADLINE)
    finally:
        eventually(lambda: len(entry) == 0)


def refusal(action: Callable[[], object]) -> SithsError:
    with pytest.raises(SithsError) as caught:
        action()
    return caught.value


class TestDeletion:
    def test_only_where_the_settings_allow_it(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service = run(softhsm.tokens(wrapper.build(IN_LOGIN="return 0x30")))
        card = Watcher(service).card()
        entry = pin(USER_PIN)
        error = refusal(lambda: service.delete_certificate(card.id, "00", entry).result(DEADLINE))
        assert (card.deletes_certificates, error.failure) == (False, Failure.CERTIFICATE_NOT_DELETABLE)
        assert len(entry) == 0

    def test_a_wrong_code_deletes_nothing(self, run: Run, softhsm: SoftHsm) -> None:
        service = run(softhsm.tokens(may_delete=True))
        card = Watcher(service).card()
        wrong = service.delete_certificate(card.id, "00", pin(WRONG))
        assert refusal(lambda: wrong.result(DEADLINE)).failure is Failure.PIN_WRONG
        assert sign(service, card)
        assert service.state.cards == (card,)

    def test_a_write_protected_token_is_not_asked(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service = run(softhsm.tokens(wrapper.build(TOKEN_FLAGS=WRITE_PROTECTED), may_delete=True))
        card = Watcher(service).card()
        assert not card.deletes_certificates
        error = refusal(lambda: service.delete_certificate(card.id, "00", pin(USER_PIN)).result(DEADLINE))
        assert error.failure is Failure.CERTIFICATE_NOT_DELETABLE

    def test_a_token_that_refuses(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service = run(softhsm.tokens(wrapper.build(IN_DESTROY="return 0x1B"), may_delete=True))
        card = Watcher(service).card()
        error = refusal(lambda: service.delete_certificate(card.id, "00", pin(USER_PIN)).result(DEADLINE))
        assert error.failure is Failure.CERTIFICATE_NOT_DELETABLE
        assert sign(service, card)

    def test_the_last_certificate(self, run: Run, softhsm: SoftHsm) -> None:
        service = run(softhsm.tokens(may_delete=True))
        card = Watcher(service).card()
        service.delete_certificate(card.id, "00", pin(USER_PIN)).result(DEADLINE)
        eventually(lambda: not service.state.cards)


class TestSentOnce:
    def test_a_change_logs_in_nowhere(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, tmp_path: Path) -> None:
        trace = tmp_path / "login"
        service = run(softhsm.tokens(wrapper.build(IN_LOGIN=f'close(creat("{trace}", 0600))')))
        card = Watcher(service).card()
        service.change_pin(card.id, PinRole.AUTH, pin(USER_PIN), pin("246802")).result(DEADLINE)
        assert not trace.exists()
        assert sign(service, card, "246802")
        assert trace.exists()


class TestPlaces:
    def test_an_unknown_card_becomes_ready_in_its_reader(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, make_card: CardFactory
    ) -> None:
        readers = VirtualReaders()
        readers.insert(make_card())
        service = run(softhsm.tokens(wrapper.build(SLOT_NAME=SLOT_NAME)), UnknownCards(readers))
        card = Watcher(service).card()
        assert card.id.reader == DEFAULT_READER
        assert card.id.atr == make_card().atr
        assert [s.status for s in service.state.slots] == [SlotStatus.READY]
        assert_signed(card.credentials[0], card.credentials[0].schemes[0], b"m", sign(service, card))
        readers.remove()
        eventually(lambda: slot(service.state, DEFAULT_READER).status is SlotStatus.EMPTY)

    def test_a_known_card_never_starts_a_module(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, make_card: CardFactory, tmp_path: Path
    ) -> None:
        trace = tmp_path / "loaded"
        module = wrapper.build(SLOT_NAME=SLOT_NAME, IN_INITIALIZE=f'close(creat("{trace}", 0600))')
        readers = VirtualReaders()
        readers.insert(make_card())
        tokens = Pkcs11Tokens([Module(module, readers_only=True)], softhsm.environment)
        service = run(tokens, readers)
        card = Watcher(service).card()
        assert card.product == "IDPrime 940"
        sign(service, card, CODES[PinRole.AUTH])
        assert len(service.state.slots) == 1
        assert not trace.exists()

    def test_a_module_with_its_own_names_for_readers(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, make_card: CardFactory
    ) -> None:
        readers = VirtualReaders((DEFAULT_READER, OTHER_READER))
        readers.insert(make_card())
        service = run(softhsm.tokens(wrapper.build(SLOT_NAME='"AKS ifdh 00"')), UnknownCards(readers))
        assert Watcher(service).card().id.reader == DEFAULT_READER
        assert len(service.state.cards) == 1

    def test_no_guess_where_two_readers_could_be_meant(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, make_card: CardFactory
    ) -> None:
        readers = VirtualReaders((DEFAULT_READER, OTHER_READER))
        readers.insert(make_card())
        service = run(softhsm.tokens(wrapper.build(SLOT_NAME='"unlike"')), UnknownCards(readers))
        watcher = Watcher(service)
        watcher.card()
        readers.insert(make_card(), OTHER_READER)
        watcher.until(lambda state: slot(state, OTHER_READER).status is SlotStatus.FAILED)
        assert slot(service.state, OTHER_READER).failure is Failure.CARD_NOT_SUPPORTED
        assert len(service.state.cards) == 1

    def test_one_card_never_shows_twice(
        self, run: Run, make_softhsm: SoftHsmFactory, wrapper: Wrapper, make_card: CardFactory
    ) -> None:
        """The module lists the 940, which our driver shows, under a name of its own."""
        known = make_card()
        hsm = make_softhsm()
        hsm.remove()
        hsm.personalise(known.spec)
        readers = VirtualReaders((DEFAULT_READER, OTHER_READER))
        readers.insert(known)
        service = run(
            hsm.tokens(wrapper.build(SLOT_NAME='"AKS ifdh 00"')), UnknownCards(readers, frozenset({DEFAULT_READER}))
        )
        watcher = Watcher(service)
        assert watcher.card().id.reader == DEFAULT_READER
        readers.insert(make_card(), OTHER_READER)
        watcher.until(lambda state: slot(state, OTHER_READER).status is SlotStatus.FAILED)
        assert [card.id.reader for card in service.state.cards] == [DEFAULT_READER]

    def test_a_token_without_reader_is_a_reader_of_its_own(
        self, run: Run, softhsm: SoftHsm, make_card: CardFactory
    ) -> None:
        readers = VirtualReaders()
        readers.insert(make_card())
        service = run(softhsm.tokens(), readers)
        Watcher(service).until(lambda state: len(state.cards) == 2)
        products = {card.product for card in service.state.cards}
        assert products == {"IDPrime 940", "SoftHSM v2"}

    def test_a_token_without_certificates_is_nobodys_card(self, run: Run, softhsm: SoftHsm) -> None:
        softhsm.initialise("keys of a name server")
        service = run(softhsm.tokens())
        Watcher(service).card()
        assert [found.status for found in service.state.slots] == [SlotStatus.READY]

    def test_another_token_in_its_place_is_told(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, make_card: CardFactory
    ) -> None:
        readers = VirtualReaders()
        readers.insert(make_card())
        service = run(softhsm.tokens(wrapper.build(SLOT_NAME=SLOT_NAME)), UnknownCards(readers))
        card = Watcher(service).card()
        softhsm.remove()
        softhsm.personalise(make_card().spec)
        assert refusal(lambda: sign(service, card)).failure in (Failure.CARD_CHANGED, Failure.CARD_REMOVED)

    def test_without_tokens_a_missing_service_is_still_told(self, run: Run, softhsm: SoftHsm) -> None:
        softhsm.remove()
        readers = VirtualReaders()
        readers.stop_service()
        service = run(softhsm.tokens(), readers)
        assert service.wait_until_known(DEADLINE)
        assert not service.state.service_running


class TestCodes:
    def card_with(self, run: Run, hsm: SoftHsm, module: Path) -> tuple[CardService, Card]:
        service = run(hsm.tokens(module))
        return service, Watcher(service).card()

    def test_a_key_that_asks_for_each_signature(self, run: Run, make_softhsm: SoftHsmFactory) -> None:
        service = run(make_softhsm(always_authenticate=True).tokens())
        card = Watcher(service).card()
        for scheme in card.credentials[0].schemes[:2]:
            signature = service.sign(card.id, "00", scheme, b"m", pin(USER_PIN)).result(DEADLINE)
            assert_signed(card.credentials[0], scheme, b"m", signature)

    def test_the_last_try(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, tmp_path: Path) -> None:
        sent = tmp_path / "sent"
        module = wrapper.build(TOKEN_FLAGS=FINAL_TRY, IN_LOGIN=f'close(creat("{sent}", 0600))')
        service, card = self.card_with(run, softhsm, module)
        state = card.pin(PinRole.AUTH)
        assert state is not None
        assert (state.tries_left, state.blocked) == (1, False)
        assert refusal(lambda: sign(service, card)).failure is Failure.LAST_TRY_NOT_CONFIRMED
        change = service.change_pin(card.id, PinRole.AUTH, pin(USER_PIN), pin("246802"))
        assert refusal(lambda: change.result(DEADLINE)).failure is Failure.LAST_TRY_NOT_CONFIRMED
        assert not sent.exists()
        assert sign(service, card, last_try_ok=True)
        assert sent.exists()

    def test_a_locked_code(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service, card = self.card_with(run, softhsm, wrapper.build(TOKEN_FLAGS=LOCKED, IN_LOGIN="abort()"))
        error = refusal(lambda: sign(service, card, last_try_ok=True))
        assert (error.failure, error.tries_left) == (Failure.PIN_LOCKED, 0)

    def test_a_code_that_must_be_changed(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service, card = self.card_with(run, softhsm, wrapper.build(TOKEN_FLAGS=TO_BE_CHANGED))
        assert refusal(lambda: sign(service, card)).failure is Failure.PIN_MUST_BE_CHANGED
        assert service.change_pin(card.id, PinRole.AUTH, pin(USER_PIN), pin("246802")).result(DEADLINE)

    @pytest.mark.parametrize(
        ("value", "failure"),
        [
            (0x06, Failure.CARD_ERROR),  # CKR_FUNCTION_FAILED
            (0x32, Failure.CARD_REMOVED),  # CKR_DEVICE_REMOVED
            (0xA4, Failure.PIN_LOCKED),  # CKR_PIN_LOCKED
        ],
    )
    def test_what_the_module_returns(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, value: int, failure: Failure
    ) -> None:
        service, card = self.card_with(run, softhsm, wrapper.build(IN_LOGIN=f"return {value}UL"))
        assert refusal(lambda: sign(service, card)).failure is failure

    def test_a_code_is_sent_once(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, tmp_path: Path) -> None:
        count = tmp_path / "count"
        append = f'int fd = open("{count}", O_CREAT | O_APPEND | O_WRONLY, 0600); write(fd, "x", 1); close(fd)'
        service, card = self.card_with(run, softhsm, wrapper.build(IN_LOGIN=f"{append}; return 0xA0"))
        assert refusal(lambda: sign(service, card)).failure is Failure.PIN_WRONG
        assert count.read_text() == "x"

    def test_a_failed_log_out_ends_with_the_process(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service, card = self.card_with(run, softhsm, wrapper.build(IN_LOGOUT="return 5"))
        assert sign(service, card)
        eventually(lambda: module_processes() == [])

    def test_unblock_with_the_puk(self, run: Run, softhsm: SoftHsm) -> None:
        service = run(softhsm.tokens())
        card = Watcher(service).card()
        wrong = service.unblock(card.id, PinRole.AUTH, pin("11111111"), pin("246802"))
        assert refusal(lambda: wrong.result(DEADLINE)).failure is Failure.PUK_WRONG
        assert (
            service.unblock(card.id, PinRole.AUTH, pin(SO_PIN), pin("246802")).result(DEADLINE).role is PinRole.AUTH
        )
        assert sign(service, card, "246802")
        assert refusal(lambda: sign(service, card)).failure is Failure.PIN_WRONG

    def test_no_code_is_logged(self, run: Run, softhsm: SoftHsm, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            service = run(softhsm.tokens())
            card = Watcher(service).card()
            sign(service, card)
            refusal(lambda: sign(service, card, WRONG))
        assert USER_PIN not in caplog.text
        assert WRONG not in caplog.text


class TestBrokenModules:
    def test_a_crash_in_a_call_is_the_cards_fault(self, run: Run, softhsm: SoftHsm, wrapper: Wrapper) -> None:
        service = run(softhsm.tokens(wrapper.build(IN_LOGIN="raise(SIGSEGV)")))
        card = Watcher(service).card()
        for _ in range(2):
            assert refusal(lambda: sign(service, card)).failure is Failure.CARD_ERROR

    def test_a_crash_between_calls_goes_unnoticed(self, run: Run, softhsm: SoftHsm) -> None:
        service = run(softhsm.tokens())
        card = Watcher(service).card()
        (process,) = module_processes()
        os.kill(process, signal.SIGKILL)
        assert sign(service, card)

    def test_a_hang_in_a_call_ends(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_module, "CODE_SECONDS", 1.0)
        service = run(softhsm.tokens(wrapper.build(IN_LOGIN="for (;;) pause()")))
        card = Watcher(service).card()
        assert refusal(lambda: sign(service, card)).failure is Failure.CARD_ERROR
        eventually(lambda: module_processes() == [])

    def test_a_hang_while_listing_holds_up_nobody_else(
        self, run: Run, softhsm: SoftHsm, wrapper: Wrapper, make_card: CardFactory
    ) -> None:
        readers = VirtualReaders()
        readers.insert(make_card())
        service = run(softhsm.tokens(wrapper.build(IN_INITIALIZE="for (;;) pause()")), readers)
        card = Watcher(service).card()
        assert sign(service, card, CODES[PinRole.AUTH])
        service.close()
        eventually(lambda: module_processes() == [])

    def test_no_process_outlives_the_service(self, run: Run, softhsm: SoftHsm) -> None:
        service = run(softhsm.tokens())
        Watcher(service).card()
        service.close()
        eventually(lambda: module_processes() == [])
