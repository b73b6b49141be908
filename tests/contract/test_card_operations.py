# SPDX-License-Identifier: EUPL-1.2
"""What `CardService` does for a card, whichever driver serves it: ours, or a vendor's module in its process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sithsapp.card.model import Card, Credential, KeyType, PinRole, SignatureScheme, SlotStatus
from sithsapp.card.pin import Pin
from sithsapp.card.pkcs11.modules import Module
from sithsapp.card.pkcs11.source import Pkcs11Tokens
from sithsapp.card.service import CardService
from sithsapp.card.transport import CardProtocol, ReaderBackend
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import Pair, for_opensc_0_23
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import DEADLINE, WRONG, Watcher, assert_signed, eventually, pin
from tests.parts.opensc import OpenSc
from tests.parts.pcscd import PcscSlots
from tests.parts.softhsm import USER_PIN, SoftHsmFactory, module_processes
from tests.parts.unknown_cards import UnknownCards
from tests.parts.virtual_card import CardFactory

NEW_PIN = "246802"
STATUS_OF_PIN1 = bytes.fromhex("0020001100")
RSA = Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH)
RSA_AND_CURVES = (
    RSA,
    Pair(IssuerProfile.PERSON_ID_3, KeyPurpose.AUTH, KeyKind.P_256),
    Pair(IssuerProfile.PERSON_ID_3, KeyPurpose.AUTH, KeyKind.P_384),
)


class Kind:
    """One way to serve a card, and what can be seen of it from outside."""

    tells_tries = True
    tokens: Pkcs11Tokens | None = None
    backends: tuple[ReaderBackend, ...] = ()
    certificates: tuple[bytes, ...] = ()

    def insert(self) -> None:
        """Put the card in."""

    def remove(self) -> None:
        """Take it away."""

    def is_logged_in(self) -> bool:
        """Tell whether another program could use the card's keys without a code."""
        raise NotImplementedError


class InProcess(Kind):
    """A 940 by our driver."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        self.certificates = certificates_of(card)
        self.readers = VirtualReaders()
        self.backends = (self.readers,)

    def insert(self) -> None:
        self.readers.insert(self.card)

    def remove(self) -> None:
        self.readers.remove()

    def is_logged_in(self) -> bool:
        return self.card.process(STATUS_OF_PIN1) == b"\x90\x00"


class ThroughPcscd(Kind):
    """A 940 by our driver through real PC/SC."""

    def __init__(self, card: VirtualCard, slots: PcscSlots) -> None:
        from sithsapp.card.pcsc import PcscReaders

        self.card = card
        self.certificates = certificates_of(card)
        self.slots = slots
        self.backends = (PcscReaders(),)

    def insert(self) -> None:
        self.slots.insert(self.card)

    def remove(self) -> None:
        self.slots.remove()

    def is_logged_in(self) -> bool:
        return self.card.process(STATUS_OF_PIN1) == b"\x90\x00"


class SoftToken(Kind):
    """A token without a reader by SoftHSM."""

    tells_tries = False

    def __init__(self, make: SoftHsmFactory) -> None:
        self.hsm = make(RSA_AND_CURVES)
        self.tokens = self.hsm.tokens(may_delete=True)

    def remove(self) -> None:
        self.hsm.remove()

    def is_logged_in(self) -> bool:
        return bool(module_processes())


class OpenScCard(Kind):
    """A 940 by OpenSC's module through real PC/SC, in readers that our own driver cannot use."""

    tells_tries = False

    def __init__(self, opensc: OpenSc, slots: PcscSlots) -> None:
        from sithsapp.card.pcsc import PcscReaders

        self.opensc = opensc
        self.slots = slots
        self.readers = PcscReaders()
        self.backends = (UnknownCards(self.readers),)
        module = Module(Path(opensc.module).resolve(), readers_only=True)
        self.tokens = Pkcs11Tokens([module], {"OPENSC_CONF": str(opensc.home / "opensc.conf")})
        self.certificates = certificates_of(opensc.card)

    def remove(self) -> None:
        self.slots.remove()

    def is_logged_in(self) -> bool:
        connection = self.readers.connect(self.opensc.reader)
        with connection.transaction():
            answer = connection.transmit(STATUS_OF_PIN1)
        connection.disconnect()
        return answer == b"\x90\x00"


