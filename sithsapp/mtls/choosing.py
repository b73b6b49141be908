# SPDX-License-Identifier: EUPL-1.2
"""Which certificate is shown to servers, and which chain goes with it."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from sithsapp.card.model import Card, CardId, CardsState, Credential, KeyType, SlotStatus
from sithsapp.failures import Failure, SithsError
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.extensions import CLIENT_AUTH, KeyUsage

_KEY_TYPES: Final = frozenset({KeyType.RSA, KeyType.EC_P256, KeyType.EC_P384})
_MOST_CREDENTIALS = 64
_MOST_ISSUERS = 64
_LONGEST_CHAIN = 6
_LARGEST_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chosen:
    """A card and the certificate on it that servers are shown."""

    card: Card
    credential: Credential


def choose(cards: CardsState, *, at: datetime | None = None) -> Chosen:
    """Return the best certificate for client authentication: HSA-id first, then the one that is valid longest.

    One on the card that the person chose is better than any other. Certificates for signatures of persons
    (nonRepudiation) are never offered. Raises `SithsError` with the reason: NO_READER_SERVICE, NO_READER, NO_CARD,
    a card's own failure, NO_SUITABLE_CERTIFICATE or CERTIFICATE_EXPIRED.
    """
    suitable: list[tuple[Certificate, Chosen]] = []
    moment = at or datetime.now(UTC)
    expired = False
    for card, credential, certificate in _certificates(cards):
        if not _for_client_authentication(certificate) or credential.key_type not in _KEY_TYPES:
            continue
        if certificate.is_valid_at(moment):
            suitable.append((certificate, Chosen(card, credential)))
        else:
            expired = True
    if suitable:
        return min(suitable, key=lambda pair: _rank(pair[0], pair[1], cards.chosen_id))[1]
    raise SithsError(Failure.CERTIFICATE_EXPIRED if expired else _why_none(cards), "client authentication")


def _rank(certificate: Certificate, offered: Chosen, chosen: CardId | None) -> tuple[bool, bool, float]:
    return offered.card.id != chosen, certificate.hsaid is None, -certificate.not_after.timestamp()


def _certificates(cards: CardsState) -> Iterator[tuple[Card, Credential, Certificate]]:
    for card in cards.cards:
        for credential in card.credentials[:_MOST_CREDENTIALS]:
            certificate = _read(credential.certificate)
            if certificate is None:
                continue
            if card.pin(credential.pin) is not None and credential.schemes:
                yield card, credential, certificate


@lru_cache(maxsize=_MOST_CREDENTIALS)
def _read(certificate: bytes) -> Certificate | None:
    """Return a certificate's fields, None if it is damaged. Each new connection asks for the same few."""
    try:
        return read_certificate(certificate)
    except SithsError:
        return None


def _for_client_authentication(certificate: Certificate) -> bool:
    purposes = certificate.extended_key_usage
    usage = certificate.key_usage
    return (
        KeyUsage.DIGITAL_SIGNATURE in usage
        and KeyUsage.CONTENT_COMMITMENT not in usage
        and not certificate.is_ca
        and not certificate.extensions.unknown_critical
        and (purposes is None or CLIENT_AUTH in purposes)
    )


def _why_none(cards: CardsState) -> Failure:
    if cards.cards:
        return Failure.NO_SUITABLE_CERTIFICATE
    if not cards.service_running:
        return cards.failure or Failure.NO_READER_SERVICE
    failed = [slot.failure for slot in cards.slots if slot.status is SlotStatus.FAILED and slot.failure is not None]
    return failed[0] if failed else Failure.NO_CARD if cards.slots else Failure.NO_READER


class Issuers:
    """The issuing CAs whose certificates are sent along, as many servers know the root alone."""

    def __init__(self, certificates: Iterable[bytes]) -> None:
        """Take DER certificates; raises `SithsError(CARD_DATA_INVALID)` for one that is none."""
        self._by_subject = {read_certificate(each).subject.rfc4514: each for each in certificates}

    def chain(self, chosen: Chosen) -> tuple[bytes, ...]:
        """Return the certificate and its issuers without the root, as far as the card or the files have them."""
        chain = [chosen.credential.certificate]
        known = _readable(chosen.card.other_certificates) | self._by_subject
        while len(chain) < _LONGEST_CHAIN:
            issuer = known.get(read_certificate(chain[-1]).issuer_name.rfc4514)
            if issuer is None or issuer in chain or _is_root(issuer):
                break
            chain.append(issuer)
        return tuple(chain)


def _readable(certificates: Iterable[bytes]) -> dict[str, bytes]:
    """Return certificates of a card by subject, without those that are damaged."""
    found: dict[str, bytes] = {}
    for each in certificates:
        with suppress(SithsError):
            found[read_certificate(each).subject.rfc4514] = each
    return found


def _is_root(certificate: bytes) -> bool:
    fields = read_certificate(certificate)
    return fields.subject == fields.issuer_name


def read_issuers(files: Sequence[str]) -> Issuers:
    """Read PEM files; raises `SithsError(SETTINGS_INVALID)` naming one that cannot be used."""
    found: list[bytes] = []
    for file in files:
        try:
            with Path(file).open(encoding="ascii") as stream:
                here = _split(stream.read(_LARGEST_FILE))
            found += here
            if not here or len(found) > _MOST_ISSUERS:
                raise ValueError("no certificates, or too many")
            Issuers(found)
        except (OSError, ValueError, SithsError) as error:
            raise SithsError(Failure.SETTINGS_INVALID, f"{file}: no issuers' certificates") from error
    return Issuers(found)


def _split(pem: str) -> list[bytes]:
    end = "-----END CERTIFICATE-----"
    begin = "-----BEGIN CERTIFICATE-----"
    return [ssl.PEM_cert_to_DER_cert(begin + part.split(begin, 1)[1] + end) for part in pem.split(end)[:-1]]
