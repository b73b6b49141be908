# SPDX-License-Identifier: EUPL-1.2
"""Trying whether the services can be reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QApplication

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.compose import late_transports
from sithsapp.oob.reach import Attempt
from sithsapp.oob.transport import Request, RequestCancelled, Response, Timeouts
from sithsapp.settings.schema import Settings
from tests.oob.servers import ConnectProxy, LoopbackServer, TlsCa, answer, serving

KEY = {"kty": "EC", "crv": "P-256", "kid": "k", "x": "A" * 43, "y": "A" * 43}


def _settings(*services: tuple[str, str, str]) -> Settings:
    listed = [
        {
            "id": name,
            "origin": origin,
            "environment": environment,
            "display_name": {"sv": name, "en": name},
            "order_keys": [KEY],
        }
        for name, origin, environment in services
    ]
    return msgspec.convert({"environment": "test", "services": listed}, Settings)


class Transport:
    """Answers by host."""

    def __init__(self, network: Network, local_http: bool) -> None:
        self._network, self.local_http = network, local_http
        self.cancelled = False

    def request(self, request: Request, timeouts: Timeouts = Timeouts()) -> Response:  # noqa: B008 # frozen
        self._network.asked.append((request.method, request.url, self.local_http))
        answer = self._network.answers[request.url.split("/")[2]]
        if isinstance(answer, BaseException):
            raise answer
        return Response(answer, {}, b"")

    def cancel(self) -> None:
        self.cancelled = True

    def close(self) -> None:
        self._network.closed += 1


class Network:
    """Makes transports."""

    def __init__(self, **answers: int | BaseException) -> None:
        self.answers = {name.replace("_", "."): answer for name, answer in answers.items()}
        self.asked: list[tuple[str, str, bool]] = []
        self.closed = 0

    def __call__(self, *, local_http: bool) -> Transport:
        return Transport(self, local_http)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (200, None),
        (404, None),  # an older service has no such page; it was reached all the same
        (503, Failure.SERVICE_ERROR),
        (SithsError(Failure.TLS_FAILED), Failure.TLS_FAILED),
        (SithsError(Failure.PROXY_FAILED), Failure.PROXY_FAILED),
    ],
)
def test_what_is_in_the_way_is_told(answer: int | SithsError, failure: Failure | None) -> None:
    network = Network(a_example=answer)
    (reached,) = Attempt(_settings(("a", "https://a.example", "test")), network).run()
    assert (reached.name.en, reached.failure) == ("a", failure)
    assert network.closed == 1


def test_only_services_of_the_environment_are_asked_and_nothing_is_sent() -> None:
    network = Network(a_example=200, b_example=200)
    settings = _settings(("a", "https://a.example", "test"), ("b", "https://b.example", "production"))
    assert [reached.name.en for reached in Attempt(settings, network).run()] == ["a"]
    ((method, url, local_http),) = network.asked
    assert (method, url.startswith("https://a.example/.well-known/"), local_http) == ("GET", True, False)


def test_a_cancelled_attempt_ends_without_an_answer() -> None:
    attempt = Attempt(_settings(("a", "https://a.example", "test")), Network(a_example=RequestCancelled()))
    assert list(attempt.run()) == []
    attempt = Attempt(_settings(("a", "https://a.example", "test")), Network(a_example=200))
    attempt.cancel()
    assert list(attempt.run()) == []


class TestRealTransport:
    """The way that an order takes: TLS, the trusted CAs, and the proxy that the setting names."""

    HOST = "auth.example.org"

    @pytest.fixture
    def origin(self, qapp: QApplication, tls_ca: TlsCa) -> Iterator[LoopbackServer]:
        with serving(lambda request: answer(404), tls_ca.context(self.HOST)) as server:
            yield server

    def _reach(self, origin: LoopbackServer, extra_ca: Sequence[Path], routes: dict[str, int]) -> Failure | None:
        proxy = ConnectProxy(routes)
        try:
            settings = msgspec.structs.replace(
                _settings(("a", f"https://{self.HOST}", "test")),
                proxy=f"http://localhost:{proxy.server.port}",
                extra_ca=tuple(map(str, extra_ca)),
            )
            (reached,) = Attempt(settings, late_transports(settings)).run()
        finally:
            proxy.server.close()
        return reached.failure

    def test_a_service_behind_the_chosen_proxy_is_reached(self, origin: LoopbackServer, tls_ca: TlsCa) -> None:
        assert self._reach(origin, [tls_ca.path], {f"{self.HOST}:443": origin.port}) is None
        assert [seen.method for seen in origin.seen] == ["GET"]

    def test_somebody_who_reads_the_traffic_is_told(self, origin: LoopbackServer, tls_ca: TlsCa) -> None:
        assert self._reach(origin, [], {f"{self.HOST}:443": origin.port}) is Failure.TLS_FAILED
        assert origin.seen == []

    def test_a_proxy_that_does_not_lead_there_is_told(self, origin: LoopbackServer, tls_ca: TlsCa) -> None:
        assert self._reach(origin, [tls_ca.path], {}) is Failure.PROXY_FAILED
