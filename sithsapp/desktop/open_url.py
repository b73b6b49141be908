# SPDX-License-Identifier: EUPL-1.2
"""Open a web address in the user's browser: one argument, no shell, web addresses only."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

from sithsapp.failures import Failure, SithsError

MAX_LENGTH = 4096
_EARLY_SECONDS = 2.0  # an opener that cannot open anything says so at once
_HTTPS = re.compile(r"https://[a-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]*)?")
_DEMO = re.compile(r"http://localhost(:[0-9]{1,5})?(/[!-~]*)?")
_XDG_OPEN = (Path("/usr/bin/xdg-open"), Path("/usr/local/bin/xdg-open"))


def open_url(url: str, *, allow_local: bool = False) -> None:
    """Open `url` in the default browser.

    `allow_local` admits http://localhost, which the demo environment alone uses. Raises
    `SithsError(RETURN_ADDRESS_REFUSED)` for anything that is not a plain web address, `BROWSER_NOT_OPENED` if
    there is no way to open one.
    """
    if not is_openable(url, allow_local=allow_local):
        raise SithsError(Failure.RETURN_ADDRESS_REFUSED, "not a web address that may be opened")
    if sys.platform == "win32":
        _start_file(url)
    else:
        run_opener([str(opener(Failure.BROWSER_NOT_OPENED)), url], Failure.BROWSER_NOT_OPENED)


def _start_file(url: str) -> None:
    if sys.platform == "win32":
        try:
            os.startfile(url)  # noqa: S606 # no shell; the address is checked by the caller
        except OSError as error:
            raise SithsError(Failure.BROWSER_NOT_OPENED, "no program for web addresses") from error


def is_openable(url: str, *, allow_local: bool = False) -> bool:
    """Tell whether `url` is an https address in plain ASCII, without user name and of bounded length."""
    if len(url) > MAX_LENGTH:
        return False
    return bool(_HTTPS.fullmatch(url) or (allow_local and _DEMO.fullmatch(url)))


def opener(failure: Failure) -> Path:
    """Return the desktop's program that opens addresses and files; raises `SithsError(failure)` for none."""
    candidates = (Path("/usr/bin/open"),) if sys.platform == "darwin" else _XDG_OPEN
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise SithsError(failure, "no program to open it with")
    return found


def run_opener(command: list[str], failure: Failure) -> None:
    """Start a program that shows something; raises `SithsError(failure)` if it ends at once with an error."""
    try:
        process = subprocess.Popen(  # noqa: S603 # absolute program, one checked argument, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise SithsError(failure, f"{command[0]}: {error.strerror}") from error
    try:
        status = process.wait(_EARLY_SECONDS)
    except subprocess.TimeoutExpired:
        # The opener has become the browser; somebody has to take its exit status in the end.
        threading.Thread(target=process.wait, name="open-url", daemon=True).start()
        return
    if status != 0:
        raise SithsError(failure, f"{command[0]} ended with {status}")
