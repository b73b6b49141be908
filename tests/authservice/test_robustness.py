# SPDX-License-Identifier: EUPL-1.2
"""Failures of the service itself, slow clients, and the proxy attack on the whole site."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from authservice.app import create_app
from authservice.server import ServerThread, bind, port_of
from tests.authservice.demo_site import Site, sign_in_app
from tests.authservice.support import (
    RP_ORIGIN,
    SERVICE_ORIGIN,
    App,
    Bench,
    Holder,
    browser_of,
    make_bench,
    problem_code,
    quiet_client,
)


def test_failure_of_the_service_is_told_without_details(tmp_path: Path, holder: Holder) -> None:
    class BrokenJudge:
        def judge(self, *_arguments: object) -> Any:
            raise RuntimeError("TSTNMT2321000156-1A2B")

        judge_again = judge

    bench = make_bench(tmp_path, judge=BrokenJudge())
    with quiet_client(create_app(bench.context)) as http:
        bench.http = http
        app = App(http)
        app.claim(bench.create())
        answer = app.sign(holder)
        assert (answer.status_code, problem_code(answer)) == (503, "maintenance")
        assert "TSTNMT" not in answer.text


def test_slow_bodies_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P19."""
    monkeypatch.setattr("authservice.web.BODY_WITHIN", 0.05)
    bench = make_bench(tmp_path)
    bound = bind("127.0.0.1", 0)
    head = b"POST /rp/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nslow"
    with (
        ServerThread(create_app(bench.context), bound, "service"),
        socket.create_connection(("127.0.0.1", port_of(bound)), timeout=10) as slow,
    ):
        slow.sendall(head)
        assert slow.recv(100).startswith(b"HTTP/1.1 400 ")


def test_endless_heads_are_refused(tmp_path: Path) -> None:
    """P19."""
    bound = bind("127.0.0.1", 0)
    with (
        ServerThread(create_app(make_bench(tmp_path).context), bound, "service"),
        socket.create_connection(("127.0.0.1", port_of(bound)), timeout=10) as endless,
    ):
        endless.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000)
        assert endless.recv(100).startswith(b"HTTP/1.1 400 ")


def test_answers_do_not_wait_for_acknowledgements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_delay: list[int] = []

    class Spy(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            accepted = transport.get_extra_info("socket")
            without_delay.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            super().connection_made(transport)

    monkeypatch.setattr("uvicorn.protocols.http.h11_impl.H11Protocol", Spy)
    bound = bind("127.0.0.1", 0)
    with ServerThread(create_app(make_bench(tmp_path).context), bound, "service"):
        httpx.get(f"http://127.0.0.1:{port_of(bound)}/.well-known/oob-eid", trust_env=False)
    assert [bool(option) for option in without_delay] == [True]


def test_proxy_of_the_whole_site_gains_nothing(site: Site, bench: Bench, holder: Holder) -> None:
    """P2: the app returns to the registered origin, where the victim's browser holds no session."""
    with browser_of(site.app, RP_ORIGIN) as proxy, browser_of(site.app, RP_ORIGIN) as victim:
        page = proxy.post("/login", data={"how": "same"})
        _, address = sign_in_app(bench, page, holder)
        assert address.startswith(RP_ORIGIN + "/")
        assert victim.get(address).status_code == 403
        assert proxy.get("/me").url.path == "/"


def test_answers_are_not_compressed_nor_redirected(bench: Bench) -> None:
    answer = bench.http.get(f"{SERVICE_ORIGIN}/.well-known/oob-eid", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    slash = bench.http.post(f"{SERVICE_ORIGIN}/rp/v1/orders/", follow_redirects=False)
    assert slash.status_code == 404
