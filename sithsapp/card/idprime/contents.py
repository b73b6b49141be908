# SPDX-License-Identifier: EUPL-1.2
"""A card's public contents: as read, and as the model that people see."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace

from sithsapp.card.idprime import files
from sithsapp.card.idprime.profile import PINS, PUK_NUMBERS, PinSlot, Profile
from sithsapp.card.model import Card, CardId, Credential, KeyType, PinRole, PinState, SignatureScheme
from sithsapp.card.pin import MAX_PIN_LENGTH
from sithsapp.failures import SithsError

_log = logging.getLogger(__name__)

_RSA = tuple(SignatureScheme(f"{family}{bits}") for family in ("PS", "RS") for bits in (256, 384, 512))
_SCHEMES: dict[KeyType, tuple[SignatureScheme, ...]] = {
    KeyType.RSA: _RSA,
    KeyType.EC_P256: (SignatureScheme.ES256,),
    KeyType.EC_P384: (SignatureScheme.ES384,),
    KeyType.EC_P521: (),
}


@dataclass(frozen=True, slots=True)
class Contents:
    """The public files of one card, byte for byte. This is what the cache keeps, and it is parsed anew each time.

    `key_map` is None on a card without file 0005; `certificates` are (file id, content); `pins` are (reference,
    answer to GET DATA), whose tries left are history.
    """

    index: bytes
    key_map: bytes | None
    certificates: tuple[tuple[int, bytes], ...]
    pins: tuple[tuple[int, bytes], ...] = ()

    def description(self, reference: int) -> files.PinDescription | None:
        """Return what the card said of a code, or None if it has none with that reference."""
        answer = dict(self.pins).get(reference)
        return None if answer is None else files.parse_pin_description(answer)

    def with_description(self, reference: int, answer: bytes) -> Contents:
        """Return the same contents with another answer for one code."""
        return replace(self, pins=tuple(sorted({**dict(self.pins), reference: answer}.items())))


@dataclass(frozen=True, slots=True)
class Key:
    """A credential with the key reference that the card wants to hear."""

    credential: Credential
    reference: int


def read_keys(contents: Contents, profile: Profile) -> tuple[Key, ...]:
    """Pair certificates with keys; a certificate without key (a CA's) or a key without certificate is legal.

    Certificates that cannot be read are left out. Raises `SithsError(CARD_DATA_INVALID)` when none can.
    """
    named = files.parse_index(contents.index)
    entries = _key_entries(contents, profile, named)
    stored = dict(contents.certificates)
    found: list[Key] = []
    problem: SithsError | None = None
    for file in named:
        entry = entries.get(file.container)
        if entry is None or file.file_id not in stored:
            continue
        try:
            found.append(Key(_credential(file, entry, stored[file.file_id]), entry.reference))
        except SithsError as error:
            problem = error
            _log.warning("container %02d is left out: %s", file.container, error)
    if problem is not None and not found:
        raise problem
    return tuple(found)


def other_certificates(contents: Contents, profile: Profile) -> tuple[bytes, ...]:
    """Return the certificates without a key, such as issuers'; those that cannot be read are left out."""
    named = files.parse_index(contents.index)
    entries = _key_entries(contents, profile, named)
    stored = dict(contents.certificates)
    found: list[bytes] = []
    for file in named:
        if file.container not in entries and file.file_id in stored:
            with suppress(SithsError):
                found.append(files.parse_certificate_file(stored[file.file_id]))
    return tuple(found)


def _key_entries(
    contents: Contents, profile: Profile, named: tuple[files.CertificateFile, ...]
) -> dict[int, files.KeyEntry]:
    if contents.key_map is not None:
        return {entry.container: entry for entry in files.parse_key_map(contents.key_map)}
    if profile.key_base is None:
        return {}
    return {
        file.container: files.KeyEntry(
            file.container,
            (profile.key_base + file.container) & 0xFF,
            PinRole.SIGN if file.signature else PinRole.AUTH,
        )
        for file in named
    }


def _credential(file: files.CertificateFile, entry: files.KeyEntry, content: bytes) -> Credential:
    der = files.parse_certificate_file(content)
    key_type, bits = _public_key(der)
    name = f"{'ksc' if file.signature else 'kxc'}{file.container:02d}"
    return Credential(f"{file.container:02d}", name, der, key_type, bits, entry.pin, _SCHEMES[key_type])


def _public_key(der: bytes) -> tuple[KeyType, int]:
    from sithsapp.pki.certificate import read_certificate

    certificate = read_certificate(der)
    try:
        return KeyType(certificate.key_type), certificate.key_bits
    except ValueError:
        raise files.invalid("certificate: key of an unknown kind") from None


def pin_state(slot: PinSlot, description: files.PinDescription, tries_left: int | None) -> PinState:
    """Return what people see of a code; `tries_left` was read now, the description may be older."""
    longest = description.stored_length or MAX_PIN_LENGTH
    return PinState(
        slot.role,
        slot.reference,
        tries_left,
        tries_left == 0,
        min(slot.min_length, longest),
        longest,
        description.never_changed,
        PinRole.PUK if description.unblocker in PUK_NUMBERS else None,
    )


def pin_slot(role: PinRole) -> PinSlot:
    """Return reference and lengths of a code."""
    return next(slot for slot in PINS if slot.role is role)


def build_card(
    card_id: CardId,
    profile: Profile,
    keys: tuple[Key, ...],
    pins: tuple[PinState, ...],
    others: tuple[bytes, ...] = (),
) -> Card:
    """Return the card as the rest of the app knows it."""
    credentials = tuple(key.credential for key in keys)
    return Card(card_id, profile.product, profile.product, credentials, pins, others)
