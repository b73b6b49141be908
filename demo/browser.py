# SPDX-License-Identifier: EUPL-1.2
"""A browser of the demo's own: its profile, and the desktop entries that lead links to it and to the app.

The person's own browser, profile and default programs are not touched. `xdg-open` finds the entries because the
demo's processes run with their own XDG directories.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
_CHROMIUM_FLAGS = (
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--password-store=basic",
)


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser's command line for one profile; the address comes last."""

    command: tuple[str, ...]

    def open(self, url: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Open `url` in this profile; a running browser with the same profile takes it over."""
        return subprocess.Popen(  # noqa: S603 - the command is ours, the address goes as one argument
            [*self.command, url], env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def find_browser(profile: Path) -> Browser | None:
    """Return a browser on this machine with a profile in `profile`, or None if there is none that we can isolate."""
    for name in _CHROMIUM_NAMES:
        path = shutil.which(name)
        if path is not None:
            sandbox = ("--no-sandbox",) if os.getuid() == 0 else ()  # Chromium refuses its sandbox to root
            return Browser((path, f"--user-data-dir={profile}", *_CHROMIUM_FLAGS, *sandbox))
    path = shutil.which("firefox") or shutil.which("firefox-esr")
    if path is None:
        return None
    profile.mkdir(parents=True, exist_ok=True)
    return Browser((path, "--profile", str(profile)))


def make_default(browser: Browser, data_home: Path, config_home: Path) -> None:
    """Let links of the demo's processes open in `browser`: a desktop entry and the default for http.

    The command's words must be plain, as not every reader of the entry knows quotes.
    """
    applications = data_home / "applications"
    applications.mkdir(parents=True, exist_ok=True)
    config_home.mkdir(parents=True, exist_ok=True)
    command = " ".join(browser.command)
    entry = ["[Desktop Entry]", "Type=Application", "Name=Demo browser", f"Exec={command} %u", "NoDisplay=true"]
    schemes = [f"x-scheme-handler/{scheme}" for scheme in ("http", "https")]
    entry.append("MimeType=" + "".join(f"{scheme};" for scheme in schemes))
    (applications / "demo-browser.desktop").write_text("\n".join(entry) + "\n")
    with (config_home / "mimeapps.list").open("a") as defaults:
        defaults.write("[Default Applications]\n" + "".join(f"{s}=demo-browser.desktop\n" for s in schemes))
