# SPDX-License-Identifier: EUPL-1.2
"""A desktop portal of the test's own, by GLib, for the system's Python: `python3 fake_portal.py`.

Prints `ready`. A line `NAMESPACE KEY TYPE VALUE` on standard input changes a setting, e.g.
`org.freedesktop.appearance color-scheme u 1`. Ends with its standard input.
"""

from __future__ import annotations

import sys
import threading

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402 # the version is chosen before

NAME, PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
SETTINGS = "org.freedesktop.portal.Settings"
INTERFACE = """
<node><interface name="org.freedesktop.portal.Settings">
<method name="ReadAll"><arg type="as" direction="in"/><arg type="a{sa{sv}}" direction="out"/></method>
<method name="Read"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="v" direction="out"/></method>
<signal name="SettingChanged"><arg type="s"/><arg type="s"/><arg type="v"/></signal>
<property name="version" type="u" access="read"/>
</interface></node>
"""


class Portal:
    """Keeps settings, answers for them and tells of changes."""

    def __init__(self, loop: GLib.MainLoop) -> None:
        self._loop = loop
        self._bus: Gio.DBusConnection | None = None
        self._settings: dict[tuple[str, str], GLib.Variant] = {}

    def on_bus(self, bus: Gio.DBusConnection, name: str) -> None:
        self._bus = bus
        interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
        bus.register_object(PATH, interface, self._called, lambda *_: GLib.Variant("u", 1), None)

    def on_name(self, bus: Gio.DBusConnection, name: str) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        threading.Thread(target=self._read, daemon=True).start()

    def _called(self, bus, sender, path, interface, method, arguments, invocation):  # type: ignore[no-untyped-def]
        if method == "ReadAll":
            invocation.return_value(GLib.Variant("(a{sa{sv}})", (self._all(),)))
            return
        value = self._settings.get(arguments.unpack())
        if value is None:
            invocation.return_dbus_error("org.freedesktop.portal.Error.NotFound", "no such setting")
        else:
            invocation.return_value(GLib.Variant("(v)", (GLib.Variant("v", value),)))  # wrapped twice, as ever

    def _all(self) -> dict[str, dict[str, GLib.Variant]]:
        found: dict[str, dict[str, GLib.Variant]] = {}
        for (namespace, key), value in self._settings.items():
            found.setdefault(namespace, {})[key] = value
        return found

    def _read(self) -> None:
        for line in sys.stdin:
            GLib.idle_add(self._change, *line.split())
        GLib.idle_add(self._loop.quit)

    def _change(self, namespace: str, key: str, kind: str, text: str) -> bool:
        value = GLib.Variant(kind, text == "true" if kind == "b" else text if kind == "s" else int(text))
        self._settings[namespace, key] = value
        assert self._bus is not None
        told = GLib.Variant("(ssv)", (namespace, key, value))
        self._bus.emit_signal(None, PATH, SETTINGS, "SettingChanged", told)
        return False


def main() -> None:
    """Serve until standard input ends."""
    loop = GLib.MainLoop()
    portal = Portal(loop)
    Gio.bus_own_name(Gio.BusType.SESSION, NAME, Gio.BusNameOwnerFlags.NONE, portal.on_bus, portal.on_name, None)
    loop.run()


if __name__ == "__main__":
    main()
