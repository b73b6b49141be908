# SPDX-License-Identifier: EUPL-1.2
"""Start the app: `sithsapp [--hidden] [--url URL]`.

A second start in the same session hands its link over and ends, before anything heavy is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sithsapp.card.service import CardService
    from sithsapp.desktop.single_instance import Alone, HandedOver, Instance, Message
    from sithsapp.failures import Failure, SithsError
    from sithsapp.settings.store import SettingsStore

_USAGE = "usage: sithsapp [--hidden] [--url URL] [--version]"
_WRONG_USAGE = 2


class _Options(NamedTuple):
    hidden: bool = False
    url: str | None = None
    version: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app, or hand over to the one that runs; return the exit code."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    if options is None:
        sys.stderr.write(f"{_USAGE}\n")
        return _WRONG_USAGE
    if options.version:
        return _print_version()
    refusal = _refuse_link(options.url)
    if refusal is not None:
        return refusal.exit_code if options.hidden else _show_refusal(refusal)
    from sithsapp.desktop.single_instance import HandedOver

    message = _message(options)
    claim = _claim(message)
    if isinstance(claim, HandedOver):
        return 0
    return _run(options, message, claim)


def _parse(arguments: Sequence[str]) -> _Options | None:
    options, rest = _Options(), list(arguments)
    while rest:
        match rest.pop(0):
            case "--hidden":
                options = options._replace(hidden=True)
            case "--version":
                options = options._replace(version=True)
            case "--url" if rest and options.url is None:
                options = options._replace(url=rest.pop(0))
            case _:
                return None
    return options


def _print_version() -> int:
    from sithsapp import __version__

    sys.stdout.write(f"{__version__}\n")
    return 0


def _refuse_link(url: str | None) -> Failure | None:
    """Return why a value is not a launch link, None for one that is; it is looked at before anything else."""
    if url is None:
        return None
    from sithsapp.failures import SithsError
    from sithsapp.oob.protocol.launch import parse_launch_url
    from sithsapp.settings.profile import URL_SCHEME

    try:
        parse_launch_url(URL_SCHEME, url)
    except SithsError as error:
        sys.stderr.write(f"{error}\n")
        _log_refusal(error)
        return error.failure
    return None


def _show_refusal(refusal: Failure) -> int:
    """Show why the link cannot be opened: in the app that runs, so that many bad links make one window, or here.

    The app is handed a link without anything in it, which it refuses in its turn: nothing of the bad one goes on.
    """
    from sithsapp.desktop.single_instance import Alone, HandedOver
    from sithsapp.settings.profile import URL_SCHEME

    claim = _claim(_message(_Options(url=f"{URL_SCHEME}:")))
    if isinstance(claim, HandedOver):
        return refusal.exit_code
    if not isinstance(claim, Alone):
        claim.close()
    _choose_language()
    return _show_failure(refusal)


def _choose_language() -> None:
    """Speak the language of the settings; ones that cannot be used are another start's matter."""
    from contextlib import suppress

    from sithsapp.desktop.paths import config_dir
    from sithsapp.failures import SithsError
    from sithsapp.locale import set_language
    from sithsapp.settings.store import open_store

    with suppress(SithsError):
        set_language(open_store(config_dir()).settings.language)


def _log_refusal(error: SithsError) -> None:
    """Leave a line for support: whoever opened the link sees no standard error."""
    import logging

    from sithsapp.desktop.paths import log_dir
    from sithsapp.support.log import start_logging

    start_logging(log_dir(), "link", "warning")
    logging.getLogger(__name__).warning("link refused: %s", error)


def _message(options: _Options) -> Message:
    from sithsapp.desktop.single_instance import MAX_TOKEN_LENGTH, Message

    token = os.environ.pop("XDG_ACTIVATION_TOKEN", "") or os.environ.pop("DESKTOP_STARTUP_ID", "")
    usable = len(token) <= MAX_TOKEN_LENGTH and all("!" <= sign <= "~" for sign in token)
    return Message(options.url, token if usable else "")


def _claim(message: Message) -> Instance | HandedOver | Alone:
    from sithsapp.desktop.single_instance import claim_or_hand_over

    return claim_or_hand_over(message)


def _run(options: _Options, message: Message, claim: Instance | Alone) -> int:
    """Run the tray role. What keeps the app from starting is shown in a window."""
    import logging

    from sithsapp.desktop.single_instance import Alone
    from sithsapp.failures import Failure, SithsError

    log = logging.getLogger(__name__)
    instance = None if isinstance(claim, Alone) else claim
    try:
        from sithsapp.ui.binding import skip_source_search

        skip_source_search()
        from sithsapp.ui.main_loop import run

        return run(lambda: _compose(claim), message, instance, hidden=options.hidden)
    except SithsError as error:
        log.error("cannot start: %s", error)
        return _show_failure(error.failure)
    except Exception:  # process boundary: a person who sees nothing starts the app again and again
        log.exception("cannot start")
        return _show_failure(Failure.UNKNOWN)
    finally:
        if instance is not None:
            instance.close()


def _compose(claim: Instance | Alone) -> tuple[SettingsStore, CardService]:
    import logging

    from sithsapp.desktop.single_instance import Alone

    store = _settings()
    if isinstance(claim, Alone):
        logging.getLogger(__name__).warning("running without single instance: %s", claim.why)
    from sithsapp.card.backends import reader_backends, token_source
    from sithsapp.card.service import CardService
    from sithsapp.desktop.paths import cache_dir, state_dir

    settings = store.settings
    cards = CardService(
        reader_backends(settings), cache_dir=cache_dir(), tokens=token_source(settings), state_dir=state_dir()
    )
    return store, cards


def _show_failure(failure: Failure) -> int:
    from sithsapp.ui.main_loop import show_failure

    return show_failure(failure)


def _settings() -> SettingsStore:
    """Load the settings, start the log and choose the language."""
    from sithsapp.desktop.paths import config_dir, log_dir
    from sithsapp.locale import set_language
    from sithsapp.settings.store import open_store
    from sithsapp.support.log import start_logging

    store = open_store(config_dir())
    start_logging(log_dir(), "tray", store.settings.log_level)
    set_language(store.settings.language)
    return store


if __name__ == "__main__":
    sys.exit(main())
