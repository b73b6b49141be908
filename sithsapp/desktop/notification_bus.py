# SPDX-License-Identifier: EUPL-1.2
"""A connection to the desktop's notification service (org.freedesktop.Notifications), without Qt.

The owner waits until `fileno` is readable and then calls `receive`. Nothing here blocks: what is to be sent before
the bus has let us in is kept until then.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from sithsapp.desktop.dbus_wire import Kind, Message, Reader, WireError, Writer, method_call, take_message

SERVICE = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_MAX_LINE = 1024
_CHUNK = 16 * 1024
_NORMAL = 1
_DEFAULT_ACTION = "default"
_SIGNALS = ("ActionInvoked", "ActivationToken")


@dataclass(frozen=True, slots=True)
class Note:
    """What is shown. `action` is the label of its one button; texts are our own, never a service's or a person's."""

    title: str
    text: str
    action: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The person wants what the note with that number offers; `token` lets a window come to the front."""

    serial: int
    token: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The note with that number was not shown: there is no service, or it does not want it."""

    serial: int


class NotificationBus:
    """One connection. Raises `OSError` when there is no bus to connect to."""

    def __init__(self, address: str | None = None) -> None:
        """Connect to `address`, a D-Bus address, or to the session's bus."""
        self._socket = _connect(os.environ.get("DBUS_SESSION_BUS_ADDRESS", "") if address is None else address)
        self._received = bytearray()
        self._admitted = False
        self._kept: list[bytes] = []
        self._serial = 0
        self._shown: dict[int, int] = {}
        self._services: set[str] = set()
        self._token = ""
        self._socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        self._call(_BUS, _BUS_PATH, "Hello")
        for member in _SIGNALS:
            self._match(member)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Let go of the bus; notes that are shown stay."""
        self._socket.close()

    def show(self, note: Note, replaces: int = 0) -> int:
        """Have `note` shown and return its number; `replaces` is that of an earlier one. Raises `OSError`."""
        body = Writer()
        body.string("SITHS eID-app")
        body.uint32(self._id(replaces))
        body.string("sithsapp")
        body.string(note.title)
        body.string(note.text)
        body.strings((_DEFAULT_ACTION, note.action, "open", note.action))
        body.dictionary((("urgency", _NORMAL), ("desktop-entry", "sithsapp")))
        body.int32(-1)
        return self._call(SERVICE, _PATH, "Notify", "susssasa{sv}i", bytes(body.data))

    def receive(self) -> list[Chosen | Refused]:
        """Take in what has come; raises `OSError` or `WireError` when the connection is no longer of use."""
        chunk = self._socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the bus is gone")
        self._received += chunk
        if not self._admitted:
            self._await_admission()
        found: list[Chosen | Refused] = []
        while self._admitted and (message := take_message(self._received)) is not None:
            found += self._take(message)
        return found

    def _await_admission(self) -> None:
        line, end, rest = bytes(self._received).partition(b"\r\n")
        if not end and len(line) <= _MAX_LINE:
            return
        if not line.startswith(b"OK "):
            raise WireError("the bus does not let us in")
        self._received = bytearray(rest)
        self._admitted = True
        self._socket.sendall(b"BEGIN\r\n" + b"".join(self._kept))
        self._kept.clear()

    def _take(self, message: Message) -> Iterable[Chosen | Refused]:
        if message.kind == Kind.ERROR:
            return [Refused(message.reply_serial)]
        if message.kind == Kind.REPLY and message.signature == "u":
            self._shown[message.reply_serial] = _reader(message).uint32()
            self._services.add(message.sender)
        elif message.kind == Kind.SIGNAL and message.signature == "us" and message.sender in self._services:
            return self._signalled(message)
        return []

    def _signalled(self, message: Message) -> Iterable[Chosen]:
        reader = _reader(message)
        number, word = reader.uint32(), reader.string()
        serial = next((serial for serial, shown in self._shown.items() if shown == number), 0)
        if message.member == "ActivationToken":
            self._token = word if serial else ""
        elif message.member == "ActionInvoked" and serial:
            token, self._token = self._token, ""
            return [Chosen(serial, token)]
        return []

    def _id(self, serial: int) -> int:
        """Return the service's number of an earlier note, which is forgotten here."""
        return self._shown.pop(serial, 0)

    def _match(self, member: str) -> None:
        body = Writer()
        body.string(f"type='signal',sender='{SERVICE}',interface='{SERVICE}',member='{member}'")
        self._call(_BUS, _BUS_PATH, "AddMatch", "s", bytes(body.data))

    def _call(self, destination: str, path: str, member: str, signature: str = "", body: bytes = b"") -> int:
        self._serial += 1
        interface = SERVICE if destination == SERVICE else _BUS
        message = method_call(self._serial, destination, path, interface, member, signature, body)
        if self._admitted:
            self._socket.sendall(message)
        else:
            self._kept.append(message)
        return self._serial


def _reader(message: Message) -> Reader:
    return Reader(message.body, big_endian=message.big_endian)


def _connect(address: str) -> socket.socket:
    for each in address.split(";"):
        target = _unix_target(each)
        if target is None:
            continue
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(2.0)  # a bus on this computer takes a message at once, or something is wrong
            made.connect(target)
        except OSError:
            made.close()
            continue
        return made
    raise FileNotFoundError("no session bus")


def _unix_target(address: str) -> str | bytes | None:
    match = re.fullmatch(r"unix:(.*)", address)
    if match is None:
        return None
    values = dict(part.partition("=")[::2] for part in match[1].split(","))
    if values.get("path"):
        return unquote(values["path"])
    return b"\0" + unquote(values["abstract"]).encode() if values.get("abstract") else None
