# SPDX-License-Identifier: EUPL-1.2
"""`openssl s_server`, started by a test and stopped by it: OpenSSL's own idea of a server that wants certificates."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path
from typing import IO

import pytest

_DEADLINE = 10.0


class OpensslServer:
    """One on loopback, with further `arguments` of s_server. It requires a certificate at once, unless `later`."""

    def __init__(self, key: Path, client_cas: Path, *arguments: str, later: bool = False) -> None:
        program = shutil.which("openssl")
        if program is None:
            pytest.skip("openssl is not installed")
        fixed = ("-accept", "127.0.0.1:0", "-cert", str(key), "-CAfile", str(client_cas))
        required = () if later else ("-Verify", "5", "-verify_return_error")
        self._command = [program, "s_server", *fixed, *required, "-naccept", "100", *arguments]
        self.said = bytearray()
        self._changed = threading.Condition()
        self.port = 0

    def __enter__(self) -> OpensslServer:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self._reader = threading.Thread(target=self._read, args=(self._pipe(self._process.stdout),))
        self._reader.start()
        try:
            line = self.wait_for(b"\n", after=b"ACCEPT ")
        except BaseException:
            self.__exit__()
            raise
        self.port = int(line.rpartition(b":")[2])
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(_DEADLINE)
        self._reader.join(_DEADLINE)
        self._pipe(self._process.stdin).close()
        self._pipe(self._process.stdout).close()

    def kill(self) -> None:
        """Have it go without a word."""
        self._process.kill()

    def command(self, text: bytes) -> None:
        """Give s_server a line: `R` renegotiates, anything that is no command goes to the client."""
        self._pipe(self._process.stdin).write(text + b"\n")

    def wait_for(self, text: bytes, after: bytes = b"") -> bytes:
        """Wait until the server has said `text` (after `after`), and return what stands between them."""

        def rest() -> bytes:
            return bytes(self.said.partition(after)[2] if after else self.said)

        with self._changed:
            assert self._changed.wait_for(lambda: text in rest(), _DEADLINE), bytes(self.said)
            return rest().partition(text)[0]

    def _read(self, stdout: IO[bytes]) -> None:
        while data := stdout.read(4096):
            with self._changed:
                self.said += data
                self._changed.notify_all()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe
