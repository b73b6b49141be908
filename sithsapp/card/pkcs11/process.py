# SPDX-License-Identifier: EUPL-1.2
"""The app's side of a child process with a module: started when needed, one call at a time, killed when it hangs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import sithsapp
from sithsapp.card.pkcs11.messages import Answer, Failed, ProtocolError, Request, receive_answer, send_request
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

READ_SECONDS: Final = 10.0
"""For calls without a code, the first of which starts the process and loads the module."""
CODE_SECONDS: Final = 30.0
"""For calls with a code: a card takes some seconds for a long key."""
_END_SECONDS: Final = 1.0

_PASSED_ON: Final = (
    # Where the person's and the computer's own files are, and which smart card service the session uses. Nothing that
    # changes what is loaded, and nothing that a module need not know.
    *("HOME", "LANG", "PCSCLITE_CSOCK_NAME"),
    *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "SYSTEMROOT", "TEMP", "USERPROFILE"),
)

A = TypeVar("A", bound=Answer)


class ModuleRefusal(Exception):
    """The module answered with a failure; the process lives on."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


class ModuleProcess:
    """One process with one module. Not thread-safe: one worker owns it."""

    def __init__(self, module: Path, environment: Mapping[str, str]) -> None:
        """Start it; `environment` is added to the little that is passed on."""
        root = Path(sithsapp.__file__).resolve().parents[1]
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module, an absolute path
            [sys.executable, "-s", "-P", "-m", "sithsapp.card.pkcs11.child", str(module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            close_fds=True,
            cwd=root.anchor,
            env={**passed_on, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        )

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def call(self, request: Request, expected: type[A], *codes: bytearray, seconds: float = READ_SECONDS) -> A:
        """Send a request with its codes and return the answer.

        Raises `ModuleRefusal`, or `SithsError(CARD_ERROR)` when the process crashed, hung or broke the protocol: it
        is then dead, and whatever it was told is gone with it.
        """
        assert self._process.stdin is not None  # noqa: S101 - opened above
        assert self._process.stdout is not None  # noqa: S101 - opened above
        watchdog = threading.Timer(seconds, self.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            send_request(self._process.stdin, request, codes)
            answer = receive_answer(self._process.stdout)  # type: ignore[arg-type]  # as above
        except (OSError, ProtocolError) as error:
            self.close()
            raise SithsError(Failure.CARD_ERROR, f"the PKCS#11 module ended: {error}") from None
        finally:
            watchdog.cancel()
        if isinstance(answer, Failed):
            raise ModuleRefusal(answer)
        if not isinstance(answer, expected):
            self.close()
            raise SithsError(Failure.CARD_ERROR, "the PKCS#11 module gave another answer than was asked for")
        return answer

    def kill(self) -> None:
        """End the process at once, and with it a call that waits for it in another thread."""
        self._process.kill()

    def close(self) -> None:
        """End the process: it goes by itself when its pipe closes, and is killed if it does not. Never raises."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            _log.warning("a PKCS#11 module had to be killed")
            self._process.kill()
            self._process.wait()
