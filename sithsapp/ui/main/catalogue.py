# SPDX-License-Identifier: EUPL-1.2
"""The pages of the main window, in the order of the navigation. A page's modules are imported at its first visit."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from sithsapp.locale import tr
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.services import Services


class Place(Enum):
    """Where a person can go in the main window."""

    OVERVIEW = "overview"
    CERTIFICATES = "certificates"
    SETTINGS = "settings"
    HELP = "help"


class Entry(NamedTuple):
    """A page in the navigation: its icon, its name in the language in use, and how it is made."""

    icon: Icon
    name: Callable[[], str]
    make: Callable[[Services], MainPage]


def _overview(services: Services) -> MainPage:
    from sithsapp.ui.overview.page import OverviewPage

    return OverviewPage(services)


PAGES: dict[Place, Entry] = {
    Place.OVERVIEW: Entry(Icon.HOME, lambda: tr("Overview"), _overview),
}
"""What the navigation offers. A new page is a line here and a function above."""
