# SPDX-License-Identifier: EUPL-1.2
"""From the tokens of a module to cards as people see them. A module may show one card as a token for each code."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sithsapp.card.model import Card, CardId, Credential, KeyType, PinRole, PinState, SignatureScheme
from sithsapp.card.pin import MAX_PIN_LENGTH
from sithsapp.card.pkcs11.messages import Contents, Padding, Token
from sithsapp.card.pkcs11.modules import Module
from sithsapp.failures import Failure, SithsError
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.extensions import KeyUsage

_log = logging.getLogger(__name__)

_MIN_PIN_LENGTH: Final = 4
_DESCRIPTION_BYTES: Final = 64
_PUK_OPENS: Final = frozenset({"SoftHSM project"})
"""Manufacturers whose security officer's code is what people hold as PUK. With others it is the administrator's key,
and a person's PUK sent there would only use up its tries."""

_RSA: Final = {"PS": Padding.PSS, "RS": Padding.PKCS1}
_CURVES: Final = {KeyType.EC_P256: (SignatureScheme.ES256,), KeyType.EC_P384: (SignatureScheme.ES384,)}


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A credential with the CKA_ID of its key."""

    credential: Credential
    key: bytes


@dataclass(slots=True)
class TokenRecord:
    """What is known of one card behind a module beyond one process. Public data only.

    `tokens` are by the role of their code, as they were last seen. `may_delete`: the settings let people delete
    certificates.
    """

    id: CardId
    module: Module
    tokens: dict[PinRole, Token]
    keys: tuple[TokenKey, ...]
    stale: bool = field(default=False, init=False)
    may_delete: bool = field(default=False, init=False)

    @property
    def card(self) -> Card:
        """The card as people see it."""
        first = next(iter(self.tokens.values()))
        product = first.model or first.manufacturer or first.description
        pins = tuple(state for role in PinRole if (state := self.pin_state(role)) is not None)
        credentials = tuple(key.credential for key in self.keys)
        deletes = self.may_delete and not any(token.write_protected for token in self.tokens.values())
        return Card(self.id, product, first.label or product, credentials, pins, (), deletes)

    def key(self, credential_id: str) -> TokenKey:
        """Return a key by its credential; raises `SithsError(NO_SUITABLE_CERTIFICATE)`."""
        for key in self.keys:
            if key.credential.id == credential_id:
                return key
        raise SithsError(Failure.NO_SUITABLE_CERTIFICATE, "no such credential on the token")

    def puk_of(self, role: PinRole) -> bool:
        """Tell whether a PUK can set a new code of that role."""
        token = self.tokens.get(role)
        return token is not None and token.manufacturer in _PUK_OPENS

    def pin_state(self, role: PinRole) -> PinState | None:
        """Return what the flags say of a code: whether it is blocked or has one try left, never how many else."""
        if role is PinRole.PUK:
            token = next((self.tokens[other] for other in self.tokens if self.puk_of(other)), None)
            return None if token is None else _state(role, token, token.so_final_try, token.so_locked)
        token = self.tokens.get(role)
        if token is None:
            return None
        by = PinRole.PUK if self.puk_of(role) else None
        return _state(role, token, token.final_try, token.locked, token.to_be_changed, by)


def _state(
    role: PinRole, token: Token, final: bool, locked: bool, new: bool = False, by: PinRole | None = None
) -> PinState:
    tries = 0 if locked else 1 if final else None
    return PinState(role, token.slot, tries, locked, _MIN_PIN_LENGTH, MAX_PIN_LENGTH, new, by)


def place(token: Token) -> str:
    """Return the name of the place where a token is: a reader's name for a card."""
    return " ".join((token.description or token.label).split())


def is_in_reader(token: Token, reader: str) -> bool:
    """Tell whether a token's slot is that PC/SC reader; PKCS#11 has room for 64 bytes of its name."""
    name = " ".join(reader.split())
    cut = name.encode()[:_DESCRIPTION_BYTES].decode(errors="ignore").strip()
    return place(token) in (name, cut)


def same_token(one: Token, other: Token) -> bool:
    """Tell whether two looks saw the same token in the same slot; slot numbers may differ between processes."""
    return (one.description, one.serial, one.label) == (other.description, other.serial, other.label)


def build_record(
    module: Module, reader: str, atr: bytes, contents: Iterable[tuple[Token, Contents]]
) -> TokenRecord | None:
    """Return the card that the tokens of one slot make together, or None when they have no certificate with a key."""
    found: dict[PinRole, tuple[Token, list[tuple[Credential, bytes]]]] = {}
    for token, content in contents:
        usable = _usable(content)
        if not usable:
            continue
        role = PinRole.SIGN if all(_is_for_signatures(each) for each, _ in usable.values()) else PinRole.AUTH
        if role in found:
            _log.info("a second token for the same code is left out")
            continue
        found[role] = token, [_credential(der, *usable[der], role, content) for der in usable]
    if not found:
        return None
    tokens = {role: found[role][0] for role in PinRole if role in found}
    keys = [key for role in tokens for key in found[role][1]]
    numbered = tuple(
        TokenKey(_numbered(number, credential), key_id) for number, (credential, key_id) in enumerate(keys)
    )
    return TokenRecord(CardId(reader, atr, _serial(tokens)), module, tokens, numbered)


def _usable(content: Contents) -> Mapping[bytes, tuple[Certificate, bytes]]:
    """Return certificates that have a key, by their DER; keys that hide before a log-in are taken to be there."""
    usable = {}
    for stored in content.certificates:
        try:
            certificate = read_certificate(stored.value)
        except SithsError as error:
            _log.warning("a certificate is left out: %s", error)
            continue
        if not certificate.is_ca and stored.id and (not content.keys or stored.id in content.keys):
            usable[stored.value] = certificate, stored.id
    return usable


def _is_for_signatures(certificate: Certificate) -> bool:
    return KeyUsage.CONTENT_COMMITMENT in certificate.key_usage


def _credential(
    der: bytes, certificate: Certificate, key: bytes, role: PinRole, content: Contents
) -> tuple[Credential, bytes]:
    kind = KeyType(certificate.key_type)
    schemes = _schemes(kind, content.paddings)
    return Credential("", "", der, kind, certificate.key_bits, role, schemes), key


def _numbered(number: int, credential: Credential) -> Credential:
    name = f"{number:02d}"
    return Credential(
        name,
        f"{credential.pin.value}{name}",
        credential.certificate,
        credential.key_type,
        credential.key_bits,
        credential.pin,
        credential.schemes,
    )


def _schemes(kind: KeyType, paddings: frozenset[Padding]) -> tuple[SignatureScheme, ...]:
    if kind is KeyType.RSA:
        offered = (family for family, padding in _RSA.items() if padding in paddings)
        return tuple(SignatureScheme(f"{family}{bits}") for family in offered for bits in (256, 384, 512))
    return _CURVES.get(kind, ()) if Padding.ECDSA in paddings else ()


def _serial(tokens: Mapping[PinRole, Token]) -> bytes:
    """Return the token's own serial number where it is fit for an identity, or a digest of what it says of itself."""
    first = next(iter(tokens.values()))
    if len(first.serial) >= 8:
        return first.serial
    told = (first.manufacturer, first.model, first.label, first.description)
    return hashlib.sha256(first.serial + "\0".join(told).encode()).digest()[:16]
