# SPDX-License-Identifier: EUPL-1.2
"""What is private on this computer: its user and name, and the holders of the cards that are in its readers."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sithsapp.card.model import Card, CardsState
from sithsapp.failures import SithsError
from sithsapp.support.redaction import Private, serial_mark

_SHARED_ACCOUNTS = frozenset({"root", "user", "users", "admin", "administrator", "guest", "home", "system"})
_SHARED_HOSTS = frozenset({"localhost", "computer", "debian", "ubuntu"})


def private_values(cards: CardsState, environment: Mapping[str, str], home: Path) -> tuple[Private, ...]:
    """Return every value that must not be in a report. Reads no card."""
    return (*_user(environment, home), *_host(environment), *card_values(cards.cards))


def card_values(cards: Iterable[Card]) -> Iterator[Private]:
    """Return what the cards say of their holders, and the cards' own numbers."""
    for card in cards:
        serial, mark = card.id.serial, f"<card {serial_mark(card.id.serial)}>"
        for form in (serial.hex(), serial.hex(" "), serial.hex(":"), serial.decode("latin-1")):
            yield Private(form, mark)
        for credential in card.credentials:
            yield from _holder(credential.certificate)


def _holder(certificate: bytes) -> Iterator[Private]:
    from sithsapp.pki.certificate import read_certificate

    try:
        found = read_certificate(certificate)
    except SithsError:
        return
    names = [name for name in (found.common_name, found.given_name, found.surname) if name]
    for name in names:
        yield from (Private(word, "<name>") for word in (name, *name.replace("-", " ").split()))
    for value, mark in (
        (found.hsaid, "<hsa-id>"),
        (found.personal_number, "<personal-number>"),
        (found.upn, "<mail>"),
        (found.card_number, "<card-number>"),
        (format(found.serial_number, "x"), "<certificate>"),
        (str(found.serial_number), "<certificate>"),
    ):
        if value:
            yield Private(value, mark)


def _user(environment: Mapping[str, str], home: Path) -> Iterator[Private]:
    if home != home.parent:
        yield Private(str(home), "~")
    names = {environment.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")} | {home.name}
    names |= set(_account_names())
    yield from (Private(name, "<user>") for name in names if name.casefold() not in _SHARED_ACCOUNTS)


def _account_names() -> Iterator[str]:
    """Return the account's name and the person's own, where the system has them."""
    if os.name != "posix":
        return
    import pwd

    try:
        account = pwd.getpwuid(os.getuid())
    except KeyError:
        return
    person = account.pw_gecos.split(",")[0]
    yield from (account.pw_name, person, *person.split())


def _host(environment: Mapping[str, str]) -> Iterator[Private]:
    names = {platform.node(), *(environment.get(name, "") for name in ("COMPUTERNAME", "HOSTNAME", "CLIENTNAME"))}
    names |= {name.split(".")[0] for name in names}
    yield from (Private(name, "<host>") for name in names if name.casefold() not in _SHARED_HOSTS)
