# SPDX-License-Identifier: EUPL-1.2
"""A notification service of the test's own, by GLib, for the system's Python: `python3 fake_notifications.py`.

Prints `ready`, then one line of JSON for each note. A line on standard input: `choose ID` presses a note's button,
`token ID TEXT` gives an activation token, `refuse` answers the next note with an error. Ends with standard input.
"""

from __future__ import annotations

import json
import sys
import threading

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402 # the version is chosen before

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
INTERFACE = """
<node><interface name="org.freedesktop.Notifications">
<method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
<arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/></method>
<signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
<signal name="ActivationToken"><arg type="u"/><arg type="s"/></signal>
</interface></node>
"""
_NAMES = ("app", "replaces", "icon", "title", "text", "actions", "hints", "timeout")


class Service:
    """Answers `Notify` and sends signals."""

    def __init__(self, loop: GLib.MainLoop) -> None:
        self._loop = loop
        self._bus: Gio.DBusConnection | None = None
        self._count = 40
        self._refuses = False

    def on_bus(self, bus: Gio.DBusConnection, name: str) -> None:
        self._bus = bus
        interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
        bus.register_object(PATH, interface, self._called, None, None)

    def on_name(self, bus: Gio.DBusConnection, name: str) -> None:
        _say("ready")
        threading.Thread(target=self._read, daemon=True).start()

    def _called(self, bus, sender, path, interface, method, arguments, invocation):  # type: ignore[no-untyped-def]
        values = dict(zip(_NAMES, arguments.unpack(), strict=True))
        if self._refuses:
            self._refuses = False
            invocation.return_dbus_error("org.freedesktop.DBus.Error.Failed", "not now")
            return
        self._count += not values["replaces"]
        number = values["replaces"] or self._count
        invocation.return_value(GLib.Variant("(u)", (number,)))
        _say(json.dumps(values | {"id": number}))

    def _read(self) -> None:
        for line in sys.stdin:
            GLib.idle_add(self._obey, line.split())
        GLib.idle_add(self._loop.quit)

    def _obey(self, words: list[str]) -> bool:
        if words[0] == "refuse":
            self._refuses = True
            _say("will refuse")
        else:
            name = "ActionInvoked" if words[0] == "choose" else "ActivationToken"
            argument = "open" if words[0] == "choose" else words[2]
            assert self._bus is not None
            self._bus.emit_signal(None, PATH, NAME, name, GLib.Variant("(us)", (int(words[1]), argument)))
        return False


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until standard input ends."""
    loop = GLib.MainLoop()
    service = Service(loop)
    Gio.bus_own_name(Gio.BusType.SESSION, NAME, Gio.BusNameOwnerFlags.NONE, service.on_bus, service.on_name, None)
    loop.run()


if __name__ == "__main__":
    main()
