# SPDX-License-Identifier: EUPL-1.2
"""Small files that belong to the user alone: read with a bound, replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def read_bounded(path: Path, longest: int) -> bytes:
    """Read a file of `longest` bytes at most without following a link; raises `ValueError` and `OSError`."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        content = file.read(longest + 1)
    if len(content) > longest:
        raise ValueError("too long")
    return content


def replace_file(path: Path, content: bytes) -> None:
    """Write beside and rename, making the directory if need be; raises `OSError`. `mkstemp` gives mode 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix + ".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)
        raise
