# SPDX-License-Identifier: EUPL-1.2
"""The system's PC/SC library, called by the names of its functions.

The only module that imports `smartcard`, and of it only the thin layer over the system's library; the package's own
monitor ends for good when the service stops, and costs ten times the memory. The library finds the service
(`PCSCLITE_CSOCK_NAME` on pcsclite). Calls may block as long as the service hangs: they belong in threads that
nothing waits for.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
import time
from types import ModuleType
from typing import Any

from sithsapp.card.pcsc_codes import BUSY, failure_of, name_of, unsigned
from sithsapp.failures import SithsError

SCOPE_USER = 0
"""The scope of every context (`SCARD_SCOPE_USER`)."""
MAX_ATR = 33
"""The longest answer to reset (ISO/IEC 7816-3)."""
_BUSY_SECONDS = 2.0
_BUSY_PAUSE = (0.05, 0.25)


def _load() -> ModuleType:
    """Import the binding without `smartcard/__init__.py`, which would import the whole package."""
    if "smartcard" in sys.modules:
        return importlib.import_module("smartcard.scard")
    spec = importlib.util.find_spec("smartcard")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("pyscard is not installed")
    shell = ModuleType("smartcard")
    shell.__path__ = spec.submodule_search_locations
    sys.modules["smartcard"] = shell
    try:
        return importlib.import_module("smartcard.scard")
    finally:
        del sys.modules["smartcard"]


scard: Any = _load()
"""The binding: its functions and constants."""


def call(name: str, *arguments: Any) -> tuple[int, tuple[Any, ...]]:
    """Call the library; return the unsigned code and what else it gave."""
    answer = getattr(scard, name)(*arguments)
    if isinstance(answer, int):
        return unsigned(answer), ()
    code, *values = answer
    return unsigned(code), tuple(values)


def error_of(function: str, code: int) -> SithsError:
    """Return the failure for the code that a function of the library gave."""
    return SithsError(failure_of(code), f"{function} {name_of(code)}")


def patiently(name: str, *arguments: Any) -> tuple[int, tuple[Any, ...]]:
    """Call, and call again for up to two seconds while another program holds the card."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        code, values = call(name, *arguments)
        if code not in BUSY or time.monotonic() >= deadline:
            return code, values
        time.sleep(random.uniform(*_BUSY_PAUSE))  # noqa: S311 - spreads competing programs, no secret
