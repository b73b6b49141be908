# SPDX-License-Identifier: EUPL-1.2
"""A real pcscd with a reader that has keys, and the fingers on them. It is for other processes than the test's."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from sithsapp.card.virtual import pcscd
from sithsapp.card.virtual.pcscd import PrivatePcscd

_SOURCE = Path(__file__).with_name("pad_ifd.c")
_TIMEOUT = 30.0
VERIFY_AND_MODIFY = bytes.fromhex("06044233000107044233000212044233000C")
VERIFY_ALONE = VERIFY_AND_MODIFY[:6] + VERIFY_AND_MODIFY[12:]
OMNIKEY = bytes.fromhex("0B026B070C023130")


class Fingers:
    """Types what tests put in, once the reader asks; without anything the reader's time runs out.

    With `patient` the reader waits for what is put in later.
    """

    def __init__(self, path: Path) -> None:
        self.asked: list[str] = []
        self.patient = False
        self._typed: SimpleQueue[str] = SimpleQueue()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, name="fingers", daemon=True)
        self._thread.start()

    def press(self, *codes: str) -> None:
        """Type codes at the next request: one, or an old one and a new one twice."""
        self._typed.put(" ".join(codes))

    def answer(self, status: str) -> None:
        """Let the reader say a status word by itself at the next request."""
        self._typed.put("!" + status)

    def close(self) -> None:
        """Let go of the keys."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(_TIMEOUT)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(100).decode().strip())
                with suppress(Empty):
                    connection.sendall(self._typed.get(self.patient, _TIMEOUT).encode())


class PadService:
    """A private pcscd whose reader has keys."""

    def __init__(self, directory: Path, features: bytes, properties: bytes) -> None:
        self.directory = directory
        self.fingers = Fingers(directory / "keys")
        self.service = PrivatePcscd(directory / "pcscd", driver=self._driver(features, properties))
        self.service.start()

    @property
    def socket(self) -> str:
        """Where clients find the service."""
        return str(self.service.socket_path)

    def close(self) -> None:
        """Stop the service and let go of the keys."""
        self.service.stop()
        self.fingers.close()

    def _driver(self, features: bytes, properties: bytes) -> Path:
        found = pcscd.driver()
        assert found is not None
        target = self.directory / "libpad.so"
        strings = {"REAL": str(found), "FINGERS": str(self.directory / "keys")}
        defined = [f'-D{name}="{value}"' for name, value in strings.items()]
        defined += [
            f'-D{name}="{_c_string(value)}"' for name, value in (("FEATURES", features), ("PROPERTIES", properties))
        ]
        command = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", *defined, "-o", str(target), str(_SOURCE), "-ldl"]
        subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=True)
        return target


def _c_string(value: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in value)


def start(directory: Path, *, features: bytes = VERIFY_AND_MODIFY, properties: bytes = b"") -> PadService:
    """Start a service in a directory with a short path; skips the test where that cannot be."""
    reason = pcscd.unavailable() or (None if shutil.which("gcc") else "not installed: gcc")
    if reason is not None:
        pytest.skip(reason)
    return PadService(directory, features, properties)
