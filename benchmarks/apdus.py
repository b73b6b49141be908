# SPDX-License-Identifier: EUPL-1.2
"""Commands that a card gets for each task: ours beside OpenSC's, counted at the same virtual card in the same run.

Both go through a real pcscd with a virtual reader. GET RESPONSE counts. T=0, RSA 2048, two certificates, OpenSC's
file cache off. "Afterwards" is what we send once the person has the result: the end of the card's login state, the
question whether it is ended, and for a card that was not known before its change counters with proof that they go
with what was read. OpenSC leaves the login state to whatever resets the card.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.opening import open_card, resume_card
from sithsapp.card.idprime.record import CardRecord
from sithsapp.card.idprime.session import CardSession
from sithsapp.card.model import PinRole, SignatureScheme
from sithsapp.card.pin import Pin

if TYPE_CHECKING:
    from sithsapp.card.virtual.card import VirtualCard

_CONFIGURATION = "app default { framework pkcs15 { use_file_caching = no; } }\n"
_MODULES = (
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib64/opensc-pkcs11.so",
)
_NEW_CODE = "864209"
_TOOL_SECONDS = 60


class Meter:
    """Counts commands and bytes at the card. `mark` notes where a person has what they waited for."""

    def __init__(self, card: VirtualCard) -> None:
        self.count = self.sent = self.received = 0
        self.marked = 0
        card.observer = self._note

    def _note(self, command: bytes, answer: bytes) -> None:
        self.count += 1
        self.sent += len(command)
        self.received += len(answer)

    def mark(self, _: object = None) -> None:
        """Note that the result is there."""
        self.marked = self.count

    def measure(self, task: Callable[[], object]) -> Row:
        """Run a task; without a mark all of it counts."""
        self.count = self.sent = self.received = self.marked = 0
        task()
        return Row(self.marked or self.count, self.count - (self.marked or self.count), self.sent, self.received)


@dataclass(frozen=True, slots=True)
class Row:
    """Commands until the result and afterwards, and bytes in all."""

    commands: int
    afterwards: int
    sent: int
    received: int


def _pin(digits: str) -> Pin:
    return Pin(bytearray(digits.encode("ascii")))


class Ours:
    """The tasks as the driver does them."""

    def __init__(self, meter: Meter, reader: str, pin: str, puk: str) -> None:
        from sithsapp.card.pcsc import PcscReaders

        self._readers = PcscReaders()
        self._meter = meter
        self._reader = reader
        self._pin = pin
        self._puk = puk
        self.cache = CardCache()
        self._record = self._learn()

    def _learn(self) -> CardRecord:
        session = self._open(self.cache)
        session.read_pins()
        self._keep(session, self.cache)
        session.close()
        return session.record

    def _keep(self, session: CardSession, cache: CardCache) -> None:
        """Keep a card for the next time, which the service does when nobody waits."""
        record = session.record
        if not session.learn_counters() or record.freshness is None:
            raise RuntimeError("the card has no change counters, or has changed")
        cache.store(record.id.serial, record.id.atr, record.freshness, record.contents)

    def _open(self, cache: CardCache | None) -> CardSession:
        return open_card(self._readers.connect(self._reader), self._reader, cache)

    def _sign(self, session: CardSession, keep_in: CardCache | None = None) -> None:
        session.sign("00", SignatureScheme.RS256, b"m", _pin(self._pin), deliver=self._meter.mark)
        if keep_in is not None:
            self._keep(session, keep_in)
        session.close()

    def cold(self, cache: CardCache | None) -> Row:
        """Read an unknown card, log in and sign; what keeps it for the next time comes after the signature."""
        return self._meter.measure(lambda: self._sign(self._open(cache), cache))

    def known(self) -> Row:
        """Recognise a card, log in and sign."""
        return self._meter.measure(lambda: self._sign(self._open(self.cache)))

    def after_code(self) -> Row:
        """Sign with a card that was made ready while the code was typed."""
        session = resume_card(self._readers.connect(self._reader), self._record)
        session.prepare("00", SignatureScheme.RS256)
        return self._meter.measure(lambda: self._sign(session))

    def read_ahead(self, cache: CardCache | None) -> Row:
        """Read all that the tray shows, and make the card ready for a log-in."""

        def read() -> None:
            session = self._open(cache)
            session.read_pins()
            session.prepare_login()
            self._meter.mark()
            if cache is not None:
                self._keep(session, cache)
            session.close()

        return self._meter.measure(read)

    def change(self) -> Row:
        """Change PIN1 while the card's window is open."""
        session = resume_card(self._readers.connect(self._reader), self._record)
        row = self._meter.measure(lambda: session.change_pin(PinRole.AUTH, _pin(self._pin), _pin(_NEW_CODE)))
        session.close()
        return row

    def unblock(self) -> Row:
        """Give PIN1 its first value back with the PUK."""
        session = resume_card(self._readers.connect(self._reader), self._record)
        row = self._meter.measure(lambda: session.unblock(PinRole.AUTH, _pin(self._puk), _pin(self._pin)))
        session.close()
        return row


