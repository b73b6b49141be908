# SPDX-License-Identifier: EUPL-1.2
"""A virtual SITHS card: APDU in, APDU out, with its memory in a directory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual import refuse_in_production
from sithsapp.card.virtual.applet import Applet
from sithsapp.card.virtual.spec import CardSpec, ContainerSpec
from sithsapp.card.virtual.store import CardStore
from sithsapp.card.virtual.transmission import Transmission

_FILE = "card.json"

Observer = Callable[[bytes, bytes], None]
"""Called with each command and its answer; both may hold a PIN, so never log them."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a command, and a signature besides, takes: seconds."""

    command: float = 0.0
    signature: float = 0.0


class VirtualCard:
    """One card. Thread-safe. Several programs may have it open if they do not use it at the same instant."""

    def __init__(self, store: CardStore, latency: Latency) -> None:
        self._store = store
        self._applet = Applet(store)
        self._transmission = Transmission(self._applet, store.spec.protocol)
        self._lock = threading.Lock()
        self.latency = latency
        self.observer: Observer | None = None

    @classmethod
    def create(
        cls, directory: Path, spec: CardSpec, *, environment: str, latency: Latency | None = None
    ) -> VirtualCard:
        """Make a new card in `directory`.

        Raises `SithsError(VIRTUAL_CARD_REFUSED)` for the environment "production", `FileExistsError` if the
        directory holds a card already.
        """
        refuse_in_production(environment)
        return cls(CardStore.create(directory / _FILE, spec), latency or Latency())

    @classmethod
    def open(cls, directory: Path, *, environment: str, latency: Latency | None = None) -> VirtualCard:
        """Open the card in `directory`.

        Raises `SithsError` VIRTUAL_CARD_REFUSED for the environment "production", CARD_DATA_INVALID if its file is
        damaged, and `OSError` if there is none.
        """
        refuse_in_production(environment)
        return cls(CardStore.open(directory / _FILE), latency or Latency())

    @staticmethod
    def exists(directory: Path) -> bool:
        """Tell whether the directory holds a card."""
        return (directory / _FILE).is_file()

    @property
    def spec(self) -> CardSpec:
        """What is on the card now."""
        return self._store.spec

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return self._store.spec.atr

    @property
    def protocol(self) -> CardProtocol:
        """The only protocol that the ATR offers."""
        return self._store.spec.protocol

    @property
    def signatures(self) -> int:
        """How many signatures were made since the card was opened."""
        return self._applet.signatures

    def tries_left(self, reference: int) -> int:
        """Return the tries left of a code; raises `KeyError` if there is none with that reference."""
        with self._lock:
            self._store.refresh()
            pin = self._store.pin(reference)
        if pin is None:
            raise KeyError(reference)
        return pin.tries_left

    def reset(self) -> bytes:
        """Do a warm or cold reset; return the ATR."""
        with self._lock:
            self._applet.reset()
            self._transmission.reset()
        return self.atr

    def process(self, command: bytes) -> bytes:
        """Answer one command APDU with 2 to 258 bytes, after the card's latency."""
        with self._lock:
            self._store.refresh()
            signed = self._applet.signatures
            answer = self._transmission.process(command)
            pause = self.latency.command + self.latency.signature * (self._applet.signatures - signed)
            if self.observer is not None:
                self.observer(command, answer)
            if pause:
                time.sleep(pause)
        return answer

    def set_containers(self, containers: tuple[ContainerSpec, ...]) -> None:
        """Renew the card's keys and certificates, as an issuer's portal does; cardcf moves."""
        with self._lock:
            self._store.save_containers(containers)
