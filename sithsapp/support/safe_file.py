# SPDX-License-Identifier: EUPL-1.2
"""Read and write files in places where something else may stand in the way: links, pipes, files of no end."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> int:
    """Return a descriptor for reading a regular file that is no link; raises `OSError` for anything else.

    A pipe would make a reader wait for ever, and a link would show what it points to.
    """
    descriptor = os.open(path, os.O_RDONLY | _NO_LINKS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("no regular file")
    return descriptor


def read_small(path: Path, most: int) -> bytes:
    """Return a file's content; raises `OSError` if it is no regular file or longer than `most` bytes."""
    with os.fdopen(open_regular(path), "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError("the file is too long")
    return content


def read_end(path: Path, most: int) -> bytes:
    """Return the last bytes of a file, `most` at most, from the beginning of a line on."""
    with os.fdopen(open_regular(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - most))
        content = file.read(most)
    return content if size <= most else content.partition(b"\n")[2]


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read: as a whole or not at all; raises `OSError`.

    The name is taken by renaming, so that a link of that name is replaced and not followed.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".siths-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def create_file(path: Path, content: bytes) -> None:
    """Write as `replace_file` does, but under a name that nothing has yet; raises `FileExistsError` otherwise."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, 0o600))
    try:
        replace_file(path, content)
    except OSError:
        with suppress(OSError):
            os.unlink(path)
        raise
