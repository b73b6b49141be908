# SPDX-License-Identifier: EUPL-1.2
"""Self-tests of the app's own places: log folder, disk, settings."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from sithsapp.failures import Failure
from sithsapp.support.checks.check import Action, Context, Outcome, Result, Said, _, ok, said

_MEGABYTE = 1_000_000
_LITTLE, _TOO_LITTLE = 200 * _MEGABYTE, 20 * _MEGABYTE
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class LogFolderCheck:
    """Whether the log is written, and nobody else's to read."""

    id, title = "log_folder", _("Log folder")

    def run(self, context: Context) -> Result:
        """Look at the folder's owner, mode and files."""
        directory = context.log_directory
        if not directory.is_dir() or not os.access(directory, os.W_OK | os.X_OK):
            remedy = said(_("Contact local IT: the app must be able to write in its log folder."))
            return Result(Outcome.PROBLEM, said(_("The log cannot be written.")), remedy)
        if os.name == "posix" and directory.stat().st_mode & _OTHERS:
            sentence = said(_("Others on this computer can read the log."))
            return Result(Outcome.WARNING, sentence, said(_("Make the log folder private.")), Action.MAKE_LOG_PRIVATE)
        return ok(_("The log is written and private."))


def make_private(directory: Path) -> None:
    """Keep others out of the log folder; raises `OSError`."""
    directory.chmod(0o700)


class DiskCheck:
    """Whether there is room for the log and a report."""

    id, title = "disk", _("Disk space")

    def run(self, context: Context) -> Result:
        """Look at the disk that the log is on."""
        directory = next(each for each in (context.log_directory, *context.log_directory.parents) if each.is_dir())
        free = shutil.disk_usage(directory).free
        size = f"{free / 1000 / _MEGABYTE:.1f} GB"
        if free >= _LITTLE:
            return ok(_("{size} free."), size=size)
        outcome = Outcome.PROBLEM if free < _TOO_LITTLE else Outcome.WARNING
        return Result(outcome, said(_("Only {size} free."), size=size), said(_("Make room on the disk.")))


class SettingsCheck:
    """Whether all settings could be used."""

    id, title = "settings", _("Settings files")

    def run(self, context: Context) -> Result:
        """Look at what was wrong when they were read."""
        problems = context.settings.problems
        if not problems:
            return ok(_("All settings are in use."))
        failure = Failure.SETTINGS_INVALID
        details = tuple(problem.detail for problem in problems)
        sentence = said(_("Your own settings were left out: {why}"), why=details[0])
        return Result(Outcome.WARNING, sentence, Said(failure.remedy), Action.SHOW_SETTINGS, failure, details)
