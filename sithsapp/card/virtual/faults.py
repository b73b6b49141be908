# SPDX-License-Identifier: EUPL-1.2
"""Faults that tests put between a program and a virtual card, at any command."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What goes wrong."""

    REMOVED = "removed"  # somebody pulls the card
    UNPLUGGED = "unplugged"  # somebody pulls the reader, with the card in it
    SERVICE = "service"  # the smart card service ends
    RESET = "reset"  # another program resets the card
    SILENCE = "silence"  # the card does not answer
    GARBAGE = "garbage"  # the answer's data is noise; its length and status word are right
    TRUNCATED = "truncated"  # the answer's second half is lost, status word included
    STATUS = "status"  # the card answers `status` and does nothing


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, which happens once.

    `skip` commands pass first; with `ins` only commands with that instruction count. `executed` tells whether the
    card has done its work before the answer is lost (not with GARBAGE, TRUNCATED and STATUS).
    """

    kind: FaultKind
    skip: int = 0
    ins: int | None = None
    executed: bool = False
    status: int = 0x6F00


class FaultQueue:
    """The faults that wait in one reader. Not thread-safe: the reader's lock guards it."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        """Add a fault behind those that wait."""
        self._waiting.append((fault, fault.skip))

    def clear(self) -> None:
        """Drop all faults."""
        self._waiting.clear()

    def next(self, command: bytes) -> Fault | None:
        """Return the fault that hits this command, and count the command for the others."""
        hit: Fault | None = None
        left: list[tuple[Fault, int]] = []
        for fault, skip in self._waiting:
            counts = fault.ins is None or command[1:2] == bytes([fault.ins])
            if hit is None and counts and skip == 0:
                hit = fault
            else:
                left.append((fault, max(0, skip - 1) if counts else skip))
        self._waiting = left
        return hit


def spoil(fault: Fault, answer: bytes) -> bytes:
    """Return what arrives of an answer under GARBAGE, TRUNCATED or STATUS."""
    if fault.kind is FaultKind.GARBAGE:
        return os.urandom(len(answer) - 2) + answer[-2:]
    if fault.kind is FaultKind.TRUNCATED:
        return answer[: len(answer) // 2]
    return fault.status.to_bytes(2, "big")
