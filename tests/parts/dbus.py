# SPDX-License-Identifier: EUPL-1.2
"""A message bus of the test's own, which is session and system bus at once."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrivateBus:
    """A bus that runs; programs with its `environment` use it."""

    address: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead programs to this bus."""
        return {"DBUS_SESSION_BUS_ADDRESS": self.address, "DBUS_SYSTEM_BUS_ADDRESS": self.address}


def is_installed() -> bool:
    """Tell whether a bus can be started here."""
    return shutil.which("dbus-daemon") is not None and shutil.which("dbus-send") is not None


@contextmanager
def private_bus() -> Iterator[PrivateBus]:
    """Start a bus that starts no services by itself, and end it."""
    command = ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield PrivateBus(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
