# SPDX-License-Identifier: EUPL-1.2
"""The pages of the main window, in the order of the navigation. A page's modules are imported at its first visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sithsapp.locale import tr
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.services import Services


class Entry(NamedTuple):
    """A page in the navigation: icon, name in the language in use, how it is made, and whether it is of use."""

    icon: Icon
    name: Callable[[], str]
    make: Callable[[Services], MainPage]
    is_of_use: Callable[[Services], bool] = lambda _services: True


def _overview(services: Services) -> MainPage:
    from sithsapp.ui.overview.page import OverviewPage

    return OverviewPage(services)


def _certificates(services: Services) -> MainPage:
    from sithsapp.ui.certificates.page import CertificatesPage

    return CertificatesPage(services)


def _programs(services: Services) -> MainPage:
    from sithsapp.ui.mtls.page import ProgramsPage

    assert services.lending is not None  # noqa: S101 - the page is offered only where there is one
    return ProgramsPage(services.lending, services.store)


def _settings(services: Services) -> MainPage:
    from sithsapp.ui.settings.page import SettingsPage

    return SettingsPage(services)


def _help(services: Services) -> MainPage:
    from sithsapp.ui.support.page import SupportPage

    return SupportPage(services)


PAGES: dict[Place, Entry] = {
    Place.OVERVIEW: Entry(Icon.HOME, lambda: tr("Overview"), _overview),
    Place.CERTIFICATES: Entry(Icon.CERTIFICATE, lambda: tr("Certificates"), _certificates),
    Place.PROGRAMS: Entry(
        Icon.PROGRAM, lambda: tr("Programs"), _programs, lambda services: services.lending is not None
    ),
    Place.SETTINGS: Entry(Icon.GEAR, lambda: tr("Settings"), _settings),
    Place.HELP: Entry(Icon.LIFEBUOY, lambda: tr("Help and logs"), _help),
}
"""What the navigation offers. A new page is a line here and a function above."""