class OpenSc:
    """The same tasks with OpenSC's tools, each a process that finds the card anew."""

    def __init__(self, meter: Meter, home: Path, pin: str, puk: str) -> None:
        self._meter = meter
        self._home = home
        self._pin = pin
        self._puk = puk
        self._module = next((path for path in _MODULES if Path(path).exists()), "opensc-pkcs11.so")
        configuration = home / "opensc.conf"
        configuration.write_text(_CONFIGURATION)
        (home / "message").write_bytes(b"m")
        self._environment = {**os.environ, "HOME": str(home), "LC_ALL": "C", "OPENSC_CONF": str(configuration)}

    @property
    def version(self) -> str:
        """OpenSC's version."""
        output = subprocess.run(["opensc-tool", "--info"], capture_output=True, text=True, check=False).stdout
        return output.splitlines()[0].split()[1].rstrip(",") if output else "?"

    def _tool(self, *command: str) -> Row:
        def run() -> None:
            subprocess.run(
                command, env=self._environment, cwd=self._home, capture_output=True, timeout=_TOOL_SECONDS, check=True
            )

        return self._meter.measure(run)

    def sign(self) -> Row:
        """Log in and sign over PKCS#11."""
        login = ("--login", "--pin", self._pin, "--id", "0001")
        files = ("--input-file", "message", "--output-file", "signature")
        mechanism = ("--sign", "--mechanism", "SHA256-RSA-PKCS")
        return self._tool("pkcs11-tool", "--module", self._module, *login, *mechanism, *files)

    def change(self) -> Row:
        """Change PIN1."""
        return self._tool("pkcs15-tool", "--change-pin", "--pin", self._pin, "--new-pin", _NEW_CODE)

    def unblock(self) -> Row:
        """Give PIN1 its first value back with the PUK."""
        return self._tool("pkcs15-tool", "--unblock-pin", "--puk", self._puk, "--new-pin", self._pin)


@contextmanager
def _card_in_reader() -> Iterator[tuple[VirtualCard, str, Path]]:
    """Start a private pcscd with a card that OpenSC 0.23 knows; give the card, its reader and a directory."""
    from sithsapp.card.virtual.ca import VirtualPki
    from sithsapp.card.virtual.pcscd import PrivatePcscd
    from sithsapp.card.virtual.personalise import for_opensc_0_23, new_card
    from sithsapp.card.virtual.vpcd import VpcdCard

    with tempfile.TemporaryDirectory() as name, PrivatePcscd() as service:
        directory = Path(name)
        os.environ.update(service.environment)
        pki = VirtualPki(directory / "pki", base_url="http://localhost", environment="test")
        card = new_card(directory / "card", pki, for_opensc_0_23(), environment="test")
        inserted = VpcdCard(card, service.port(0))
        inserted.insert()
        try:
            yield card, service.reader(0), directory
        finally:
            inserted.remove()


def _unavailable() -> str | None:
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    from sithsapp.card.virtual import pcscd

    missing = [tool for tool in ("pkcs11-tool", "pkcs15-tool", "opensc-tool") if shutil.which(tool) is None]
    return f"not installed: {', '.join(missing)}" if missing else pcscd.unavailable()


def main() -> None:
    """Print commands and bytes for each task beside OpenSC's and the budget."""
    reason = _unavailable()
    if reason is not None:
        print(f"skipped: {reason}")
        return
    from sithsapp.card.virtual.ca_profile import DEMO_CODES as CODES

    with _card_in_reader() as (card, reader, directory):
        meter = Meter(card)
        theirs = OpenSc(meter, directory, CODES.pin1, CODES.puk)
        ours = Ours(meter, reader, CODES.pin1, CODES.puk)
        signed = theirs.sign()
        rows: list[tuple[str, Row | None, Row, str]] = [
            ("cold card, nothing kept: open, log in, sign", signed, ours.cold(None), "25"),
            ("cold card, kept for the next time: the same", signed, ours.cold(CardCache()), "25"),
            ("known card: open, log in, sign", signed, ours.known(), "9"),
            ("after the code was entered: sign", None, ours.after_code(), "4"),
            ("all that the tray shows, cold", None, ours.read_ahead(CardCache()), ""),
            ("all that the tray shows, known", None, ours.read_ahead(ours.cache), ""),
            ("change PIN", theirs.change(), _after(theirs.unblock, ours.change), "4"),
            ("unblock with PUK", theirs.unblock(), ours.unblock(), "4"),
        ]
        _print(theirs.version, rows)


def _after(restore: Callable[[], object], task: Callable[[], Row]) -> Row:
    """Run our task on a card that is as it was before the reference's task."""
    restore()
    return task()


def _print(version: str, rows: list[tuple[str, Row | None, Row, str]]) -> None:
    print(f"| task | OpenSC {version} | ours | budget | ours, afterwards | bytes OpenSC | bytes ours |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for task, theirs, ours, budget in rows:
        reference = f"{theirs.commands} | " if theirs else " | "
        volume = f"{theirs.sent + theirs.received}" if theirs else ""
        cells = f"{ours.commands} | {budget} | {ours.afterwards} | {volume} | {ours.sent + ours.received}"
        print(f"| {task} | {reference}{cells} |")


if __name__ == "__main__":
    main()
