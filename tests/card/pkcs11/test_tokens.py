# SPDX-License-Identifier: EUPL-1.2
"""Cards made of tokens: one for each code, codes that are known by flags alone, and the names of readers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sithsapp.card.model import CardId, KeyType, PinRole
from sithsapp.card.pkcs11.messages import Contents, Padding, StoredCertificate, Token
from sithsapp.card.pkcs11.modules import Module
from sithsapp.card.pkcs11.tokens import TokenRecord, build_record, is_in_reader, place
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import HSA_ID_PAIRS, Pair
from sithsapp.failures import Failure, SithsError
from tests.parts.virtual_card import CardFactory

MODULE = Module(Path("/vendor.so"), readers_only=True)
ALL = frozenset(Padding)
TOKEN = Token(
    slot=1,
    description="Reader 0",
    removable=True,
    label="SITHS e-id kort (Legitimering)",
    serial=b"0123456789abcdef",
    manufacturer="Thales",
    model="SITHS Standard",
    final_try=False,
    locked=False,
    to_be_changed=False,
    so_final_try=False,
    so_locked=False,
)


@pytest.fixture
def certificates(make_card: CardFactory) -> list[StoredCertificate]:
    """A certificate for log-in and one for signatures."""
    found = [container.certificate for container in make_card(pairs=HSA_ID_PAIRS).spec.containers]
    return [StoredCertificate(bytes([number]), value) for number, value in enumerate(found) if value is not None]


def contents(*stored: StoredCertificate, keys: frozenset[bytes] = frozenset()) -> Contents:
    return Contents(stored, keys, ALL)


def record_of(*tokens: tuple[Token, Contents]) -> TokenRecord:
    record = build_record(MODULE, "Reader 0", b"atr", tokens)
    assert record is not None
    return record


def state_with(**flags: bool) -> tuple[int | None, bool, bool]:
    record = TokenRecord(
        CardId("Reader 0", b"", TOKEN.serial), MODULE, {PinRole.AUTH: msgspec.structs.replace(TOKEN, **flags)}, ()
    )
    state = record.pin_state(PinRole.AUTH)
    assert state is not None
    return state.tries_left, state.blocked, state.never_changed


class TestRoles:
    def test_a_token_for_each_code(self, certificates: list[StoredCertificate]) -> None:
        for_signatures = msgspec.structs.replace(TOKEN, slot=2, label="SITHS e-id kort (Underskrift)")
        record = record_of((for_signatures, contents(certificates[1])), (TOKEN, contents(certificates[0])))
        card = record.card
        assert [(c.id, c.pin) for c in card.credentials] == [("00", PinRole.AUTH), ("01", PinRole.SIGN)]
        assert [state.role for state in card.pins] == [PinRole.AUTH, PinRole.SIGN]
        assert record.tokens[PinRole.SIGN].slot == 2
        assert (card.product, card.label) == ("SITHS Standard", TOKEN.label)
        assert card.id.serial == TOKEN.serial

    def test_one_token_with_one_code_for_both(self, certificates: list[StoredCertificate]) -> None:
        card = record_of((TOKEN, contents(*certificates))).card
        assert {c.pin for c in card.credentials} == {PinRole.AUTH}

    def test_a_second_token_for_the_same_code_is_left_out(self, certificates: list[StoredCertificate]) -> None:
        second = msgspec.structs.replace(TOKEN, slot=2)
        assert len(record_of((TOKEN, contents(certificates[0])), (second, contents(certificates[0]))).keys) == 1

    def test_certificates_without_key_are_left_out(self, certificates: list[StoredCertificate]) -> None:
        record = record_of((TOKEN, contents(*certificates, keys=frozenset({b"\x00"}))))
        assert [key.key for key in record.keys] == [b"\x00"]
        assert (
            build_record(MODULE, "Reader 0", b"", [(TOKEN, contents(*certificates, keys=frozenset({b"x"})))]) is None
        )

    def test_garbage_and_ca_certificates_are_left_out(
        self, certificates: list[StoredCertificate], make_card: CardFactory
    ) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        issuer = make_card.pki.root.certificate.public_bytes(Encoding.DER)
        more = (StoredCertificate(b"a", b"garbage"), StoredCertificate(b"b", issuer))
        assert len(record_of((TOKEN, contents(certificates[0], *more))).keys) == 1

    def test_schemes_are_those_of_key_and_module(self, make_card: CardFactory) -> None:
        pair = Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, KeyKind.P_256)
        (container,) = make_card(pairs=(pair,)).spec.containers
        assert container.certificate is not None
        stored = StoredCertificate(b"\x01", container.certificate)
        (key,) = record_of((TOKEN, contents(stored))).keys
        assert (key.credential.key_type, len(key.credential.schemes)) == (KeyType.EC_P256, 1)
        (key,) = record_of((TOKEN, Contents((stored,), frozenset(), frozenset({Padding.PSS})))).keys
        assert key.credential.schemes == ()

    def test_an_unknown_credential_is_told(self, certificates: list[StoredCertificate]) -> None:
        with pytest.raises(SithsError) as caught:
            record_of((TOKEN, contents(*certificates))).key("99")
        assert caught.value.failure is Failure.NO_SUITABLE_CERTIFICATE

    def test_a_short_serial_number_is_no_identity(self, certificates: list[StoredCertificate]) -> None:
        serials = {
            record_of((msgspec.structs.replace(TOKEN, serial=serial), contents(certificates[0]))).id.serial
            for serial in (b"", b"1", b"2")
        }
        assert len(serials) == 3
        assert {len(serial) for serial in serials} == {16}


class TestStates:
    def test_only_what_the_flags_say(self) -> None:
        assert state_with() == (None, False, False)
        assert state_with(final_try=True) == (1, False, False)
        assert state_with(locked=True) == (0, True, False)
        assert state_with(final_try=True, locked=True) == (0, True, False)
        assert state_with(to_be_changed=True) == (None, False, True)

    def test_a_puk_only_where_the_module_takes_it(self, certificates: list[StoredCertificate]) -> None:
        assert record_of((TOKEN, contents(*certificates))).card.pin(PinRole.PUK) is None
        soft = msgspec.structs.replace(TOKEN, manufacturer="SoftHSM project", so_final_try=True)
        card = record_of((soft, contents(*certificates))).card
        puk, auth = card.pin(PinRole.PUK), card.pin(PinRole.AUTH)
        assert puk is not None
        assert auth is not None
        assert (puk.tries_left, auth.unblocked_by) == (1, PinRole.PUK)


class TestNames:
    @pytest.mark.parametrize(
        ("description", "reader", "expected"),
        [
            ("Reader 0", "Reader 0", True),
            ("Reader  0", "Reader 0 ", True),
            ("Reader 0", "Reader 01", False),
            ("R" * 64, "R" * 80, True),
            ("R" * 63, "R" * 80, False),
            ("å" * 32, "å" * 40, True),
        ],
    )
    def test_a_slot_and_a_reader(self, description: str, reader: str, expected: bool) -> None:
        assert is_in_reader(msgspec.structs.replace(TOKEN, description=description), reader) is expected

    def test_a_slot_without_a_name_goes_by_its_token(self) -> None:
        assert place(msgspec.structs.replace(TOKEN, description="")) == TOKEN.label
