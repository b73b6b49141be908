# SPDX-License-Identifier: EUPL-1.2
"""Secrets with a name each, and the places where none of them may turn up: files, log records, other processes."""

from __future__ import annotations

import base64
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PAUSE = 0.01


@dataclass(frozen=True, order=True)
class Hit:
    """A secret's name, and where it was found."""

    secret: str
    where: str


class Canaries:
    """Knows secrets in the forms in which a program might write them."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {name: _forms(secret) for name, secret in secrets.items()}

    def find(self, content: bytes, where: str) -> set[Hit]:
        """Return the secrets in `content`."""
        small = content.lower()
        return {Hit(name, where) for name, forms in self._forms.items() if any(form in small for form in forms)}

    def find_in_files(self, roots: Iterable[Path]) -> set[Hit]:
        """Return the secrets in the files under `roots`, and in the files' names, by path."""
        hits: set[Hit] = set()
        for path in (path for root in roots for path in root.rglob("*")):
            hits |= self.find(os.fsencode(path), f"name of {path}")
            if path.is_file():
                hits |= self.find(path.read_bytes(), str(path))
        return hits


def _forms(secret: str) -> set[bytes]:
    """Return a secret as text in two widths, hexadecimal in three styles, and the base64 of it alone; lower case."""
    octets = secret.encode()
    forms = {octets, secret.encode("utf-16-le"), octets.hex().encode(), octets.hex(" ").encode()}
    forms |= {octets.hex(":").encode(), base64.b64encode(octets).rstrip(b"=")}
    return {form.lower() for form in forms}


class LogCatcher(logging.Handler):
    """Keeps every record of this process, with its traceback, as a careless formatter would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(threadName)s %(message)s %(args)r"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self.lines.append(self.format(record))

    @property
    def content(self) -> bytes:
        """All that was logged."""
        return "\n".join(self.lines).encode()


@contextmanager
def caught_log(*loggers: str) -> Iterator[LogCatcher]:
    """Catch what the named loggers say at every level."""
    catcher = LogCatcher()
    root = logging.getLogger()
    before = {logging.getLogger(name): logging.getLogger(name).level for name in loggers}
    root.addHandler(catcher)
    for logger in before:
        logger.setLevel(logging.DEBUG)
    try:
        yield catcher
    finally:
        root.removeHandler(catcher)
        for logger, level in before.items():
            logger.setLevel(level)


class Onlooker:
    """Another user of the machine, who reads each process's arguments and environment over and over."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="onlooker", daemon=True)
        self.hits: set[Hit] = set()

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopping.wait(_PAUSE):
            for process in Path("/proc").glob("[0-9]*"):
                for part in ("cmdline", "environ"):
                    self.hits |= self._canaries.find(_read(process / part), part)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""