def certificates_of(card: VirtualCard) -> tuple[bytes, ...]:
    """Return what was put on a virtual card."""
    return tuple(container.certificate for container in card.spec.containers if container.certificate is not None)


KIND_PARAMETERS = [
    pytest.param(kind, marks=[] if kind == "idprime" else [pytest.mark.e2e])
    for kind in ("idprime", "pcscd-T0", "pcscd-T1", "softhsm", "opensc")
]


@pytest.fixture(params=KIND_PARAMETERS)
def kind(request: pytest.FixtureRequest, make_card: CardFactory) -> Kind:
    if request.param == "idprime":
        return InProcess(make_card(pairs=RSA_AND_CURVES))
    if not sys.platform.startswith("linux"):
        pytest.skip("looks into /proc")
    if request.param == "softhsm":
        return SoftToken(request.getfixturevalue("make_softhsm"))
    slots: PcscSlots = request.getfixturevalue("pcsc_slots")
    if request.param.startswith("pcscd"):
        protocol = CardProtocol[request.param.removeprefix("pcscd-")]
        return ThroughPcscd(make_card(pairs=RSA_AND_CURVES, protocol=protocol), slots)
    home: Path = request.getfixturevalue("tmp_path") / "home"
    home.mkdir()
    return OpenScCard(OpenSc(home, slots, make_card(for_opensc_0_23(), pairs=(RSA,))), slots)


@pytest.fixture
def service(kind: Kind) -> Iterator[CardService]:
    service = CardService(kind.backends, tokens=kind.tokens)
    service.start()
    yield service
    service.close()


@pytest.fixture
def card(kind: Kind, service: CardService) -> Card:
    watcher = Watcher(service)
    kind.insert()
    return watcher.card()


def code() -> Pin:
    return pin(USER_PIN)


def sign(service: CardService, card: Card, digits: str = USER_PIN, *, last_try_ok: bool = False) -> bytes:
    credential = card.credentials[0]
    scheme = credential.schemes[0]
    return service.sign(card.id, credential.id, scheme, b"m", pin(digits), last_try_ok=last_try_ok).result(DEADLINE)


def refusal(action: Callable[[], object]) -> SithsError:
    with pytest.raises(SithsError) as caught:
        action()
    return caught.value


def auth_state(service: CardService, card: Card) -> int | None:
    return service.pin_state(card.id, PinRole.AUTH).result(DEADLINE).tries_left


