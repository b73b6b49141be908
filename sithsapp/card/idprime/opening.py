# SPDX-License-Identifier: EUPL-1.2
"""Opening a card: for the first time, known from before, or again after its connection was let go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sithsapp.card.idprime import reading
from sithsapp.card.idprime.contents import Contents, read_keys
from sithsapp.card.idprime.profile import find_profile
from sithsapp.card.idprime.record import CardRecord, ContentsSource
from sithsapp.card.idprime.session import CardSession
from sithsapp.card.iso7816 import Channel
from sithsapp.card.model import CardId
from sithsapp.card.transport import CardConnection
from sithsapp.failures import Failure, SithsError


def open_card(
    connection: CardConnection, reader: str, cache: ContentsSource | None = None, *, anew: bool = False
) -> CardSession:
    """Recognise the card and learn its contents in one transaction; `anew` reads a known card from the card too.

    Raises CARD_NOT_SUPPORTED, CARD_DATA_INVALID and what the connection raises; the connection is then let go. Of a
    card that the cache knows only serial number and change counters are read. Of one that it does not know they are
    left for `CardSession.learn_counters`, when nobody waits any more.
    """
    channel = Channel(connection)
    profile = find_profile(connection.atr)
    with _let_go_on_failure(connection), connection.transaction():
        reading.select_application(channel)
        serial = reading.read_serial(channel)
        record = CardRecord(CardId(reader, connection.atr, serial), profile, Contents(b"\0", None, ()), ())
        if cache is not None:
            record.habits = cache.habits(serial)
        if anew or cache is None or not _recall(channel, record, cache):
            record.contents = reading.read_contents(channel, record.profile)
            record.keys = read_keys(record.contents, record.profile)
            if anew and cache is not None:
                record.freshness = reading.read_freshness(channel, record.contents.index)
    return CardSession(connection, record)


def resume_card(connection: CardConnection, record: CardRecord) -> CardSession:
    """Use a new connection to a card that was opened before.

    Raises CARD_CHANGED if it is another one, and what the connection raises; the connection is then let go.
    """
    session = CardSession(connection, record)
    with _let_go_on_failure(connection):
        if connection.atr != record.id.atr:
            raise SithsError(Failure.CARD_CHANGED, "the card in the reader has another answer to reset")
        with connection.transaction():
            session.identify()
    return session


@contextmanager
def _let_go_on_failure(connection: CardConnection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.disconnect()
        raise


def _recall(channel: Channel, record: CardRecord, cache: ContentsSource) -> bool:
    """Take contents from the cache if the card's change counters say that they still hold."""
    serial, atr = record.id.serial, record.id.atr
    known = cache.known(serial, atr)
    if known is None:
        return False
    try:
        freshness = reading.read_freshness(channel, known.index)
        found = None if freshness is None else cache.find(serial, atr, freshness)
        if found is None:
            return False
        record.keys = read_keys(found, record.profile)
        for reference, answer in found.pins:
            if answer:
                found.description(reference)
    except SithsError as error:
        # What the cache says is no better than the file it came from.
        if error.failure is not Failure.CARD_DATA_INVALID:
            raise
        return False
    record.contents, record.freshness = found, freshness
    return True
