# SPDX-License-Identifier: EUPL-1.2
"""The settings in force while the app runs: read, changed by the user, watched by whoever follows them.

Changes go to the user's own source and are checked as if they had been read from it. Listeners are called in the
thread that made the change.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sithsapp.failures import Failure, SithsError
from sithsapp.settings.load import Resolved, check, load
from sithsapp.settings.schema import Settings
from sithsapp.settings.sources import SYSTEM_DIRECTORY, Authority, Source, file_sources
from sithsapp.settings.user_file import UserFile

log = logging.getLogger(__name__)

NAMES: tuple[str, ...] = Settings.__struct_fields__
"""The names of all settings, in the schema's order."""

NEEDS_RESTART = frozenset({"virtual_card", "pkcs11", "pkcs11_modules", "allow_certificate_deletion", "pin_pad"})
"""What takes effect at the next start only; everything else does at once."""

Listener = Callable[[frozenset[str]], None]


class UserSource(Source, Protocol):
    """Where the user's own choices are kept."""

    def write(self, values: Mapping[str, object]) -> None:
        """Replace the values; raises `SithsError(SETTINGS_NOT_SAVED)`."""

    def set_aside(self) -> Path:
        """Keep what cannot be used and begin anew; raises `SithsError(SETTINGS_NOT_SAVED)`."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keep others from writing meanwhile."""


@dataclass(frozen=True, slots=True)
class _Proposed:
    """Values that the user wants, as the source that they would make."""

    name: str
    values: Mapping[str, object]
    authority: Authority = Authority.USER

    def read(self) -> Mapping[str, object]:
        return self.values


class SettingsStore:
    """The settings of one process. Thread-safe."""

    def __init__(self, organisation: Sequence[Source], user: UserSource) -> None:
        """Read all sources; raises `SithsError(SETTINGS_INVALID)` for a fault in what the organisation set."""
        self._organisation, self._user = tuple(organisation), user
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._resolved = self._load()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._resolved.settings

    @property
    def problems(self) -> tuple[SithsError, ...]:
        """What is wrong with the user's own file."""
        return self._resolved.problems

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the sources, e.g. file paths."""
        return tuple(source.name for source in (*self._organisation, self._user))

    def authority(self, name: str) -> Authority:
        """Return who set the setting `name`."""
        return self._resolved.authorities.get(name, Authority.DEFAULT)

    def locked(self, name: str) -> bool:
        """Tell whether the organisation decides on `name`, so that the user cannot."""
        return self._resolved.locked(name)

    def set(self, name: str, value: object) -> None:
        """Let the user set `name`, at once and for later starts.

        `value` is what JSON would hold. Raises `SithsError`: SETTING_LOCKED, SETTINGS_INVALID (no such setting, or a
        value that it cannot have), VIRTUAL_CARD_REFUSED (production with a virtual card), SETTINGS_NOT_SAVED. Nothing
        has changed then.
        """
        self._refuse_unknown((name,))
        self._refuse_locked(name)
        self._change(lambda values: {**values, name: value})

    def reset(self, names: Iterable[str] = NAMES) -> None:
        """Take the user's own choices back; what the organisation set stays. Raises as `set` does."""
        dropped = frozenset(names)
        self._refuse_unknown(dropped)
        self._change(lambda values: {name: value for name, value in values.items() if name not in dropped})

    def reload(self) -> None:
        """Read all sources again. A fault in what the organisation set leaves everything as it is."""
        with self._lock:
            try:
                fresh = self._load()
                _refuse_virtual_card(fresh.settings)
            except SithsError as error:
                log.error("settings stay as they were: %s", error)
                return
            changed = _differences(self._resolved, fresh)
            self._resolved = fresh
        if changed:
            self._tell(changed)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the names of what has changed; the returned function ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _load(self) -> Resolved:
        return load((*self._organisation, self._user))

    def _change(self, change: Callable[[Mapping[str, object]], Mapping[str, object]]) -> None:
        with self._lock, self._user.exclusive():
            values, usable = self._users_own()
            wanted = change(values)
            self._refuse_unless_good(wanted)
            if not usable:
                log.warning("the unusable settings file was set aside: %s", self._user.set_aside())
            if wanted != values or not usable:
                self._user.write(wanted)
        self.reload()

    def _refuse_unless_good(self, values: Mapping[str, object]) -> None:
        """Raise unless the user's own values may be these, alone and together with what the organisation set."""
        proposed = load((*self._organisation, _Proposed(self._user.name, values)))
        if proposed.problems:
            raise proposed.problems[0]
        _refuse_virtual_card(proposed.settings)

    def _users_own(self) -> tuple[Mapping[str, object], bool]:
        """Return what the user has set, and whether it could be used; read anew, as others may write it too."""
        try:
            values = self._user.read()
            check(values, Authority.USER, self._user.name)
        except SithsError:
            return {}, False
        return values, True

    def _refuse_unknown(self, names: Iterable[str]) -> None:
        unknown = sorted(set(names).difference(NAMES))
        if unknown:
            raise SithsError(Failure.SETTINGS_INVALID, f"there is no setting {unknown[0][:64]!r}")

    def _refuse_locked(self, name: str) -> None:
        if self.locked(name):
            raise SithsError(Failure.SETTING_LOCKED, f"{name}: set by {self.authority(name).name.lower()}")

    def _tell(self, changed: frozenset[str]) -> None:
        log.info("settings changed: %s", ", ".join(sorted(changed)))
        for listener in tuple(self._listeners):
            try:
                listener(changed)
            except Exception:  # callback boundary: one listener must not keep the others from hearing
                log.exception("listener")


def _refuse_virtual_card(settings: Settings) -> None:
    # A virtual card that is in use already would go on in production; at a start the card's own code refuses it.
    if settings.virtual_card is not None and settings.environment == "production":
        raise SithsError(Failure.VIRTUAL_CARD_REFUSED, "a virtual card is set up, which production refuses")


def open_store(user_directory: Path, system_directory: Path = SYSTEM_DIRECTORY) -> SettingsStore:
    """Return the store over this computer's files; raises `SithsError(SETTINGS_INVALID)` as `SettingsStore` does."""
    sources = file_sources(user_directory, system_directory)
    organisation = [source for source in sources if source.authority > Authority.USER]
    return SettingsStore(organisation, UserFile(user_directory / "settings.json"))


def _differences(before: Resolved, after: Resolved) -> frozenset[str]:
    """Return the settings whose value changed, or whether the organisation decides on them."""

    def differs(name: str) -> bool:
        same_value = getattr(before.settings, name) == getattr(after.settings, name)
        return not same_value or before.locked(name) != after.locked(name)

    return frozenset(filter(differs, NAMES))
