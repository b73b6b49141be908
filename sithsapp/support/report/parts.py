# SPDX-License-Identifier: EUPL-1.2
"""A report's parts, and the file that they become: what is shown is byte for byte what is saved."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from sithsapp.failures import Failure, SithsError
from sithsapp.support.safe_file import create_file, replace_file

MAX_PART = 512 * 1024
"""Bytes of one part; of a longer one the end is kept, which has the latest."""


class PartKind(Enum):
    """What a person may leave out as one; the description is left out by writing none."""

    DESCRIPTION = "description"
    COMPUTER = "computer"
    SETTINGS = "settings"
    CERTIFICATES = "certificates"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a report: its name and its content, UTF-8."""

    name: str
    kind: PartKind
    content: bytes

    @property
    def text(self) -> str:
        """The content for reading."""
        return self.content.decode("utf-8")


def text_part(name: str, kind: PartKind, text: str) -> Part:
    """Return a part of a text, cut to `MAX_PART` from its beginning on."""
    content = text.encode("utf-8", "replace")
    if len(content) > MAX_PART:
        content = b"(...)\n" + content[-MAX_PART:].decode("utf-8", "ignore").encode("utf-8")
    return Part(name, kind, content)


@dataclass(frozen=True, slots=True)
class Report:
    """All parts that could be given, and when they were put together (local time)."""

    made: datetime
    parts: tuple[Part, ...]

    @property
    def file_name(self) -> str:
        """A name to offer for the file."""
        return f"siths-felrapport-{self.made:%Y-%m-%d-%H%M}.zip"

    def chosen(self, kinds: Iterable[PartKind]) -> tuple[Part, ...]:
        """Return the parts of those kinds."""
        wanted = frozenset(kinds)
        return tuple(part for part in self.parts if part.kind in wanted)


def zip_file(parts: Iterable[Part], made: datetime) -> bytes:
    """Return the parts as a ZIP file. Files in it belong to their owner alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts:
            entry = zipfile.ZipInfo(part.name, made.timetuple()[:6])
            entry.external_attr = 0o600 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, part.content)
    return buffer.getvalue()


def save(path: Path, parts: Iterable[Part], made: datetime, *, replace: bool) -> None:
    """Write the report for its owner alone; raises `SithsError(REPORT_NOT_SAVED)`.

    Without `replace` a file of that name stays as it is. A link of that name is never followed.
    """
    try:
        (replace_file if replace else create_file)(path, zip_file(parts, made))
    except OSError as error:
        raise SithsError(Failure.REPORT_NOT_SAVED, error.strerror or type(error).__name__) from error