class TestOperations:
    def test_list(self, kind: Kind, service: CardService, card: Card) -> None:
        assert [slot.status for slot in service.state.slots if slot.card] == [SlotStatus.READY]
        assert len(service.state.cards) == 1
        assert card.product
        assert len(card.id.serial) >= 8
        assert all(credential.pin is PinRole.AUTH for credential in card.credentials)
        if kind.certificates:
            assert {credential.certificate for credential in card.credentials} == set(kind.certificates)
        state = card.pin(PinRole.AUTH)
        assert state is not None
        assert not state.blocked

    def test_every_scheme(self, service: CardService, card: Card) -> None:
        wanted = {
            KeyType.RSA: {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
            KeyType.EC_P256: {"ES256"},
            KeyType.EC_P384: {"ES384"},
        }
        for credential in card.credentials:
            assert {scheme.value for scheme in credential.schemes} == wanted[credential.key_type]
            for scheme in credential.schemes:
                signature = service.sign(card.id, credential.id, scheme, b"m", code()).result(DEADLINE)
                assert_signed(credential, scheme, b"m", signature)

    def test_a_scheme_that_the_key_cannot(self, service: CardService, card: Card) -> None:
        rsa: Credential = next(found for found in card.credentials if found.key_type is KeyType.RSA)
        entry = code()
        future = service.sign(card.id, rsa.id, SignatureScheme.ES256, b"m", entry)
        assert refusal(lambda: future.result(DEADLINE)).failure is Failure.ALGORITHM_NOT_SUPPORTED
        assert len(entry) == 0

    def test_nobody_is_logged_in_after_us(self, kind: Kind, service: CardService, card: Card) -> None:
        sign(service, card)
        eventually(lambda: not kind.is_logged_in())
        service.change_pin(card.id, PinRole.AUTH, code(), pin(NEW_PIN)).result(DEADLINE)
        eventually(lambda: not kind.is_logged_in())

    def test_a_wrong_code(self, kind: Kind, service: CardService, card: Card) -> None:
        error = refusal(lambda: sign(service, card, WRONG))
        assert error.failure is Failure.PIN_WRONG
        assert error.tries_left == (2 if kind.tells_tries else None)
        assert auth_state(service, card) == error.tries_left
        assert sign(service, card)

    def test_change_the_code(self, service: CardService, card: Card) -> None:
        state = service.change_pin(card.id, PinRole.AUTH, code(), pin(NEW_PIN)).result(DEADLINE)
        assert state.role is PinRole.AUTH
        assert refusal(lambda: sign(service, card)).failure is Failure.PIN_WRONG
        assert sign(service, card, NEW_PIN)

    def test_a_wrong_old_code_changes_nothing(self, service: CardService, card: Card) -> None:
        future = service.change_pin(card.id, PinRole.AUTH, pin(WRONG), pin(NEW_PIN))
        assert refusal(lambda: future.result(DEADLINE)).failure is Failure.PIN_WRONG
        assert sign(service, card)

    def test_delete_a_certificate(self, kind: Kind, service: CardService, card: Card) -> None:
        credential, entry = card.credentials[-1], code()
        future = service.delete_certificate(card.id, credential.id, entry)
        if not card.deletes_certificates:
            assert not isinstance(kind, SoftToken)
            assert refusal(lambda: future.result(DEADLINE)).failure is Failure.CERTIFICATE_NOT_DELETABLE
        else:
            assert isinstance(kind, SoftToken)
            assert future.result(DEADLINE).role is credential.pin
            eventually(lambda: bool(service.state.cards) and service.state.cards[0] != card)
            left = service.state.cards[0]
            assert [found.certificate for found in left.credentials] == [c.certificate for c in card.credentials[:-1]]
        assert len(entry) == 0
        assert sign(service, service.state.cards[0])

    def test_taken_away(self, kind: Kind, service: CardService, card: Card) -> None:
        sign(service, card)
        kind.remove()
        entry = code()
        future = service.sign(card.id, card.credentials[0].id, card.credentials[0].schemes[0], b"m", entry)
        failure = refusal(lambda: future.result(DEADLINE)).failure
        assert failure in (Failure.CARD_REMOVED, Failure.CARD_CHANGED)
        assert len(entry) == 0
        eventually(lambda: not service.state.cards)


class TestLastTry:
    """Of cards that count: SoftHSM does not."""

    @pytest.mark.parametrize("kind", [KIND_PARAMETERS[0], KIND_PARAMETERS[1], KIND_PARAMETERS[-1]], indirect=True)
    def test_it_is_not_sent_unasked(self, service: CardService, card: Card) -> None:
        errors = [refusal(lambda: sign(service, card, WRONG)) for _ in range(2)]
        assert [error.failure for error in errors] == [Failure.PIN_WRONG] * 2
        assert errors[-1].tries_left == 1
        assert refusal(lambda: sign(service, card, WRONG)).failure is Failure.LAST_TRY_NOT_CONFIRMED
        assert auth_state(service, card) == 1
        locked = refusal(lambda: sign(service, card, WRONG, last_try_ok=True))
        assert (locked.failure, locked.tries_left) == (Failure.PIN_LOCKED, 0)
        assert refusal(lambda: sign(service, card)).failure is Failure.PIN_LOCKED
        assert auth_state(service, card) == 0
