# SPDX-License-Identifier: EUPL-1.2
"""The driver against the virtual card, in process, under T=0 and T=1."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator

import msgspec
import pytest

from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.opening import open_card, resume_card
from sithsapp.card.idprime.session import CardSession
from sithsapp.card.model import KeyType, PinRole, SignatureScheme
from sithsapp.card.pin import Pin
from sithsapp.card.session import SessionLost
from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import HSA_ID_PAIRS, PERSON_ID_PAIRS, CardOrder, Pair
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import (
    CODES,
    REFERENCES,
    WRONG,
    Recorder,
    ScriptedCard,
    assert_signed,
    code_for,
    pin,
)
from tests.parts.virtual_card import CardFactory

MESSAGE = b"a message"
RS256, PS256 = SignatureScheme.RS256, SignatureScheme.PS256
SELECT_MANAGER = bytes.fromhex("00A4040C08A000000018434D00")
SELECT_APPLICATION = bytes.fromhex("00A4040C0BA000000018800000000662")


@pytest.fixture(params=list(CardProtocol))
def card(request: pytest.FixtureRequest, make_card: CardFactory) -> VirtualCard:
    return make_card(protocol=request.param)


@pytest.fixture
def readers(card: VirtualCard) -> VirtualReaders:
    readers = VirtualReaders()
    readers.insert(card)
    return readers


@pytest.fixture
def session(readers: VirtualReaders) -> Iterator[CardSession]:
    session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
    session.read_pins()
    yield session
    session.close()


def sign(
    session: CardSession,
    credential_id: str = "00",
    scheme: SignatureScheme = PS256,
    entry: Pin | None = None,
    *,
    last_try_ok: bool = False,
) -> bytes:
    credential = session.record.key(credential_id).credential
    delivered: list[bytes] = []
    session.sign(
        credential_id,
        scheme,
        MESSAGE,
        entry or code_for(credential),
        deliver=delivered.append,
        last_try_ok=last_try_ok,
    )
    return delivered[0]


def failure(action: Callable[[], object]) -> SithsError:
    with pytest.raises(SithsError) as caught:
        action()
    return caught.value


def test_a_card_is_read(session: CardSession) -> None:
    found = session.record.card
    assert found.product.startswith("IDPrime 940")
    assert [(c.id, c.pin, c.key_type, c.key_bits) for c in found.credentials] == [
        ("00", PinRole.AUTH, KeyType.RSA, 2048),
        ("01", PinRole.SIGN, KeyType.RSA, 2048),
    ]
    assert [(p.role, p.tries_left, p.blocked, p.max_length, p.unblocked_by) for p in found.pins] == [
        (PinRole.AUTH, 3, False, 16, PinRole.PUK),
        (PinRole.SIGN, 3, False, 16, PinRole.PUK),
        (PinRole.PUK, 10, False, 16, None),
    ]


@pytest.mark.parametrize("credential_id", ["00", "01"])
@pytest.mark.parametrize("scheme", [scheme for scheme in SignatureScheme if scheme.value[0] != "E"])
def test_rsa_signatures_are_good(session: CardSession, credential_id: str, scheme: SignatureScheme) -> None:
    signature = sign(session, credential_id, scheme)
    assert_signed(session.record.key(credential_id).credential, scheme, MESSAGE, signature)


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        (KeyKind.P_256, SignatureScheme.ES256),
        (KeyKind.P_384, SignatureScheme.ES384),
        (KeyKind.RSA_3072, PS256),
        (KeyKind.RSA_4096, RS256),
    ],
)
@pytest.mark.parametrize("protocol", list(CardProtocol))
def test_other_keys_sign_too(
    make_card: CardFactory, kind: KeyKind, scheme: SignatureScheme, protocol: CardProtocol
) -> None:
    pairs = (Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, kind),)
    readers = VirtualReaders()
    readers.insert(make_card(pairs=pairs, protocol=protocol))
    session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
    assert_signed(session.record.keys[0].credential, scheme, MESSAGE, sign(session, "00", scheme))


def test_a_scheme_that_the_key_has_not_is_refused_before_anything_is_sent(
    session: CardSession, card: VirtualCard
) -> None:
    recorder = Recorder(card)
    error = failure(lambda: sign(session, "00", SignatureScheme.ES256))
    assert error.failure is Failure.ALGORITHM_NOT_SUPPORTED
    assert recorder.take() == []


@pytest.mark.parametrize("credential_id", ["00", "01"])
def test_after_a_signature_nobody_can_sign_without_the_code(
    session: CardSession, readers: VirtualReaders, card: VirtualCard, credential_id: str
) -> None:
    sign(session, credential_id)
    other = readers.connect(DEFAULT_READER)
    key = session.record.key(credential_id)
    other.transmit(bytes.fromhex("002241B6068001428401") + bytes([key.reference]))
    other.transmit(bytes.fromhex("002A90A0229020") + bytes(32))
    assert other.transmit(bytes.fromhex("002A9E9A00")) == b"\x69\x82"
    assert session.alive, "the card was logged out, not reset"


def test_a_card_that_does_not_log_out_is_reset(
    session: CardSession, card: VirtualCard, readers: VirtualReaders
) -> None:
    recorder = Recorder(card)
    readers.inject(Fault(FaultKind.STATUS, skip=2, ins=0x20, status=0x6D00))
    assert sign(session)
    assert not session.alive
    other = readers.connect(DEFAULT_READER)
    other.transmit(SELECT_APPLICATION)
    assert other.transmit(bytes.fromhex("0020001100")) == b"\x63\xc3"
    assert any(command.startswith("00200011") for command in recorder.take())


def test_a_wrong_code_costs_one_try_and_says_how_many_are_left(session: CardSession, card: VirtualCard) -> None:
    error = failure(lambda: sign(session, entry=pin(WRONG)))
    assert (error.failure, error.tries_left) == (Failure.PIN_WRONG, 2)
    assert card.tries_left(0x11) == 2
    state = session.record.card.pin(PinRole.AUTH)
    assert state is not None
    assert state.tries_left == 2


def test_the_last_try_needs_a_yes(session: CardSession, card: VirtualCard) -> None:
    for _ in range(2):
        failure(lambda: sign(session, entry=pin(WRONG)))
    entry = pin(WRONG)
    error = failure(lambda: sign(session, entry=entry))
    assert (error.failure, error.tries_left) == (Failure.LAST_TRY_NOT_CONFIRMED, 1)
    assert card.tries_left(0x11) == 1
    error = failure(lambda: sign(session, entry=pin(WRONG), last_try_ok=True))
    assert (error.failure, error.tries_left) == (Failure.PIN_LOCKED, 0)
    recorder = Recorder(card)
    error = failure(lambda: sign(session))
    assert (error.failure, error.tries_left) == (Failure.PIN_LOCKED, 0)
    assert not any(command.startswith("0020001110") for command in recorder.take())


def test_tries_are_read_anew_before_a_code_is_sent(
    session: CardSession, card: VirtualCard, readers: VirtualReaders
) -> None:
    session.prepare("00", PS256)
    other = readers.connect(DEFAULT_READER)
    for _ in range(2):
        other.transmit(bytes.fromhex("0020001110") + WRONG.encode().ljust(16, b"\0"))
    assert failure(lambda: sign(session)).failure is Failure.LAST_TRY_NOT_CONFIRMED
    assert card.tries_left(0x11) == 1


@pytest.mark.parametrize("role", [PinRole.AUTH, PinRole.SIGN])
def test_codes_are_changed(session: CardSession, card: VirtualCard, role: PinRole) -> None:
    failure(lambda: session.change_pin(role, pin(WRONG), pin("864201")))
    state = session.change_pin(role, pin(CODES[role]), pin("864201"))
    assert (state.role, state.tries_left) == (role, 3)
    with pytest.raises(SithsError):
        session.change_pin(role, pin(CODES[role]), pin("135791"))
    assert card.tries_left(REFERENCES[role]) == 2
    assert session.change_pin(role, pin("864201"), pin(CODES[role])).tries_left == 3


def test_a_new_code_that_the_card_refuses_is_told_from_a_wrong_old_one(
    session: CardSession, card: VirtualCard
) -> None:
    same = CODES[PinRole.AUTH]
    assert failure(lambda: session.change_pin(PinRole.AUTH, pin(same), pin(same))).failure is Failure.NEW_PIN_REFUSED
    short = failure(lambda: session.change_pin(PinRole.AUTH, pin(same), pin("12345")))
    assert short.failure is Failure.NEW_PIN_REFUSED
    assert card.tries_left(0x11) == 3


@pytest.mark.parametrize("role", [PinRole.AUTH, PinRole.SIGN])
def test_the_puk_unblocks(session: CardSession, card: VirtualCard, role: PinRole) -> None:
    for _ in range(3):
        failure(lambda: session.change_pin(role, pin(WRONG), pin("864201"), last_try_ok=True))
    error = failure(lambda: session.unblock(role, pin("00000000"), pin("864201")))
    assert (error.failure, error.tries_left) == (Failure.PUK_WRONG, 9)
    state = session.unblock(role, pin(CODES[PinRole.PUK]), pin("864201"))
    assert (state.tries_left, state.blocked) == (3, False)
    credential_id = "00" if role is PinRole.AUTH else "01"
    assert sign(session, credential_id, entry=pin("864201"))


def test_a_blocked_puk_is_said_and_not_sent(session: CardSession, card: VirtualCard) -> None:
    for _ in range(10):
        failure(lambda: session.unblock(PinRole.AUTH, pin("00000000"), pin("864201"), last_try_ok=True))
    recorder = Recorder(card)
    error = failure(lambda: session.unblock(PinRole.AUTH, pin(CODES[PinRole.PUK]), pin("864201")))
    assert error.failure is Failure.PUK_LOCKED
    assert not any(command.startswith("002C") for command in recorder.take())


def test_the_puk_itself_cannot_be_unblocked(session: CardSession) -> None:
    error = failure(lambda: session.unblock(PinRole.PUK, pin("00000000"), pin("864201")))
    assert error.failure is Failure.UNBLOCK_NOT_POSSIBLE


def test_a_transport_code_must_be_changed_first(make_card: CardFactory, card: VirtualCard) -> None:
    spec = card.spec
    first = msgspec.structs.replace(spec.pins[0], changed=False)
    directory = make_card.directory(9)
    transport = VirtualCard.create(
        directory, msgspec.structs.replace(spec, pins=(first, *spec.pins[1:])), environment="test"
    )
    readers = VirtualReaders()
    readers.insert(transport)
    session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
    session.read_pins()
    assert failure(lambda: sign(session)).failure is Failure.PIN_MUST_BE_CHANGED
    state = session.change_pin(PinRole.AUTH, pin(CODES[PinRole.AUTH]), pin("864201"))
    assert not state.never_changed
    assert sign(session, entry=pin("864201"))


class TestInterference:
    """Other programs use the same card between our steps."""

    def test_another_application_is_selected(self, session: CardSession, readers: VirtualReaders) -> None:
        session.prepare("00", PS256)
        readers.connect(DEFAULT_READER).transmit(SELECT_MANAGER)
        assert_signed(session.record.key("00").credential, PS256, MESSAGE, sign(session))

    @pytest.mark.parametrize("environment", ["80014284015E", "80014584015F", "80010284015E", "80015584015E"])
    def test_another_environment_is_set(
        self, session: CardSession, readers: VirtualReaders, environment: str
    ) -> None:
        session.prepare("00", PS256)
        readers.connect(DEFAULT_READER).transmit(bytes.fromhex("002241B606" + environment))
        assert_signed(session.record.key("00").credential, PS256, MESSAGE, sign(session))

    def test_another_program_is_logged_in(
        self, session: CardSession, readers: VirtualReaders, card: VirtualCard
    ) -> None:
        other = readers.connect(DEFAULT_READER)
        other.transmit(bytes.fromhex("0020001110") + CODES[PinRole.AUTH].encode().ljust(16, b"\0"))
        assert session.pin_state(PinRole.AUTH).tries_left == 3
        assert failure(lambda: sign(session, entry=pin(WRONG))).tries_left == 2
        assert sign(session)

    def test_another_program_resets_the_card(self, session: CardSession, readers: VirtualReaders) -> None:
        session.prepare("00", PS256)
        readers.connect(DEFAULT_READER).disconnect(reset=True)
        entry = pin(CODES[PinRole.AUTH])
        with pytest.raises(SessionLost):
            sign(session, entry=entry)
        resumed = resume_card(readers.connect(DEFAULT_READER), session.record)
        assert sign(resumed, entry=entry)


def test_a_certificate_that_does_not_fit_its_key_is_noticed(make_card: CardFactory, card: VirtualCard) -> None:
    other = make_card()
    readers = VirtualReaders()
    readers.insert(card)
    session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
    first, second = session.record.keys
    stolen = dataclasses.replace(first.credential, certificate=other.spec.containers[0].certificate or b"")
    session.record.keys = (dataclasses.replace(first, credential=stolen), second)
    assert failure(lambda: sign(session)).failure is Failure.CARD_CHANGED


def test_a_card_that_cannot_be_resumed_is_let_go(session: CardSession) -> None:
    silent = ScriptedCard(["6F00"], atr=session.record.id.atr)
    failure(lambda: resume_card(silent, session.record))
    other = ScriptedCard(["9000"])
    if other.atr != session.record.id.atr:
        assert failure(lambda: resume_card(other, session.record)).failure is Failure.CARD_CHANGED
        assert other.disconnects == 1
    assert silent.disconnects == 1


def test_a_swapped_card_is_noticed(make_card: CardFactory, card: VirtualCard) -> None:
    readers = VirtualReaders()
    readers.insert(card)
    session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
    readers.insert(make_card(protocol=card.protocol))
    with pytest.raises(SessionLost) as lost:
        session.pin_state(PinRole.AUTH)
    assert lost.value.error.failure is Failure.CARD_REMOVED
    error = failure(lambda: resume_card(readers.connect(DEFAULT_READER), session.record))
    assert error.failure is Failure.CARD_CHANGED


class TestLegalDifferences:
    """Cards may differ in these ways (fact sheet section 3)."""

    @pytest.mark.parametrize(
        "order", [CardOrder(compressed=False), CardOrder(has_container_map=False), CardOrder(chip=b"abc")]
    )
    def test_stored_otherwise(self, make_card: CardFactory, order: CardOrder) -> None:
        readers = VirtualReaders()
        readers.insert(make_card(order))
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        assert_signed(session.record.keys[0].credential, PS256, MESSAGE, sign(session))

    def test_empty_card(self, make_card: CardFactory) -> None:
        readers = VirtualReaders()
        readers.insert(make_card(pairs=()))
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        session.read_pins()
        assert session.record.card.credentials == ()
        assert len(session.record.card.pins) == 3

    @pytest.mark.parametrize("missing", ["private_key", "certificate"])
    def test_half_pairs_are_left_out(self, make_card: CardFactory, card: VirtualCard, missing: str) -> None:
        first, second = card.spec.containers
        card.set_containers((msgspec.structs.replace(first, **{missing: None}), second))
        readers = VirtualReaders()
        readers.insert(card)
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        assert [key.credential.id for key in session.record.keys] == ["01"]

    def test_without_key_map_the_family_rule_holds(self, make_card: CardFactory, card: VirtualCard) -> None:
        spec = make_card(first_key_reference=0x56).spec
        bare = VirtualCard.create(
            make_card.directory(8), msgspec.structs.replace(spec, has_key_map=False), environment="test"
        )
        readers = VirtualReaders()
        readers.insert(bare)
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        assert sign(session, "00")
        assert sign(session, "01")

    def test_six_certificates(self, make_card: CardFactory) -> None:
        readers = VirtualReaders()
        readers.insert(make_card(pairs=HSA_ID_PAIRS + PERSON_ID_PAIRS + HSA_ID_PAIRS))
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        assert len(session.record.keys) == 6
        assert sign(session, "05")

    @pytest.mark.parametrize("length", [12, 16])
    def test_the_length_of_the_code_field_is_the_cards(
        self, make_card: CardFactory, card: VirtualCard, length: int
    ) -> None:
        other = VirtualCard.create(
            make_card.directory(7), msgspec.structs.replace(card.spec, pin_field_length=length), environment="test"
        )
        readers = VirtualReaders()
        readers.insert(other)
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        assert sign(session)
        state = session.pin_state(PinRole.AUTH)
        assert state.max_length == length
        if length < 16:
            assert failure(lambda: sign(session, entry=pin("1" * 13))).failure is Failure.PIN_FORMAT
            assert other.tries_left(0x11) == 3


def test_a_card_that_tells_no_state_is_asked_for_descriptions(
    session: CardSession, card: VirtualCard, readers: VirtualReaders
) -> None:
    for _ in range(2):
        readers.inject(Fault(FaultKind.STATUS, ins=0x20, status=0x6D00))
    assert session.pin_state(PinRole.SIGN).tries_left == 3
    recorder = Recorder(card)
    assert session.pin_state(PinRole.SIGN).tries_left == 3
    assert recorder.take()[0].startswith("00CB")
    readers.connect(DEFAULT_READER).transmit(SELECT_MANAGER)
    assert session.pin_state(PinRole.SIGN).tries_left == 3
    assert sign(session, "01")


@pytest.mark.parametrize(
    ("answers", "seen"),
    [(["6A82", "9000"], "PKCS#15"), (["6A82", "6A82"], "unknown"), (["6D00", "6118"], "PKCS#15")],
)
def test_another_kind_of_card_is_named(answers: list[str], seen: str) -> None:
    other = ScriptedCard(answers, atr=b"\x3b\x00")
    error = failure(lambda: open_card(other, "reader"))
    assert other.disconnects == 1
    assert error.failure is Failure.CARD_NOT_SUPPORTED
    assert seen in error.detail


class TestBudgets:
    """Commands that each task may cost (DESIGN, budgets); GET RESPONSE counts."""

    @pytest.fixture
    def card(self, make_card: CardFactory) -> VirtualCard:
        return make_card()

    def test_cold(self, card: VirtualCard, readers: VirtualReaders) -> None:
        recorder = Recorder(card)
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER)
        counts: list[int] = []
        session.sign(
            "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH]), deliver=lambda _: counts.append(len(recorder.commands))
        )
        assert counts[0] <= 25

    def test_cold_card_to_be_kept(self, card: VirtualCard, readers: VirtualReaders) -> None:
        recorder = Recorder(card)
        cache = CardCache()
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, cache)
        counts: list[int] = []
        session.sign(
            "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH]), deliver=lambda _: counts.append(len(recorder.commands))
        )
        assert counts[0] <= 25
        recorder.take()
        assert session.learn_counters()
        assert session.record.freshness is not None
        assert len(recorder.take()) <= 11

    def test_known_card(self, card: VirtualCard, readers: VirtualReaders) -> None:
        cache = CardCache()
        first = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, cache)
        first.read_pins()
        assert first.record.freshness is None
        assert first.learn_counters()
        assert first.record.freshness is not None
        cache.store(first.record.id.serial, card.atr, first.record.freshness, first.record.contents)
        first.close()
        recorder = Recorder(card)
        session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, cache)
        counts: list[int] = []
        session.sign(
            "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH]), deliver=lambda _: counts.append(len(recorder.commands))
        )
        assert counts[0] <= 9

    def test_after_the_code_was_entered(self, card: VirtualCard, session: CardSession) -> None:
        session.prepare("00", PS256)
        recorder = Recorder(card)
        counts: list[int] = []
        session.sign(
            "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH]), deliver=lambda _: counts.append(len(recorder.commands))
        )
        assert counts[0] <= 4
        assert len(recorder.commands) - counts[0] <= 2, "log-out and its check"

    def test_change_and_unblock(self, card: VirtualCard, session: CardSession) -> None:
        recorder = Recorder(card)
        session.change_pin(PinRole.AUTH, pin(CODES[PinRole.AUTH]), pin("864201"))
        assert len(recorder.take()) <= 4
        session.unblock(PinRole.AUTH, pin(CODES[PinRole.PUK]), pin(CODES[PinRole.AUTH]))
        assert len(recorder.take()) <= 4


def test_codes_reach_no_log(session: CardSession, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sign(session)
    failure(lambda: sign(session, entry=pin(WRONG)))
    session.change_pin(PinRole.AUTH, pin(CODES[PinRole.AUTH]), pin("864201"))
    session.unblock(PinRole.AUTH, pin(CODES[PinRole.PUK]), pin(CODES[PinRole.AUTH]))
    logged = caplog.text + "".join(repr(record.args) for record in caplog.records)
    for code in (*CODES.values(), WRONG, "864201"):
        assert code not in logged
        assert code.encode().hex() not in logged.lower()
