# SPDX-License-Identifier: EUPL-1.2
"""Shows a certificate in the operating system's own viewer, from a file that goes with the app.

Windows: the viewer of the shell. macOS: Quick Look, which unlike Keychain Access keeps nothing. Linux: what the
desktop opens certificates with.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Final, Protocol

from sithsapp.desktop.open_url import opener, run_opener
from sithsapp.failures import Failure, SithsError

_KEPT: Final = 8


class Viewer(Protocol):
    """The system's own way to show a file with a certificate."""

    def command(self, file: Path) -> list[str]:
        """Return the program and its arguments; raises `SithsError(VIEWER_NOT_OPENED)` where there is none."""


class LinuxViewer:
    """Whatever the desktop has chosen for certificates."""

    def command(self, file: Path) -> list[str]:
        """Return the desktop's opener with the file."""
        return [str(opener(Failure.VIEWER_NOT_OPENED)), str(file)]


class MacViewer:
    """Quick Look."""

    def command(self, file: Path) -> list[str]:
        """Return Quick Look with the file."""
        return ["/usr/bin/qlmanage", "-p", str(file)]


class WindowsViewer:
    """The shell's certificate dialog, from the system's own directory."""

    def __init__(self, system_root: str) -> None:
        self._system = f"{system_root}\\System32"

    def command(self, file: Path) -> list[str]:
        """Return the dialog's entry point with the file, which it takes unquoted to the end of the line."""
        return [f"{self._system}\\rundll32.exe", f"{self._system}\\cryptext.dll,CryptExtOpenCER", str(file)]


class CertificateFiles:
    """Files of the user's own for other programs to read; all are gone at the end of the process. Thread-safe."""

    def __init__(self, parent: Path | None = None) -> None:
        """Keep them in `parent`, or where the system has such files."""
        self._lock = threading.Lock()
        self._directory = Path(tempfile.mkdtemp(prefix="siths-", dir=parent))
        self._files: list[Path] = []
        self.close = weakref.finalize(self, shutil.rmtree, self._directory, ignore_errors=True)

    def put(self, der: bytes) -> Path:
        """Write a certificate and return its file; the oldest goes when there are too many."""
        with self._lock:
            file = self._directory / f"{hashlib.sha256(der).hexdigest()[:16]}.cer"
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(der)
            self._files = [each for each in self._files if each != file] + [file]
            while len(self._files) > _KEPT:
                self._files.pop(0).unlink(missing_ok=True)
            return file


_lock = threading.Lock()
_files: CertificateFiles | None = None


def show_certificate(der: bytes, viewer: Viewer | None = None) -> None:
    """Show a certificate (DER). Blocks for two seconds at most; raises `SithsError(VIEWER_NOT_OPENED)`."""
    global _files
    with _lock:
        try:
            _files = _files or CertificateFiles()
            file = _files.put(der)
        except OSError as error:
            raise SithsError(Failure.VIEWER_NOT_OPENED, error.strerror or "no file") from error
    run_opener((viewer or system_viewer()).command(file), Failure.VIEWER_NOT_OPENED)


def system_viewer() -> Viewer:
    """Return this system's viewer."""
    if sys.platform == "win32":
        return WindowsViewer(os.environ.get("SYSTEMROOT", "C:\\Windows"))
    return MacViewer() if sys.platform == "darwin" else LinuxViewer()
