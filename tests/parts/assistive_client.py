# SPDX-License-Identifier: EUPL-1.2
"""A small assistive technology, run by the system's Python, which has the AT-SPI bindings.

Standard input takes one JSON object a line: `tree`, `focused`, `enter` (text into the field with the focus) or
`press` (the button called so). Standard output gives an answer for each, and every event of every program as it
comes. It imports nothing of the app's, and sees of it what any program of the session can see.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402 # the version is chosen before

_EVENTS = ("object", "window", "focus", "mouse", "document", "terminal")
_BUTTONS = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON, Atspi.Role.RADIO_BUTTON, Atspi.Role.CHECK_BOX)
_ACCESSIBILITY = ("org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties")


def main() -> None:
    """Tell the session that a screen reader is here, then listen until standard input ends."""
    warnings.simplefilter("ignore", DeprecationWarning)  # newer names are not in every system's bindings
    _announce_screen_reader()
    listener = Atspi.EventListener.new(_hear)
    for kind in _EVENTS:
        listener.register(kind)
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, lambda *_: _obey(loop))
    _say({"ready": True})
    loop.run()


def _announce_screen_reader() -> None:
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    for name in ("IsEnabled", "ScreenReaderEnabled"):
        value = GLib.Variant("(ssv)", ("org.a11y.Status", name, GLib.Variant("b", True)))
        bus.call_sync(*_ACCESSIBILITY, "Set", value, None, Gio.DBusCallFlags.NONE, 5000, None)


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _hear(event: Any) -> None:
    data = event.any_data
    _say(
        {
            "event": event.type,
            "detail": event.detail1,
            "data": data if isinstance(data, str) else _name(data),
            "name": _name(event.source),
        }
    )


def _name(thing: Any) -> str:
    """Return a thing's name, or what it is, if it is none or has gone already."""
    try:
        return str(thing.get_name()) if isinstance(thing, Atspi.Accessible) else str(thing)
    except GLib.Error:
        return ""


def _obey(loop: Any) -> bool:
    line = sys.stdin.readline()
    if not line:
        loop.quit()
        return False
    command = json.loads(line)
    try:
        _say({"answer": _COMMANDS[command["do"]](**command.get("with", {}))})
    except (GLib.Error, LookupError) as error:
        _say({"error": str(error)})
    return True


def _things() -> Iterator[tuple[int, Any]]:
    desktop = Atspi.get_desktop(0)
    for number in range(desktop.get_child_count()):
        program = desktop.get_child_at_index(number)
        if program is not None:
            yield from _below(program, 0)


def _below(thing: Any, depth: int) -> Iterator[tuple[int, Any]]:
    yield depth, thing
    for number in range(thing.get_child_count()):
        child = thing.get_child_at_index(number)
        if child is not None:
            yield from _below(child, depth + 1)


def _states(thing: Any) -> list[str]:
    return sorted(state.value_nick for state in thing.get_state_set().get_states())


def _text(thing: Any) -> str:
    text = thing.get_text_iface()
    return str(Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text))) if text is not None else ""


def _describe(depth: int, thing: Any) -> dict[str, Any]:
    return {
        "depth": depth,
        "role": thing.get_role_name(),
        "name": thing.get_name(),
        "description": thing.get_description(),
        "states": _states(thing),
        "text": _text(thing),
    }


def _tree() -> list[dict[str, Any]]:
    return [_describe(depth, thing) for depth, thing in _things()]


def _with_focus() -> Any:
    found = [thing for _, thing in _things() if thing.get_state_set().contains(Atspi.StateType.FOCUSED)]
    return found[-1]  # an IndexError says that nothing has it


def _focused() -> dict[str, Any]:
    return _describe(0, _with_focus())


def _enter(text: str) -> bool:
    return bool(Atspi.EditableText.set_text_contents(_with_focus().get_editable_text_iface(), text))


def _press(name: str) -> bool:
    showing = Atspi.StateType.SHOWING
    found = [
        thing
        for _, thing in _things()
        if thing.get_name() == name and thing.get_role() in _BUTTONS and thing.get_state_set().contains(showing)
    ]
    if not found:
        raise LookupError(name)
    return bool(Atspi.Action.do_action(found[0].get_action_iface(), 0))


_COMMANDS: dict[str, Any] = {"tree": _tree, "focused": _focused, "enter": _enter, "press": _press}


if __name__ == "__main__":
    main()
