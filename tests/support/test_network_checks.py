# SPDX-License-Identifier: EUPL-1.2
"""Self-tests of the network against real servers and proxies on loopback, by the transport that orders use."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from sithsapp.failures import Failure
from sithsapp.oob.proxy_route import Route, route_to
from sithsapp.oob.qt_transport import QtTransports
from sithsapp.support.checks.check import Action, Context, Outcome
from sithsapp.support.checks.network import ClockCheck, InspectionCheck, NetworkCheck, ProxyCheck
from sithsapp.support.checks.probe import MAX_SERVICES, Probes
from sithsapp.support.checks.tls_look import Look, look
from tests.oob.servers import ConnectProxy, LoopbackServer, Script, TlsCa, answer, serving
from tests.parts.settings import store_of
from tests.support.desk import StillSystem, context, run

pytestmark = pytest.mark.usefixtures("qapp")

HOST = "auth.example.test"
KEY = {"kty": "EC", "crv": "P-256", "kid": "k", "x": "A" * 43, "y": "A" * 43}


def service(origin: str, number: int = 0, environment: str = "test") -> dict[str, object]:
    names = {"sv": "Tjänst", "en": "Service"}
    return {
        "id": f"s{number}", "origin": origin, "display_name": names, "environment": environment, "order_keys": [KEY],
    }  # fmt: skip


def desk(
    tmp_path: Path,
    *origins: str,
    environment: str = "test",
    extra_ca: Path | None = None,
    roots: tuple[Path, ...] = (),
    variables: Mapping[str, str] | None = None,
    clock_ahead: timedelta = timedelta(0),
) -> Context:
    """Return a computer that trusts `extra_ca` and whose clock is `clock_ahead` of the right time."""
    services = [service(origin, number, environment) for number, origin in enumerate(origins)]
    names = [str(extra_ca)] if extra_ca is not None else []
    settings = store_of({"environment": environment, "services": services, "extra_ca": names})
    return context(
        tmp_path,
        settings=settings,
        system=StillSystem(roots=roots),
        transports=QtTransports([extra_ca] if extra_ca is not None else ()),
        environment=variables,
        clock=lambda: datetime.now(UTC) + clock_ahead,
    )


def dated(ahead: timedelta = timedelta(0)) -> Script:
    """Answer with a date that lies ahead of the right time."""
    return lambda seen: answer(200, b"ok", date=format_datetime(datetime.now(UTC) + ahead, usegmt=True))


@pytest.fixture
def tls_ca(tmp_path_factory: pytest.TempPathFactory) -> TlsCa:
    return TlsCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> TlsCa:
    return TlsCa(tmp_path_factory.mktemp("other"), "Other CA")


@pytest.fixture
def server(tls_ca: TlsCa) -> Iterator[LoopbackServer]:
    with serving(dated(), tls_ca.context("localhost")) as running:
        yield running


class TestNetwork:
    def test_a_service_that_answers(self, server: LoopbackServer, tls_ca: TlsCa, tmp_path: Path) -> None:
        result = run(NetworkCheck(Probes()), desk(tmp_path, server.origin, extra_ca=tls_ca.path))
        assert result.outcome is Outcome.OK
        assert "status 200" in result.details[0]

    @pytest.mark.parametrize("reply", [answer(404), answer(500), answer(302, location="https://elsewhere.example/")])
    def test_any_answer_is_an_answer(self, reply: bytes, tls_ca: TlsCa, tmp_path: Path) -> None:
        with serving(lambda seen: reply, tls_ca.context("localhost")) as running:
            result = run(NetworkCheck(Probes()), desk(tmp_path, running.origin, extra_ca=tls_ca.path))
        assert result.outcome is Outcome.OK

    def test_a_service_that_is_gone_is_named(self, server: LoopbackServer, tls_ca: TlsCa, tmp_path: Path) -> None:
        with serving(dated()) as gone:
            origin = f"https://localhost:{gone.port}"
        result = run(NetworkCheck(Probes()), desk(tmp_path, server.origin, origin, extra_ca=tls_ca.path))
        assert (result.outcome, result.failure) == (Outcome.PROBLEM, Failure.SERVICE_UNREACHABLE)
        assert "localhost" in str(result.sentence)

    def test_services_of_other_environments_are_left_alone(self, tmp_path: Path) -> None:
        with serving(dated()) as running:
            services = [service(running.origin, environment="demo")]
            settings = store_of({"environment": "test", "services": services})
            result = run(NetworkCheck(Probes()), context(tmp_path, settings=settings))
        assert running.connections == 0
        assert (result.outcome, result.action) == (Outcome.WARNING, Action.SHOW_SETTINGS)

    def test_all_network_tests_together_ask_once(self, server: LoopbackServer, tls_ca: TlsCa, tmp_path: Path) -> None:
        probes, place = Probes(), desk(tmp_path, server.origin, extra_ca=tls_ca.path)
        for check in (NetworkCheck(probes), ClockCheck(probes), ProxyCheck(probes)):
            run(check, place)
        assert len(server.seen) == 1

    def test_a_long_list_is_no_flood(self, tmp_path: Path) -> None:
        with serving(dated()) as running:
            place = desk(tmp_path, *[running.origin] * 12, environment="demo")
            assert len(Probes().all(place)) == MAX_SERVICES
        assert len(running.seen) == MAX_SERVICES

    def test_breaking_off_does_not_wait_for_a_server_that_says_nothing(self, tmp_path: Path) -> None:
        asked, over = threading.Event(), threading.Event()

        def hang(seen: object) -> None:
            asked.set()
            over.wait(60)

        with serving(hang) as running:
            place = desk(tmp_path, running.origin, environment="demo")
            found: list[object] = []
            thread = threading.Thread(target=lambda: found.extend(Probes().all(place)))
            thread.start()
            assert asked.wait(20)
            place.cancelled.set()
            thread.join(5)
            ended = not thread.is_alive()
            over.set()
            thread.join(20)
        assert ended
        assert len(found) == 1


class TestClock:
    @pytest.mark.parametrize(
        ("ahead", "outcome", "words"),
        [
            (timedelta(0), Outcome.OK, "right"),
            (timedelta(seconds=50), Outcome.OK, "right"),
            (timedelta(minutes=2), Outcome.WARNING, "2 minutes slow"),
            (timedelta(minutes=-3), Outcome.WARNING, "3 minutes fast"),
            (timedelta(hours=-3), Outcome.PROBLEM, "3 hours fast"),
            (timedelta(days=400), Outcome.PROBLEM, "slow"),
        ],
    )
    def test_against_the_services_date(self, ahead: timedelta, outcome: Outcome, words: str, tmp_path: Path) -> None:
        with serving(dated(ahead)) as running:
            result = run(ClockCheck(Probes()), desk(tmp_path, running.origin, environment="demo"))
        assert result.outcome is outcome
        assert words in str(result.sentence)

    def test_one_service_with_a_wrong_clock_is_outvoted(self, tmp_path: Path) -> None:
        with serving(dated()) as one, serving(dated()) as two, serving(dated(timedelta(days=1))) as wrong:
            place = desk(tmp_path, one.origin, two.origin, wrong.origin, environment="demo")
            assert run(ClockCheck(Probes()), place).outcome is Outcome.OK

    def test_a_certificate_out_of_its_dates_blames_the_clock(self, tls_ca: TlsCa, tmp_path: Path) -> None:
        context_ = tls_ca.context("localhost", from_days=-9, to_days=-2)
        with serving(dated(), context_) as running:
            place = desk(tmp_path, running.origin, extra_ca=tls_ca.path)
            assert run(ClockCheck(Probes()), place).failure is Failure.CLOCK_WRONG

    @pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Foo 2026 00:00:00 GMT", "1" * 500])
    def test_a_date_that_is_none_is_not_compared(self, date: str, tmp_path: Path) -> None:
        with serving(lambda seen: answer(200, b"ok", date=date)) as running:
            result = run(ClockCheck(Probes()), desk(tmp_path, running.origin, environment="demo"))
        assert result.outcome is Outcome.NOT_APPLICABLE


class TestProxy:
    @pytest.fixture
    def through(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ConnectProxy]]:
        """Proxies that the environment names; closed at the end."""
        made: list[ConnectProxy] = []
        yield made
        for proxy in made:
            proxy.server.close()

    def place(
        self, proxy: ConnectProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra_ca: Path | None = None
    ) -> Context:
        monkeypatch.setenv("https_proxy", proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        return desk(tmp_path, f"https://{HOST}", variables={"https_proxy": proxy.url}, extra_ca=extra_ca)

    def test_one_that_wants_a_log_in(
        self, through: list[ConnectProxy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        through.append(ConnectProxy({}, challenge='Basic realm="x"'))
        result = run(ProxyCheck(Probes()), self.place(through[0], tmp_path, monkeypatch))
        assert (result.outcome, result.failure) == (Outcome.PROBLEM, Failure.PROXY_FAILED)
        assert "log-in" in str(result.sentence)
        assert HOST in str(result.remedy)

    def test_one_that_refuses(
        self, through: list[ConnectProxy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        through.append(ConnectProxy({}, refuse=403))
        result = run(ProxyCheck(Probes()), self.place(through[0], tmp_path, monkeypatch))
        assert (result.outcome, result.failure) == (Outcome.PROBLEM, Failure.PROXY_FAILED)

    def test_one_that_lets_through_is_named(
        self, through: list[ConnectProxy], tls_ca: TlsCa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(dated(), tls_ca.context(HOST)) as running:
            through.append(ConnectProxy({f"{HOST}:443": running.port}))
            place = self.place(through[0], tmp_path, monkeypatch, tls_ca.path)
            result = run(ProxyCheck(Probes()), place)
            assert (result.outcome, f":{through[0].server.port}" in str(result.sentence)) == (Outcome.OK, True)
            seen = run(InspectionCheck(Probes()), place)
        assert "Test CA" in str(seen.sentence)  # looked at through the proxy too

    def test_credentials_in_the_proxys_address_are_not_shown(self, tmp_path: Path) -> None:
        assert str(Route("proxy.example", 8080)) == "HTTP proxy proxy.example:8080"
        variables = {"https_proxy": "http://anna:hemligt@proxy.example:8080"}
        route = route_to(HOST, 443, variables)
        assert "hemligt" not in str(route)
        assert (route.host, route.port) == ("proxy.example", 8080)

    def test_none(self, server: LoopbackServer, tls_ca: TlsCa, tmp_path: Path) -> None:
        result = run(ProxyCheck(Probes()), desk(tmp_path, server.origin, extra_ca=tls_ca.path))
        assert "No proxy" in str(result.sentence)


class TestInspection:
    def test_an_authority_that_nobody_trusts_is_named(
        self, server: LoopbackServer, other_ca: TlsCa, tmp_path: Path
    ) -> None:
        result = run(InspectionCheck(Probes()), desk(tmp_path, server.origin, extra_ca=other_ca.path))
        assert (result.outcome, result.failure) == (Outcome.PROBLEM, Failure.TLS_FAILED)
        assert "Test CA" in str(result.sentence)

    def test_an_authority_that_the_settings_name_is_expected(
        self, server: LoopbackServer, tls_ca: TlsCa, other_ca: TlsCa, tmp_path: Path
    ) -> None:
        place = desk(tmp_path, server.origin, extra_ca=tls_ca.path, roots=(other_ca.path,))
        assert run(InspectionCheck(Probes()), place).outcome is Outcome.OK

    def test_an_authority_that_was_added_to_the_computer_is_worth_a_look(
        self, server: LoopbackServer, tls_ca: TlsCa, other_ca: TlsCa, tmp_path: Path
    ) -> None:
        # Trusted by the transport, as an added authority is, but neither shipped nor named in the settings.
        trusting = desk(tmp_path, server.origin, roots=(other_ca.path,))
        place = Context(trusting.settings, trusting.cards, trusting.system, QtTransports([tls_ca.path]), tmp_path, {})
        result = run(InspectionCheck(Probes()), place)
        assert (result.outcome, result.failure) == (Outcome.WARNING, None)
        assert "Test CA" in str(result.sentence)

    def test_without_a_list_of_shipped_authorities_only_the_issuer_is_told(
        self, server: LoopbackServer, tls_ca: TlsCa, tmp_path: Path
    ) -> None:
        result = run(InspectionCheck(Probes()), desk(tmp_path, server.origin, extra_ca=tls_ca.path))
        assert result.outcome is Outcome.OK
        assert "Test CA" in str(result.sentence)

    def test_nothing_is_sent_while_looking(self, server: LoopbackServer, tls_ca: TlsCa) -> None:
        seen = look("localhost", server.port, Route(), (tls_ca.path,), ())
        assert seen == Look("Test CA", True)
        assert server.seen == []

    @pytest.mark.parametrize("garbage", [b"", b"HTTP/1.1 400 no\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 100])
    def test_a_server_that_speaks_no_tls_is_no_crash(self, garbage: bytes, tmp_path: Path) -> None:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(garbage)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            assert look("localhost", listener.getsockname()[1], Route(), (), ()) == Look()
            thread.join(10)

    def test_a_proxy_that_sends_without_end_is_left(self) -> None:
        endless = lambda seen: b"HTTP/1.1 200 ok\r\n" + b"x: y\r\n" * 20_000  # noqa: E731
        with serving(endless) as proxy:
            assert look(HOST, 443, Route("127.0.0.1", proxy.port), (), ()) == Look()
