# SPDX-License-Identifier: EUPL-1.2
"""Which of the user's browsers trust the local proxy's authority; adding that trust, and taking all of it back.

Only stores of this user are ever touched, never the computer's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sithsapp.failures import Failure, SithsError

_SECONDS: Final = 60.0

Run = Callable[[Sequence[str]], bytes]
"""Runs a program to its end and returns its output; raises `SithsError(TRUST_NOT_CHANGED)` if it fails."""


@dataclass(frozen=True, slots=True)
class Held:
    """An authority of ours (DER) in a store, and whether the person has left it trusted there."""

    authority: bytes
    trusted: bool = True


class TrustStore(Protocol):
    """A certificate store of browsers. Every call may take seconds and raises `SithsError`."""

    @property
    def name(self) -> str:
        """What to call it, with its place."""

    def held(self, known: Iterable[bytes]) -> tuple[Held, ...]:
        """Return our authorities that are here: those of `known`, and others as far as one can tell."""

    def add(self, authority: bytes) -> None:
        """Trust an authority (DER) for web servers and nothing else."""

    def remove(self, authority: bytes) -> None:
        """Take an authority out that is `held`."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """A store: does it trust the present authority, how many former ones does it still trust, what went wrong."""

    name: str
    trusted: bool
    stale: int
    failure: SithsError | None = None


_Change = Callable[[TrustStore, tuple[Held, ...]], None]


def look(stores: Iterable[TrustStore], present: bytes | None, known: Sequence[bytes]) -> tuple[StoreReport, ...]:
    """Return how things are."""
    return tuple(_report(store, present, known, lambda _store, _held: None) for store in stores)


def trust(stores: Iterable[TrustStore], present: bytes, known: Sequence[bytes]) -> tuple[StoreReport, ...]:
    """Let every store trust `present` and no former authority of ours; return how things are then."""

    def change(store: TrustStore, held: tuple[Held, ...]) -> None:
        for each in held:
            if each.authority != present:
                store.remove(each.authority)
        if Held(present) not in held:
            store.add(present)

    return tuple(_report(store, present, known, change) for store in stores)


def untrust(stores: Iterable[TrustStore], known: Sequence[bytes]) -> tuple[StoreReport, ...]:
    """Take every authority of ours out of every store; return how things are then."""

    def change(store: TrustStore, held: tuple[Held, ...]) -> None:
        for each in held:
            store.remove(each.authority)

    return tuple(_report(store, None, known, change) for store in stores)


def _report(store: TrustStore, present: bytes | None, known: Sequence[bytes], change: _Change) -> StoreReport:
    failure: SithsError | None = None
    held: tuple[Held, ...] = ()
    try:
        held = store.held(known)
        change(store, held)
        held = store.held(known)
    except SithsError as error:
        failure = error
    trusted = any(each.authority == present and each.trusted for each in held)
    return StoreReport(store.name, trusted, sum(each.authority != present for each in held), failure)


def system_stores(own_profiles: Iterable[Path] = ()) -> tuple[TrustStore, ...]:
    """Return the stores of this user's browsers, Firefox profiles of our own among them.

    Raises `SithsError(TRUST_TOOL_MISSING)` where there are stores and nothing to look into them with.
    """
    if sys.platform == "win32":
        from sithsapp.mtls.trust_windows import WindowsRoot

        return (WindowsRoot(run),)
    if sys.platform == "darwin":
        from sithsapp.mtls.trust_macos import LoginKeychain

        return (LoginKeychain(run, Path.home()),)
    from sithsapp.mtls.trust_nss import find_databases

    return find_databases(Path.home(), os.environ, own_profiles)


def run(command: Sequence[str]) -> bytes:
    """See `Run`. The program gets no input, no terminal to ask on, and its messages in one language."""
    try:
        done = subprocess.run(  # noqa: S603 # an absolute program with checked arguments, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
            env=os.environ | {"LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SithsError(Failure.TRUST_NOT_CHANGED, f"{command[0]}: {type(error).__name__}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise SithsError(Failure.TRUST_NOT_CHANGED, f"{command[0]}: {said[-1] if said else done.returncode}")
    return done.stdout
