# SPDX-License-Identifier: EUPL-1.2
"""Opening a card behind a module: which of the module's tokens are meant, and a process to ask them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.card.pkcs11.messages import Contents, Look, Read, Token, Tokens
from sithsapp.card.pkcs11.modules import Module, check_module
from sithsapp.card.pkcs11.outcomes import failure_of
from sithsapp.card.pkcs11.process import ModuleProcess, ModuleRefusal
from sithsapp.card.pkcs11.session import TokenSession
from sithsapp.card.pkcs11.tokens import TokenRecord, build_record, is_in_reader, place
from sithsapp.card.transport import Presence, ReaderEvent
from sithsapp.failures import Failure, SithsError


@dataclass(frozen=True, slots=True)
class Place:
    """The reader that a card is looked for in, and what all readers have at the moment."""

    reader: str
    atr: bytes
    others: CardsState


def open_card(
    module: Module, environment: Mapping[str, str], where: Place, reset: Callable[[], None]
) -> TokenSession | None:
    """Return a session with the card in that reader, or None when the module has none there; raises CARD_ERROR."""
    with _started(module, environment) as process:
        tokens = process.call(Look(), Tokens).tokens
        here = [token for token in tokens if is_in_reader(token, where.reader)]
        wanted = here or only_homeless(tokens, where)
        contents = [(token, process.call(Read(token.slot, token.serial), Contents)) for token in wanted]
        record = build_record(module, where.reader, where.atr, contents)
        if record is None or (not here and _is_shown(record, where.others)):
            process.close()
            return None
        return TokenSession(process, record, reset)


def resume_card(record: TokenRecord, environment: Mapping[str, str], reset: Callable[[], None]) -> TokenSession:
    """Return a session with a card that was opened before; raises CARD_REMOVED, CARD_CHANGED and CARD_ERROR."""
    with _started(record.module, environment) as process:
        session = TokenSession(process, record, reset)
        session.look()
        return session


def tokens_without_reader(
    module: Module, environment: Mapping[str, str], started: Callable[[ModuleProcess], None]
) -> tuple[ReaderEvent, ...]:
    """Return a reader for each token with certificates that is no removable device; raises CARD_ERROR.

    `started` is told the process, to end it if need be.
    """
    with _started(module, environment) as process:
        started(process)
        fixed = [token for token in process.call(Look(), Tokens).tokens if not token.removable and place(token)]
        found = [(token, process.call(Read(token.slot, token.serial), Contents)) for token in fixed]
        process.close()
    return tuple(
        ReaderEvent(place(token), Presence.PRESENT, b"", zlib.crc32(token.serial + token.label.encode()))
        for token, contents in found
        if build_record(module, place(token), b"", [(token, contents)]) is not None
    )


@contextmanager
def _started(module: Module, environment: Mapping[str, str]) -> Iterator[ModuleProcess]:
    """Lend a process with the module, as safe to load as it was when found; end it on any failure."""
    process = ModuleProcess(check_module(module.path), environment)
    try:
        yield process
    except ModuleRefusal as refusal:
        process.close()
        raise SithsError(failure_of(refusal.failed), refusal.failed.reason) from None
    except BaseException:
        process.close()
        raise


def only_homeless(tokens: Iterable[Token], where: Place) -> list[Token]:
    """Return the tokens of the one slot that no reader's name explains, where this is the one unexplained reader.

    Some modules number readers their own way. While other readers are being read nothing is known, and nothing found.
    """
    elsewhere = [slot for slot in where.others.slots if slot.reader != where.reader]
    if any(s.status is SlotStatus.READING or s.failure is Failure.CARD_NOT_SUPPORTED for s in elsewhere):
        return []
    homeless = [t for t in tokens if t.removable and not any(is_in_reader(t, slot.reader) for slot in elsewhere)]
    return homeless if len({place(token) for token in homeless}) == 1 else []


def _is_shown(record: TokenRecord, others: CardsState) -> bool:
    """Tell whether another reader shows a card with one of these certificates."""
    shown = {c.certificate for card in others.cards if card.id.reader != record.id.reader for c in card.credentials}
    return any(key.credential.certificate in shown for key in record.keys)
