# SPDX-License-Identifier: EUPL-1.2
"""Try whether the authentication services can be reached, the way an order would: same proxy, same trust."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.messages import WELL_KNOWN_PATH
from sithsapp.oob.transport import HttpTransport, Request, RequestCancelled, Timeouts, TransportFactory
from sithsapp.settings.schema import DisplayName, Settings, TrustedService

_TIMEOUTS = Timeouts(connect=5.0, read=5.0)
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True)
class Reached:
    """One service, and what is in the way if it cannot be used."""

    name: DisplayName
    failure: Failure | None


class Attempt:
    """Tries the services of one moment's settings, in the calling thread. `cancel` may come from any other."""

    def __init__(self, settings: Settings, transports: TransportFactory) -> None:
        self._services = [each for each in settings.services if each.environment == settings.environment]
        self._transports = transports
        self._guard = threading.Lock()
        self._current: HttpTransport | None = None
        self._cancelled = False

    def run(self) -> Iterator[Reached]:
        """Yield one answer for each service; ends early after `cancel`. Never raises."""
        for service in self._services:
            try:
                failure = self._try(service)
            except RequestCancelled:
                return
            yield Reached(service.display_name, failure)

    def cancel(self) -> None:
        """End the attempt under way."""
        with self._guard:
            self._cancelled = True
            if self._current is not None:
                self._current.cancel()

    def _try(self, service: TrustedService) -> Failure | None:
        try:
            transport = self._begin(local_http=service.environment == "demo")
            try:
                answer = transport.request(Request("GET", service.origin + WELL_KNOWN_PATH), _TIMEOUTS)
            finally:
                self._end(transport)
        except SithsError as error:
            return error.failure
        except ValueError:  # an address that may not be called, such as one by number
            return Failure.SERVICE_UNREACHABLE
        return Failure.SERVICE_ERROR if answer.status >= _SERVER_ERRORS else None

    def _begin(self, *, local_http: bool) -> HttpTransport:
        transport = self._transports(local_http=local_http)
        with self._guard:
            self._current = transport
            if self._cancelled:
                raise RequestCancelled
        return transport

    def _end(self, transport: HttpTransport) -> None:
        with self._guard:
            self._current = None
        transport.close()


MakeAttempt = Callable[[Settings], Attempt]
