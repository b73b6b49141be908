# SPDX-License-Identifier: EUPL-1.2
"""Which readers the app watches: PC/SC always, a virtual card's own reader where the settings name one."""

from __future__ import annotations

from pathlib import Path

from sithsapp.card.session import TokenSource
from sithsapp.card.transport import ReaderBackend
from sithsapp.settings.schema import Settings


def reader_backends(settings: Settings) -> list[ReaderBackend]:
    """Return the sources of readers that `settings` allow.

    Raises `SithsError`: VIRTUAL_CARD_REFUSED if a virtual card is named in production, CARD_DATA_INVALID if it
    cannot be opened.
    """
    from sithsapp.card.pcsc import PcscReaders

    backends: list[ReaderBackend] = [PcscReaders(use_pads=settings.pin_pad)]
    if settings.virtual_card is not None:
        backends.append(_virtual_reader(Path(settings.virtual_card), settings.environment))
    return backends


def token_source(settings: Settings) -> TokenSource | None:
    """Return the cards behind the PKCS#11 modules that are installed and that `settings` allow, if any are."""
    if not settings.pkcs11:
        return None
    from sithsapp.card.pkcs11.modules import find_modules

    modules = find_modules(settings.pkcs11_modules)
    if not modules:
        return None
    from sithsapp.card.pkcs11.source import Pkcs11Tokens

    return Pkcs11Tokens(modules, may_delete=settings.allow_certificate_deletion)


def _virtual_reader(directory: Path, environment: str) -> ReaderBackend:
    from sithsapp.card.virtual.card import VirtualCard
    from sithsapp.card.virtual.reader import VirtualReaders

    readers = VirtualReaders()
    readers.insert(VirtualCard.open(directory, environment=environment))
    return readers
