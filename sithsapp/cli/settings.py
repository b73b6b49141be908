# SPDX-License-Identifier: EUPL-1.2
"""`siths settings`: the same store as the app's page, so that a change is checked and locked the same way."""

from __future__ import annotations

import argparse
import json

import msgspec

from sithsapp.cli.output import Output
from sithsapp.desktop.paths import config_dir
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings
from sithsapp.settings.store import NAMES, NEEDS_RESTART, SettingsStore, open_store

_WRONG_USAGE = 2


def list_all(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Print every setting, its value and who set it."""
    store = open_store(config_dir())
    data = {"settings": [_data(store, name) for name in NAMES], "places": list(store.places)}
    width = max(map(len, NAMES))
    output.result(data, [f"{name:{width}}  {_text(store, name)}{_origin(store, name)}" for name in NAMES])
    return 0


def get(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Print one setting's value as JSON."""
    store = open_store(config_dir())
    name = _known(arguments.name)
    output.result(_data(store, name), [_text(store, name)])
    return 0


def set_one(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Set one of the user's own settings."""
    store = open_store(config_dir())
    name = _known(arguments.name)
    store.set(name, _value(arguments.value))
    _take_effect(store, (name,), output)
    output.result(_data(store, name), [f"{name}: {_text(store, name)}"])
    return 0


def reset(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Take some or all of the user's own settings back."""
    if bool(arguments.names) is arguments.all:
        output.note(tr("Say which settings, or --all."))
        return _WRONG_USAGE
    store = open_store(config_dir())
    names = NAMES if arguments.all else tuple(map(_known, arguments.names))
    store.reset(names)
    _take_effect(store, names, output)
    shown = {"settings": [_data(store, name) for name in names]}
    output.result(shown, [f"{name}: {_text(store, name)}" for name in names])
    return 0


def _take_effect(store: SettingsStore, names: tuple[str, ...], output: Output) -> None:
    """Do what no running app may be there to do, and say what waits for the next start."""
    if "autostart" in names:
        from sithsapp.desktop.autostart import autostart, follow

        follow(store.settings.autostart, autostart())
    if len(names) == 1 and names[0] in NEEDS_RESTART:
        output.note(tr("Applies after the app has restarted."))


def _known(name: str) -> str:
    if name not in NAMES:
        raise SithsError(Failure.SETTINGS_INVALID, f"there is no setting {name[:64]!r}")
    return name


def _value(text: str) -> object:
    """Return what `text` says as JSON, or the text itself: nobody wants to quote a word twice."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _data(store: SettingsStore, name: str) -> dict[str, object]:
    return {
        "name": name,
        "value": msgspec.to_builtins(getattr(store.settings, name)),
        "set_by": store.authority(name).name.lower(),
        "locked": store.locked(name),
        "needs_restart": name in NEEDS_RESTART,
    }


def _text(store: SettingsStore, name: str) -> str:
    return json.dumps(msgspec.to_builtins(getattr(store.settings, name)), ensure_ascii=False)


def _origin(store: SettingsStore, name: str) -> str:
    origins = {
        "default": "",
        "user": tr("set by you"),
        "machine": tr("set for this computer"),
        "policy": tr("set by your organisation"),
    }
    origin = origins[store.authority(name).name.lower()]
    return f"  ({origin})" if origin else ""
