# SPDX-License-Identifier: EUPL-1.2
"""The wire format: what is written is what GLib reads, and what breaks it ends the connection."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.desktop.dbus_wire import MAX_MESSAGE, Kind, Reader, WireError, Writer, method_call, take_message

SYSTEM_PYTHON = "/usr/bin/python3"
_CHECK = """
import json, sys, gi
from gi.repository import Gio
message = Gio.DBusMessage.new_from_blob(sys.stdin.buffer.read(), Gio.DBusCapabilityFlags.NONE)
body = message.get_body()
print(json.dumps([message.get_path(), message.get_interface(), message.get_member(), message.get_destination(),
    message.get_signature(), message.get_serial(), body.unpack() if body else None]))
"""


def has_glib() -> bool:
    """Tell whether the system's Python has GLib, which is the second opinion here."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return False
    return subprocess.run([SYSTEM_PYTHON, "-c", "from gi.repository import Gio"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_glib(), reason="needs the system's python3-gi")
@pytest.mark.parametrize("text", ["", "a", "åäö 😀", "x" * 97])
def test_glib_reads_what_is_written(text: str) -> None:
    body = Writer()
    body.string(text)
    body.uint32(2**32 - 1)
    body.strings(("open", text))
    body.dictionary((("urgency", 1), ("desktop-entry", text), ("z", 2)))
    body.int32(-1)
    body.strings(())
    body.dictionary(())
    sent = method_call(7, "a.b", "/c/d", "e.f", "G", "suasa{sv}iasa{sv}", bytes(body.data))
    told = subprocess.run([SYSTEM_PYTHON, "-c", _CHECK], input=sent, capture_output=True, check=True, timeout=60)
    values = [text, 2**32 - 1, ["open", text], {"urgency": 1, "desktop-entry": text, "z": 2}, -1, [], {}]
    assert json.loads(told.stdout) == ["/c/d", "e.f", "G", "a.b", "suasa{sv}iasa{sv}", 7, values]


def _signal(body: bytes) -> bytes:
    """Return a signal as a bus would send it."""
    call = method_call(9, "", "/x", "a.b", "S", "us", body)
    return call[:1] + bytes([Kind.SIGNAL]) + call[2:]


def test_what_is_written_is_read_again_wherever_it_is_cut() -> None:
    body = Writer()
    body.uint32(41)
    body.string("open")
    whole = _signal(bytes(body.data))
    for cut in range(len(whole)):
        received = bytearray(whole[:cut])
        assert take_message(received) is None
        received += whole[cut:] + b"l"
        message = take_message(received)
        assert message is not None
        assert (message.kind, message.interface, message.member, message.signature) == (4, "a.b", "S", "us")
        reader = Reader(message.body, big_endian=message.big_endian)
        assert (reader.uint32(), reader.string()) == (41, "open")
        assert received == b"l"


def test_big_endian_is_read_too() -> None:
    head = b"B\x04\x00\x01" + (8).to_bytes(4, "big") + (1).to_bytes(4, "big") + (0).to_bytes(4, "big")
    message = take_message(bytearray(head + (5).to_bytes(4, "big") + (6).to_bytes(4, "big")))
    assert message is not None
    reader = Reader(message.body, big_endian=message.big_endian)
    assert (reader.uint32(), reader.uint32()) == (5, 6)


@pytest.mark.parametrize(
    "received",
    [
        b"HTTP/1.1 400 Bad",
        b"l\x04\x00\x02" + bytes(12),
        b"l\x04\x00\x01" + MAX_MESSAGE.to_bytes(4, "little") + bytes(8),
        b"l\x04\x00\x01" + bytes(8) + b"\xff\xff\xff\xff",
        b"l\x04\x00\x01" + bytes(8) + b"\x08\x00\x00\x00" + b"\x01\x01v\x00\x00\x00\x00\x00",
        b"l\x04\x00\x01" + bytes(8) + b"\x08\x00\x00\x00" + b"\x01\x01s\x00\xff\x00\x00\x00",
    ],
)
def test_what_breaks_the_format_is_refused(received: bytes) -> None:
    with pytest.raises(WireError):
        take_message(bytearray(received))


@given(st.binary(max_size=200))
def test_no_bytes_get_past_the_format(received: bytes) -> None:
    buffer = bytearray(b"l\x04\x00\x01" + received)
    try:
        while (message := take_message(buffer)) is not None:
            reader = Reader(message.body, big_endian=message.big_endian)
            reader.uint32()
            reader.string()
    except WireError:
        pass
