# SPDX-License-Identifier: EUPL-1.2
"""A process that does nothing but watch the cards, as the app does, and tells what it sees and what it holds.

`python -m benchmarks._card_watcher CACHE`: states and usages go to standard output, pickled, each after its length;
a line on standard input asks for the usage.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import pickle
import struct
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process holds: threads, file descriptors, resident memory in KiB.

    `held` is the memory once the allocator has given back what nobody uses.
    """

    threads: int
    descriptors: int
    memory: int
    held: int


def usage() -> Usage:
    """Count what this process holds now, after a collection."""
    gc.collect()
    memory = _resident()
    ctypes.CDLL(None).malloc_trim(0)
    return Usage(threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), memory, _resident())


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> None:
    """Watch until standard input ends."""
    from sithsapp.card.pcsc import PcscReaders
    from sithsapp.card.service import CardService

    telling = threading.Lock()

    def tell(what: object) -> None:
        encoded = pickle.dumps(what)
        with telling:
            sys.stdout.buffer.write(LENGTH.pack(len(encoded)) + encoded)
            sys.stdout.buffer.flush()

    cards = CardService([PcscReaders()], cache_dir=Path(sys.argv[1]))
    cards.subscribe(tell)
    cards.start()
    for _ in sys.stdin:
        tell(usage())
    cards.close()


if __name__ == "__main__":
    # By its name, so that what is pickled is known by it at the other end too.
    importlib.import_module("benchmarks._card_watcher").main()
