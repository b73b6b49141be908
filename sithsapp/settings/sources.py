# SPDX-License-Identifier: EUPL-1.2
"""Where settings come from. Each source gives the values that it sets and nothing else.

On Linux all three are JSON files: policy and machine under /etc/sithsapp, owned by root, and the user's own
under the configuration directory. Windows registry and macOS preferences implement the same interface.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from sithsapp.failures import Failure, SithsError

MAX_FILE_SIZE = 256 * 1024
SYSTEM_DIRECTORY = Path("/etc/sithsapp")
"""Where the organisation's files lie on Linux."""


class Authority(IntEnum):
    """Who set a value; a higher authority wins."""

    DEFAULT = 0
    USER = 1
    MACHINE = 2
    POLICY = 3


class Source(Protocol):
    """One place that settings come from."""

    @property
    def authority(self) -> Authority:
        """How much this source's values weigh."""

    @property
    def name(self) -> str:
        """What to call the source in a message, e.g. a file path."""

    def read(self) -> Mapping[str, object]:
        """Return the values that are set here, by setting name; raises `SithsError(SETTINGS_INVALID)`."""


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe with nobody at its other end must not hold the app up."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


class JsonFile:
    """A JSON object in a file; a missing file sets nothing."""

    def __init__(self, authority: Authority, path: Path, *, owner: int | None = None) -> None:
        """Read `path`; with `owner`, a user id, the file must belong to it and be writable by nobody else."""
        self.authority = authority
        self.path = path
        self._owner = owner

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self.path)

    def read(self) -> Mapping[str, object]:
        """Return the file's members; raises `SithsError(SETTINGS_INVALID)` with the file named."""
        try:
            with open(self.path, "rb", opener=_without_waiting) as file:
                self._check_owner(os.fstat(file.fileno()))
                content = file.read(MAX_FILE_SIZE + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._invalid(error.strerror or "cannot be read") from error
        return self._parse(content)

    def _check_owner(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._invalid("it is not a file")
        writable_by_others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if self._owner is not None and (status.st_uid != self._owner or writable_by_others):
            raise self._invalid("it must belong to root and be writable by root alone")

    def _parse(self, content: bytes) -> Mapping[str, object]:
        if len(content) > MAX_FILE_SIZE:
            raise self._invalid("it is too large")
        try:
            members = json.loads(content, object_pairs_hook=_refuse_duplicates)
        except (ValueError, RecursionError) as error:
            raise self._invalid("it is not JSON with each name once") from error
        if not isinstance(members, dict):
            raise self._invalid("it is not a JSON object")
        return members

    def _invalid(self, why: str) -> SithsError:
        return SithsError(Failure.SETTINGS_INVALID, f"{self.path}: {why}")


def file_sources(user_directory: Path, system_directory: Path = SYSTEM_DIRECTORY) -> tuple[Source, ...]:
    """Return the three file sources of a Unix system, the user's file being `user_directory`/settings.json."""
    return (
        JsonFile(Authority.POLICY, system_directory / "policy.json", owner=0),
        JsonFile(Authority.MACHINE, system_directory / "settings.json", owner=0),
        JsonFile(Authority.USER, user_directory / "settings.json"),
    )
