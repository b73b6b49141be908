# SPDX-License-Identifier: EUPL-1.2
"""One instance per session by a Unix socket in the user's runtime directory.

A lock file that is held for life decides who runs; the socket only carries messages. So a socket that a dead
process left behind can be replaced without a race, and one that another user made is never touched.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sithsapp.desktop.single_instance import (
    MAX_MESSAGE_LENGTH,
    Alone,
    HandedOver,
    Instance,
    Message,
    MessageRefused,
)

log = logging.getLogger(__name__)

_ACCEPTED = b"ok\n"
_TIMEOUT = 2.0
_RETRY_PAUSE = 0.02
_BACKLOG = 8


class _Unsafe(Exception):
    """Something of another user's, or open to others, is where the channel should be."""


def claim_or_hand_over(message: Message) -> Instance | HandedOver | Alone:
    """Become the app of this session, or give `message` to the one that runs."""
    try:
        directory = _private_directory()
        lock = _take_lock(directory / f"{session_name()}.lock")
        path = directory / f"{session_name()}.sock"
        if lock is None:
            _hand_over(path, message)
            return HandedOver()
        return _LinuxInstance(path, lock)
    except (_Unsafe, OSError) as error:
        return Alone(type(error).__name__ if isinstance(error, OSError) else str(error))


def session_name() -> str:
    """Return the name of the desktop session, which is its display: one user may have several."""
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "").split(".")[0]
    return "app-" + (re.sub(r"[^A-Za-z0-9]", "_", display)[-32:] or "none")


def _private_directory() -> Path:
    """Return a directory of this user's alone, made if needed; raises `_Unsafe`."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if runtime.is_absolute():
        _check_own_directory(runtime)
        directory = runtime / "sithsapp"
    else:
        directory = Path("/tmp") / f"sithsapp-{os.geteuid()}"  # noqa: S108 # checked below, refused if foreign
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    _check_own_directory(directory)
    return directory


def _check_own_directory(directory: Path) -> None:
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise _Unsafe("the runtime directory is not this user's alone")


def _take_lock(path: Path) -> int | None:
    """Return the held lock's descriptor, or None if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise _Unsafe("the lock file is another user's")
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _peer_uid(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


def _hand_over(path: Path, message: Message) -> None:
    """Send `message` to the running app, which may still be about to listen; raises `OSError`, `_Unsafe`."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return _send(path, message)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_PAUSE)


def _send(path: Path, message: Message) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT)
        status = path.lstat()
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            raise _Unsafe("the socket is not this user's")
        connection.connect(str(path))
        if _peer_uid(connection) != os.geteuid():
            raise _Unsafe("another user answers at the socket")
        connection.sendall(message.encode())
        connection.shutdown(socket.SHUT_WR)
        if connection.recv(len(_ACCEPTED)) != _ACCEPTED:
            raise _Unsafe("the running app did not take the message")


class _LinuxInstance:
    """The listening side. `lock` is held until `close`."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path = path
        self._lock = lock
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._bind()
        except BaseException:
            self._socket.close()
            os.close(lock)
            raise

    def _bind(self) -> None:
        if _is_socket(self._path):
            self._path.unlink()  # its owner is dead: the lock was free
        before = os.umask(0o177)
        try:
            self._socket.bind(str(self._path))
        finally:
            os.umask(before)
        self._socket.listen(_BACKLOG)

    def listen(self, receive: Callable[[Message], None]) -> None:
        """Call `receive`, from a thread of its own, for each message of a second start."""
        threading.Thread(target=self._serve, args=(receive,), name="single-instance", daemon=True).start()

    def close(self) -> None:
        """Stop listening and give the name back."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread out of accept
        except OSError:
            log.debug("single instance: the socket was already closed")
        self._socket.close()
        self._path.unlink(missing_ok=True)
        os.close(self._lock)

    def _serve(self, receive: Callable[[Message], None]) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    receive(_read(connection))
                    connection.sendall(_ACCEPTED)
                except (MessageRefused, _Unsafe, OSError) as error:
                    log.warning("single instance: a message was refused (%s)", type(error).__name__)
                except Exception:
                    log.exception("single instance: the message could not be handled")


def _read(connection: socket.socket) -> Message:
    if _peer_uid(connection) != os.geteuid():
        raise _Unsafe("another user sent a message")
    connection.settimeout(_TIMEOUT)
    data = b""
    while len(data) <= MAX_MESSAGE_LENGTH and (part := connection.recv(MAX_MESSAGE_LENGTH + 1)):
        data += part
    return Message.decode(data)


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return False
