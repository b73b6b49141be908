# SPDX-License-Identifier: EUPL-1.2
"""Every window and page in every state that looks different, for the tests of the look and for the pictures.

A new state is one more line in `GALLERY`: its name ("window/state") and a function that takes a theme and returns
the widget, shown, in that state. `look.py` then draws it in all languages, themes and text sizes, and
`python -m docs.screenshots` can use it. Texts that come from outside are invented in `samples.py`; words that stand
on the screen in every language and are found nowhere else go into `UNTRANSLATED`.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache, partial
from weakref import WeakKeyDictionary

import msgspec
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from sithsapp.card.model import CardsState
from sithsapp.failures import Failure
from sithsapp.locale import tr
from sithsapp.mtls.interaction import CardWanted
from sithsapp.support.state import AppState, OrderPhase, ServiceHealth, app_state, with_order, with_service
from sithsapp.ui.certificates.deleting import DeleteWindow
from sithsapp.ui.certificates.page import CertificatesPage
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.mtls.window import ConsentWindow
from sithsapp.ui.support.presenter import accessibility_text
from sithsapp.ui.theme import Theme
from sithsapp.ui.tray.tray import Tray
from tests.ui import (
    certificate_samples,
    codes_samples,
    hosting,
    mtls_samples,
    samples,
    settings_samples,
    support_samples,
)
from tests.ui.pointing import button, order_window, settle

Factory = Callable[[Theme], QWidget]

UNTRANSLATED = frozenset({"Svenska", "English", "Ctrl"})
_OWNERS: WeakKeyDictionary[QWidget, QObject] = WeakKeyDictionary()


def _order(name: str, theme: Theme) -> QWidget:
    window = order_window(theme)
    window.show_view(samples.views()["opening"])
    window.show_view(samples.views()[name])
    settle(window)
    return window


def _main(place: Place, name: str, theme: Theme) -> QWidget:
    """Show a page of the main window for one state of the cards."""
    services = hosting.services(theme=theme)
    services.state = _state(name)
    window = MainWindow(services)
    window.open(place)
    return window


def _welcome(step: int, theme: Theme) -> QWidget:
    """Show the guide that is seen once."""
    services = hosting.services(theme=theme)
    services.is_first_time = lambda: True
    window = MainWindow(services)
    window.open(Place.OVERVIEW)
    for _ in range(step):
        button(window, tr("Next")).click()
    return window


def _known_service(health: ServiceHealth, theme: Theme) -> QWidget:
    """Show the overview with what an order said of the service."""
    services = hosting.services(theme=theme)
    services.state = with_service(services.state, health, "1.2.3")
    window = MainWindow(services)
    window.open(Place.OVERVIEW)
    return window


def _state(name: str) -> AppState:
    cards, ends = samples.card_states()[name]
    return app_state(cards, lambda _credential: ends, samples.TODAY)


def _tray_menu(name: str, _theme: Theme) -> QWidget:
    tray = Tray()
    tray.retranslate("system")
    phase = OrderPhase.WAITING if name == "ready" else OrderPhase.NONE
    tray.show_state(with_order(_state(name), phase), environment="Test")
    tray._menu.popup(tray._menu.pos())
    _OWNERS[tray._menu] = tray
    return tray._menu


def _card_wanted(name: str, theme: Theme) -> QWidget:
    window = ConsentWindow(samples.describe, theme)
    wanted = CardWanted(mtls_samples.PURPOSE, Failure.NO_CARD, time.monotonic() + 60)
    window.show_card_wanted(wanted, samples.EMPTY if name == "no-card" else CardsState())
    settle(window)
    return window


def _consent(name: str, theme: Theme) -> QWidget:
    window = ConsentWindow(samples.describe, theme, environment="Test", session_seconds=3600)
    if name == "locked":
        window.show_request(mtls_samples.request())
        window.show_working()
        window.show_end(Failure.PIN_LOCKED)
    else:
        window.show_request(mtls_samples.requests()[name])
    settle(window)
    return window


def _certificates(name: str, theme: Theme) -> QWidget:
    cards = samples.EMPTY if name == "nothing" else certificate_samples.usual()
    services = hosting.services(cards, theme=theme)
    window = MainWindow(services)
    window.open(Place.CERTIFICATES)
    page = window.page(Place.CERTIFICATES)
    assert isinstance(page, CertificatesPage)
    certificate_samples.show(page, name)
    return window


def _deletion(name: str, theme: Theme) -> QWidget:
    window = DeleteWindow(certificate_samples.NoCards(), samples.describe, theme)
    window.ask(certificate_samples.deletions()[name])
    settle(window)
    return window


def _programs(name: str, theme: Theme) -> QWidget:
    services = hosting.services(theme=theme)
    services.lending = mtls_samples.lendings()[name]
    window = MainWindow(services)
    window.open(Place.PROGRAMS)
    return window


def _support(name: str, theme: Theme) -> QWidget:
    window = support_samples.page_window(theme)
    if name == "tested":
        support_samples.support_page(window).self_test.show_results(support_samples.results())
    return window


def _accessibility(theme: Theme) -> QWidget:
    return support_samples.text_window(theme, tr("Accessibility"), accessibility_text())


def _report(name: str, theme: Theme) -> QWidget:
    return support_samples.report_window(theme, name)


GALLERY: Mapping[str, Factory] = {
    **{f"codes/{name}": partial(codes_samples.window, name) for name in codes_samples.VIEWS},
    "codes/change-keypad": partial(codes_samples.window, "change", policy=EntryPolicy(keypad=True)),
    **{f"order/{name}": partial(_order, name) for name in samples.views()},
    **{f"overview/{name}": partial(_main, Place.OVERVIEW, name) for name in samples.card_states()},
    **{f"overview/welcome-{step}": partial(_welcome, step) for step in range(3)},
    "overview/offline": partial(_known_service, ServiceHealth.OFFLINE),
    "overview/update-advised": partial(_known_service, ServiceHealth.ADVISES_UPDATE),
    "overview/update": partial(_known_service, ServiceHealth.REFUSES_VERSION),
    **{f"consent/{name}": partial(_card_wanted, name) for name in ("no-card", "no-reader")},
    **{f"consent/{name}": partial(_consent, name) for name in (*mtls_samples.requests(), "locked")},
    **{f"certificates/{name}": partial(_certificates, name) for name in certificate_samples.STATES},
    **{f"deletion/{name}": partial(_deletion, name) for name in ("auth", "last")},
    **{f"programs/{name}": partial(_programs, name) for name in mtls_samples.lendings()},
    **{f"settings/{name}": partial(settings_samples.window, name) for name in settings_samples.STATES},
    **{f"support/{name}": partial(_support, name) for name in ("page", "tested")},
    **{f"report/{name}": partial(_report, name) for name in ("new", "preview", "saved")},
    "support/accessibility": _accessibility,
    **{f"tray/{name}": partial(_tray_menu, name) for name in ("ready", "no-reader")},
}


@cache
def outside_words() -> frozenset[str]:
    """Return the words that may stand on the screen though no catalogue has them."""
    programs = (mtls_samples.requests(), mtls_samples.SESSION, mtls_samples.OPEN_ONLY)
    targets = (mtls_samples.TARGET, mtls_samples.LIMITED, mtls_samples.BROWSER)
    support = (support_samples.LOG, support_samples.COMPUTER, support_samples.DESCRIPTION, support_samples.WORDS)
    invented = (samples.views(), samples.card_states(), samples.HOLDER, programs, targets, support)
    texts = (*_strings(invented), *certificate_samples.words(), *settings_samples.words())
    words = {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", text)}
    return frozenset(words | UNTRANSLATED)


def _strings(value: object) -> Iterator[str]:
    """Yield every text in dicts, tuples, dataclasses and messages, at any depth; a failure's texts are our own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Enum):
        return
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _strings(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _strings(each))
    elif dataclasses.is_dataclass(value):
        yield from (text for field in dataclasses.fields(value) for text in _strings(getattr(value, field.name)))
    elif isinstance(value, msgspec.Struct):
        yield from (text for name in value.__struct_fields__ for text in _strings(getattr(value, name)))
