# SPDX-License-Identifier: EUPL-1.2
"""What the pages of the main window may use of the app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sithsapp.card.model import CardId
    from sithsapp.card.service import CardService
    from sithsapp.failures import Failure
    from sithsapp.settings.store import SettingsStore
    from sithsapp.support.state import AppState
    from sithsapp.ui.codes.task import Wish
    from sithsapp.ui.holder import Describe
    from sithsapp.ui.main.place import Place
    from sithsapp.ui.mtls.lending import Lending
    from sithsapp.ui.theme import Theme


@dataclass(slots=True)
class Services:
    """One for the whole app; `state` is replaced when it changes.

    `go` brings a page of the main window to the front, `theme` returns the theme of this moment, `reread` has the
    active card read anew, `describe` tells of a certificate's holder, `manage_code` opens the window that changes or
    unlocks a code. `lending` is there once the settings name servers that programs reach with the card. `report`
    opens the error report about a failure number, which may be empty. `protect` is called before a code is asked for:
    from then on a locked screen is noticed, and told by `MainPage.session_left`. `is_first_time` tells once that the
    app is new here. `service_tried` takes how a test of the connection ended.
    """

    store: SettingsStore
    cards: CardService
    state: AppState
    describe: Describe
    theme: Callable[[], Theme]
    go: Callable[[Place], None]
    reread: Callable[[], None]
    manage_code: Callable[[Wish, CardId | None], None]
    lending: Lending | None = None
    report: Callable[[str], None] = field(default=lambda number: None)
    protect: Callable[[], None] = field(default=lambda: None)
    is_first_time: Callable[[], bool] = field(default=lambda: False)
    service_tried: Callable[[Failure | None], None] = field(default=lambda failure: None)
