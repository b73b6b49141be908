# SPDX-License-Identifier: EUPL-1.2
"""Certificates as files. They name people, so their owner alone may read them."""

from __future__ import annotations

import base64
import os
import tempfile
from contextlib import suppress

from sithsapp.failures import Failure, SithsError

_LINE = 64


def pem(der: bytes) -> bytes:
    """Return a certificate in the textual encoding of RFC 7468."""
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode("ascii")


def write_file(path: str, content: bytes, *, replace: bool) -> None:
    """Write a new file, or with `replace` one in the place of another; raises `SithsError(FILE_NOT_WRITTEN)`.

    The file is there as a whole or not at all.
    """
    try:
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".siths-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            (os.replace if replace else _take_name)(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
    except OSError as error:
        raise SithsError(Failure.FILE_NOT_WRITTEN, error.strerror or type(error).__name__) from error


def _take_name(temporary: str, path: str) -> None:
    """Rename unless there is a file of that name: a mere rename would replace it on Unix."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.replace(temporary, path)
