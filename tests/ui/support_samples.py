# SPDX-License-Identifier: EUPL-1.2
"""Findings, logs and a report as the page "Help and logs" shows them, invented."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sithsapp.failures import Failure
from sithsapp.support.checks.check import Action, Check, Context, Outcome, Result, Said, failed, ok, said
from sithsapp.support.checks.suite import all_checks
from sithsapp.support.redaction import Redactor
from sithsapp.support.report.parts import PartKind, Report, text_part
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.catalogue import PAGES, Entry
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.services import Services
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.support.page import SupportPage
from sithsapp.ui.support.report_window import Collected, ReportWindow
from sithsapp.ui.support.text_window import TextWindow
from sithsapp.ui.theme import Theme
from tests.support.desk import context
from tests.ui import hosting

LOG = (
    "2026-11-28 08:14:02,101 INFO MainThread sithsapp.card.pcsc smart card service found (SUCCESS)\n"
    "2026-11-28 08:15:19,007 WARNING order sithsapp.oob.flow order ends: N403 SERVICE_UNREACHABLE: HostNotFound\n"
    "2026-11-28 08:15:27,940 DEBUG card worker sithsapp.card.iso7816 00A40400 -> 9000\n"
)
COMPUTER = "SITHS eID-app: 0.1.0\nsystem: Debian GNU/Linux 12\nreader: Gemalto USB Reader 00 00\n"
WORDS = (
    "computer.txt settings.txt certificates.txt log-tray.txt description.txt report.zip net-id Gemalto USB Reader",
    "Cannot reach the authentication service",
)
"""Names of files and of things outside of the app, and what support reads: the same in every language."""

DESCRIPTION = "Kalendern tappade min inloggning."


def results() -> list[tuple[Check, Result]]:
    """Return one finding of each kind, and one with all that a finding can have."""
    checks = {check.id: check for check in all_checks()}
    other = said("Another program ({name}) opens links that start with {scheme}:", name="net-id", scheme="siths")
    remedy = said("Keep it so if you log in with that program. Otherwise let this app open them.")
    return [
        (checks["service"], ok("The smart card service is running.")),
        (checks["reader"], ok("Found: {readers}", readers="Gemalto USB Reader 00 00")),
        (checks["network"], failed(Failure.SERVICE_UNREACHABLE)),
        (checks["scheme"], Result(Outcome.WARNING, other, remedy, Action.TAKE_SCHEME)),
        (
            checks["clock"],
            Result(Outcome.NOT_APPLICABLE, Said("No service has told the time, so the clock was not compared.")),
        ),
    ]


def log_directory() -> Path:
    """Return a private directory with a log, gone when the process ends."""
    directory = Path(_DIRECTORY.name)
    (directory / "tray.log").write_text(LOG)
    return directory


_DIRECTORY = tempfile.TemporaryDirectory(prefix="siths-log-")
atexit.register(_DIRECTORY.cleanup)


def page_window(theme: Theme, services: Services | None = None, directory: Path | None = None) -> MainWindow:
    """Return the main window with the page in front, over a log and a computer of the test's own."""
    place = directory or log_directory()

    def make(services: Services) -> MainPage:
        return SupportPage(services, directory=place, context=_context(place))

    entries = {**PAGES, Place.HELP: Entry(Icon.LIFEBUOY, PAGES[Place.HELP].name, make)}
    window = MainWindow(services or hosting.services(theme=theme), entries)
    window.open(Place.HELP)
    return window


def _context(directory: Path) -> Callable[[], Context]:
    return lambda: context(directory)


def support_page(window: MainWindow) -> SupportPage:
    """Return the page of `page_window`."""
    page = window.page(Place.HELP)
    assert isinstance(page, SupportPage)
    return page


def report() -> Report:
    """Return a report with a part of each kind."""
    parts = (
        text_part("computer.txt", PartKind.COMPUTER, COMPUTER),
        text_part("settings.txt", PartKind.SETTINGS, "language\n"),
        text_part("certificates.txt", PartKind.CERTIFICATES, "issuer\n"),
        text_part("log-tray.txt", PartKind.LOG, LOG),
    )
    return Report(datetime(2026, 11, 28, 9, 30), parts)


def collected() -> Collected:
    """Return what a report window collects."""
    return Collected(report(), Redactor())


def report_window(theme: Theme, state: str = "new", target: Path | None = None) -> ReportWindow:
    """Return the report's window: `new`, `preview` or `saved`."""
    place = target or log_directory() / "report.zip"
    window = ReportWindow(lambda: collected, theme, choose_path=lambda parent, name: place)
    window.open("N403")
    window.background.cancel()
    window._take(collected())
    window.box.setPlainText(DESCRIPTION)
    if state == "preview":
        window.show_preview.click()
    elif state == "saved":
        window.save.click()
    return window


def text_window(theme: Theme, title: str, text: str) -> TextWindow:
    """Return a window with a text to read."""
    window = TextWindow(theme)
    window.show_text(title, text)
    return window
