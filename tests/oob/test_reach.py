# SPDX-License-Identifier: EUPL-1.2
"""Trying whether the services can be reached."""

from __future__ import annotations

import msgspec
import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.reach import Attempt
from sithsapp.oob.transport import Request, RequestCancelled, Response, Timeouts
from sithsapp.settings.schema import Settings

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
