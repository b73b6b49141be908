# SPDX-License-Identifier: EUPL-1.2
"""The process that holds one PKCS#11 module: `python -m sithsapp.card.pkcs11.child MODULE`, requests on stdin.

It ends when its parent does, or when one call takes longer than anything may.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from io import FileIO
from queue import SimpleQueue
from typing import Final

from sithsapp.card.pkcs11.messages import (
    Answer,
    Failed,
    ProtocolError,
    Request,
    receive_request,
    send_answer,
)

WATCHDOG_SECONDS: Final = 60.0
"""A call that takes longer ends the process, even where the module lets no other thread run."""

_Requests = SimpleQueue[tuple[Request, tuple[bytearray, ...]]]


def main() -> None:
    """Serve requests until the pipe ends."""
    _leave_no_core()
    source, sink, nowhere = _take_pipe()
    requests: _Requests = SimpleQueue()
    threading.Thread(target=_receive, args=(source, requests), daemon=True).start()
    worker = _Worker(sys.argv[1])
    while True:
        request, codes = requests.get()
        faulthandler.dump_traceback_later(WATCHDOG_SECONDS, exit=True, file=nowhere)
        answer = worker.answer(request, codes)
        faulthandler.cancel_dump_traceback_later()
        send_answer(sink, answer)


class _Worker:
    """Answers requests; loads the module at the first, so that a module that cannot be loaded is told."""

    def __init__(self, path: str) -> None:
        from sithsapp.card.pkcs11.cryptoki import Module

        self._path = path
        self._load = Module
        self._module: Module | None = None

    def answer(self, request: Request, codes: tuple[bytearray, ...]) -> Answer:
        """Return what the module says; the codes are wiped."""
        try:
            if self._module is None:
                self._module = self._load(self._path)
            return self._module.handle(request, codes)
        except Exception as error:
            # The boundary of the process: a name crosses the pipe, never a value.
            return Failed(type(error).__name__)
        finally:
            for code in codes:
                code[:] = bytes(len(code))


def _receive(source: FileIO, requests: _Requests) -> None:
    """Take requests; a pipe that ended or holds no message ends the process, whatever the module is doing."""
    try:
        while True:
            requests.put(receive_request(source))
    except (OSError, ProtocolError):
        os._exit(0)


def _take_pipe() -> tuple[FileIO, FileIO, FileIO]:
    """Keep the pipe for messages alone: what a module prints goes nowhere."""
    source, sink = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = open(os.devnull, "r+b", buffering=0)  # noqa: SIM115 - open as long as the process
    for standard in (0, 1, 2):
        os.dup2(nowhere.fileno(), standard)
    return source, sink, nowhere


def _leave_no_core() -> None:
    """Let no crash write memory, which may hold a code, to a file."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
