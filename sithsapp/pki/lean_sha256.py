# SPDX-License-Identifier: EUPL-1.2
"""SHA-256 without OpenSSL, as far as the interpreter has it.

`hashlib` loads OpenSSL when it is imported: 3 MiB that an app which only waits for orders does not need. The standard
library's `random` spares it in the same way.
"""

from __future__ import annotations

from importlib import import_module


def lean_sha256(data: bytes) -> bytes:
    """Return the digest of `data`, 32 bytes."""
    for name in ("_sha2", "_sha256", "hashlib"):  # from Python 3.12 on, before, and where neither was built
        try:
            digest: bytes = import_module(name).sha256(data).digest()
        except ImportError:
            continue
        return digest
    raise ImportError("no SHA-256")
