# SPDX-License-Identifier: EUPL-1.2
"""From the settings store to what the settings page shows. Pure, without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.failures import SithsError
from sithsapp.locale import ngettext, tr
from sithsapp.settings import profile
from sithsapp.settings.store import SettingsStore
from sithsapp.ui import plain
from sithsapp.ui.elements import Notice, Severity
from sithsapp.ui.environment import environment_title

DONE_SECONDS = (3, 5, 10, 20, 0)
_DETAIL_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a choice: the setting's value and what it is called."""

    value: object
    label: str


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A setting that is on or off. `note` is a line beneath; a locked one cannot be changed."""

    name: str
    label: str
    on: bool
    locked: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A setting with one of several values; `current` is the position of the one in force."""

    name: str
    label: str
    options: tuple[Option, ...]
    current: int
    locked: bool
    note: str = ""


Row = SwitchRow | ChoiceRow


@dataclass(frozen=True, slots=True)
class Group:
    """Settings under one heading. `name` is the heading's place in the page, the same in all languages."""

    name: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class SettingsView:
    """The whole page: groups, and a notice where the user's file cannot be used."""

    groups: tuple[Group, ...]
    problem: Notice | None

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that the page shows."""
        return tuple(row.name for group in self.groups for row in group.rows)


def present_settings(store: SettingsStore, *, starts_itself: bool) -> SettingsView:
    """Return the page for what is in force. `starts_itself` tells whether the app starts at log-in now."""
    groups = (
        Group("general", "", _general(store, starts_itself)),
        Group("identification", tr("Identification and signing"), _identification(store)),
        Group("connection", tr("Connection"), _connection(store)),
        Group("cards", tr("Card readers and cards"), _cards(store)),
    )
    return SettingsView(groups, _problem(store.problems))


def present_failure(error: SithsError) -> Notice:
    """Return what is shown when a choice could not be saved."""
    number = tr("Error code {number}").format(number=error.failure.number)
    return Notice(Severity.ERROR, tr(error.failure.title), f"{tr(error.failure.remedy)} {number}.")


def _general(store: SettingsStore, starts_itself: bool) -> tuple[Row, ...]:
    same = tr("Same as the system")
    languages = (Option("system", same), Option("sv", "Svenska"), Option("en", "English"))
    themes = (Option("system", same), Option("light", tr("Light")), Option("dark", tr("Dark")))
    start = SwitchRow(
        "autostart", tr("Start when I log in to the computer"), starts_itself, store.locked("autostart")
    )
    return (
        _choice(store, "language", tr("Language"), languages),
        _choice(store, "theme", tr("Appearance"), themes),
        start,
        _switch(store, "tray_icon", tr("Show an icon in the notification area")),
        _switch(store, "expiry_reminder", tr("Remind me when the certificates are about to expire")),
    )


def _identification(store: SettingsStore) -> tuple[Row, ...]:
    seconds = store.settings.done_seconds
    waits = DONE_SECONDS if seconds in DONE_SECONDS else (seconds, *DONE_SECONDS)
    return (
        _switch(store, "on_top", tr("Put requests on top of other windows")),
        _switch(store, "keypad", tr("Show a keypad for touch screens")),
        _switch(store, "keypad_shuffled", tr("Shuffle the keypad's digits each time")),
        _switch(store, "allow_show_pin", tr("Allow showing the code while I type")),
        _switch(store, "allow_paste", tr("Allow pasting a code")),
        _switch(store, "clear_code_on_focus_loss", tr("Clear a typed code when I switch to another window")),
        _choice(store, "done_seconds", tr("Close the done window after"), tuple(map(_wait, waits))),
    )


def _wait(seconds: int) -> Option:
    if seconds == 0:
        return Option(0, tr("Never"))
    return Option(seconds, ngettext("{n} second", "{n} seconds", seconds).format(n=seconds))


def _connection(store: SettingsStore) -> tuple[Row, ...]:
    proxies = [Option("system", tr("System setting")), Option("none", tr("No proxy"))]
    if store.settings.proxy not in ("system", "none"):
        proxies.append(Option(store.settings.proxy, plain.line(store.settings.proxy, 64)))
    rows: list[Row] = [_choice(store, "proxy", tr("Proxy"), tuple(proxies))]
    if len(profile.ENVIRONMENTS) > 1:
        environments = tuple(Option(name, environment_title(name)) for name in profile.ENVIRONMENTS)
        note = tr("Applies from the next request.")
        rows.append(_choice(store, "environment", tr("Environment"), environments, note))
    return tuple(rows)


def _cards(store: SettingsStore) -> tuple[Row, ...]:
    label, note = tr("Read other cards through installed card software"), tr("Applies after the app has restarted.")
    return (_switch(store, "pkcs11", label, note),)


def _switch(store: SettingsStore, name: str, label: str, note: str = "") -> SwitchRow:
    return SwitchRow(name, label, bool(getattr(store.settings, name)), store.locked(name), note)


def _choice(store: SettingsStore, name: str, label: str, options: tuple[Option, ...], note: str = "") -> ChoiceRow:
    value = getattr(store.settings, name)
    current = next(number for number, option in enumerate(options) if option.value == value)
    return ChoiceRow(name, label, options, current, store.locked(name), note)


def _problem(problems: tuple[SithsError, ...]) -> Notice | None:
    if not problems:
        return None
    failure, detail = problems[0].failure, plain.line(problems[0].detail, _DETAIL_LIMIT)
    kept = tr("Your own settings are not in use. The file is kept beside the new one when you change a setting.")
    return Notice(Severity.WARNING, f"{tr(failure.title)} ({failure.number})", f"{kept} {detail}")
