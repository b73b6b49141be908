# SPDX-License-Identifier: EUPL-1.2
"""Wires an order's flow to the settings, the cards and the network: once, for tray and command line alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from sithsapp import __version__
from sithsapp.oob.client import OrderStart, http_clients, this_app
from sithsapp.oob.flow import OrderFlow
from sithsapp.oob.interaction import UserInteraction
from sithsapp.oob.transport import HttpTransport, TransportFactory
from sithsapp.oob.work import Cards, FlowParts
from sithsapp.settings.schema import Settings


class OrderFlows:
    """Makes the flow of each order. One object for a process: it reads the trusted CAs once."""

    def __init__(self, settings: Settings, cards: Cards, open_url: Callable[[str], None], language: str) -> None:
        """Use `cards` for signatures and `open_url` for the way back; `language` is `sv` or `en`.

        Call from the main thread. A process without a Qt application (the command line) gets the core one, which
        the HTTP transport needs.
        """
        self._application = QCoreApplication.instance() or QCoreApplication([])
        app = this_app(__version__)
        clients = http_clients(_LateTransports(settings), app)
        self._parts = FlowParts(settings.service, clients, cards, open_url, app, language)

    def new(self, start: OrderStart, interaction: UserInteraction) -> OrderFlow:
        """Return the flow of one order, not yet started."""
        return OrderFlow(start, self._parts, interaction)


def late_transports(settings: Settings) -> TransportFactory:
    """Return what makes transports as orders use them; call from the main thread, as `OrderFlows`.

    Whoever uses them keeps the process's Qt application alive: `QCoreApplication.instance()` is made here at need.
    """
    global _core_application
    _core_application = QCoreApplication.instance() or QCoreApplication([])
    return _LateTransports(settings)


_core_application: QCoreApplication | None = None


class _LateTransports:
    """Loads Qt's network library in the first order's own thread, so that the window need not wait for it."""

    def __init__(self, settings: Settings) -> None:
        self._extra_ca, self._proxy = [Path(name) for name in settings.extra_ca], settings.proxy
        self._lock = threading.Lock()
        self._transports: TransportFactory | None = None

    def __call__(self, *, local_http: bool) -> HttpTransport:
        with self._lock:
            if self._transports is None:
                from sithsapp.oob.qt_transport import QtTransports

                self._transports = QtTransports(self._extra_ca, self._proxy)
        return self._transports(local_http=local_http)
