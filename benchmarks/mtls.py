# SPDX-License-Identifier: EUPL-1.2
"""The mTLS helper's data plane beside stunnel: the same nginx, the same key, in turns within one run.

wrk, proxy and nginx share the processors, so the processor time that the proxy itself uses is the figure that other
load disturbs least. `SITHS_MTLS_ROUNDS` and `SITHS_MTLS_SECONDS` change the number of rounds and their length.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks._mtls_stage import BULK_BYTES, Proxy, helper, missing, stage

ROUNDS = int(os.environ.get("SITHS_MTLS_ROUNDS", "3"))
SECONDS = int(os.environ.get("SITHS_MTLS_SECONDS", "2"))
_IDLE = 200
_CARD_SECONDS = 0.5
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_HEADINGS = (
    "requests/s, 16 connections",
    "CPU µs/request",
    "new connections/s, signed",
    "CPU ms each",
    "new connections/s, resumed",
    "their CPU ms each",
    "100 MB: MB/s",
    "CPU s/100 MB",
    "p99 ms, 200 idle beside",
    "RSS MiB, 200 idle",
)


@dataclass(slots=True)
class _Figures:
    """What was measured of one program, a value a round."""

    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _HEADINGS})

    def note(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def row(self) -> str:
        return " | ".join(_number(statistics.median(each)) if each else "" for each in self.values.values())


@dataclass(frozen=True, slots=True)
class _Wrk:
    """One run of wrk. `p99` in milliseconds."""

    requests: int
    per_second: float
    p99: float


def _wrk(port: int, connections: int, *extra: str) -> _Wrk:
    url = f"http://127.0.0.1:{port}/"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", *extra, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Socket errors: connect (\d+)|Non-2xx", text)
    if failed and failed[1] != "0":
        raise SystemExit(f"requests failed:\n{text}")
    value, unit = re.findall(r"99%\s+([0-9.]+)(us|ms|s)", text)[0]
    total = int(re.findall(r"(\d+) requests in", text)[0])
    return _Wrk(total, float(re.findall(r"Requests/sec:\s+([0-9.]+)", text)[0]), float(value) * _UNITS[unit])


def _keep_alive(proxy: Proxy, figures: _Figures) -> None:
    before = proxy.cpu_seconds()
    run = _wrk(proxy.port, 16)
    figures.note(_HEADINGS[0], run.per_second)
    figures.note(_HEADINGS[1], (proxy.cpu_seconds() - before) * 1e6 / run.requests)


def _new_connections(proxy: Proxy, figures: _Figures) -> None:
    for port, rate, cost in ((proxy.fresh, *_HEADINGS[2:4]), (proxy.port, *_HEADINGS[4:6])):
        if port:
            before = proxy.cpu_seconds()
            run = _wrk(port, 4, "-H", "Connection: close")
            figures.note(rate, run.per_second)
            figures.note(cost, (proxy.cpu_seconds() - before) * 1e3 / run.requests)


def _bulk(proxy: Proxy, figures: _Figures) -> None:
    buffer = bytearray(1 << 18)
    with _connected(proxy.port) as connection:
        before, began = proxy.cpu_seconds(), time.perf_counter()
        connection.sendall(_request(proxy.port, "/bulk"))
        received = 0
        while received < BULK_BYTES:
            count = connection.recv_into(buffer)
            if not count:
                raise SystemExit(f"{proxy.name}: the body is cut")
            received += count
        figures.note(_HEADINGS[6], BULK_BYTES / 1e6 / (time.perf_counter() - began))
        figures.note(_HEADINGS[7], proxy.cpu_seconds() - before)


def _with_idle(proxy: Proxy, figures: _Figures) -> None:
    idle: list[socket.socket] = []
    try:
        for _ in range(_IDLE):
            idle.append(_open(proxy.port))
            _ask(idle[-1], proxy.port)
        figures.note(_HEADINGS[8], _wrk(proxy.port, 1).p99)
        figures.note(_HEADINGS[9], proxy.resident())
    finally:
        for each in idle:
            each.close()


_MEASURES: tuple[Callable[[Proxy, _Figures], None], ...] = (_keep_alive, _new_connections, _bulk, _with_idle)


def _open(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    """Lend a connection that has already been used once, so that no handshake is measured."""
    with _open(port) as connection:
        _ask(connection, port)
        yield connection


def _request(port: int, path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


def _ask(connection: socket.socket, port: int) -> None:
    connection.sendall(_request(port))
    answer = b""
    while not answer.endswith(b"ok\n"):
        data = connection.recv(65536)
        if not data:
            raise SystemExit("no answer")
        answer += data


def _slow_card(directory: Path, server: int) -> None:
    """Print what a card of half a second costs those who wait for it, and those who do not."""
    with helper(directory, server, server, _CARD_SECONDS) as (_pid, raw, _http, signed):
        with _connected(signed) as established:
            stop = threading.Event()
            others = threading.Thread(target=_keep_signing, args=(signed, stop))
            others.start()
            times = sorted(_timed(established, signed) for _ in range(1500))
            stop.set()
            others.join()
        began = time.perf_counter()
        threads = [threading.Thread(target=lambda: _ask(_open(raw), raw)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        six = time.perf_counter() - began
    print(f"\n| with a card of {_CARD_SECONDS} s | measured | budget |\n|---|--:|--:|")
    print(f"| p99 of an established connection while others sign | {times[int(len(times) * 0.99)]:.2f} ms | 20 ms |")
    print(f"| its slowest of {len(times)} | {times[-1]:.2f} ms | |")
    print(f"| six parallel connections | {six:.2f} s | 0.55 s |")


def _keep_signing(port: int, stop: threading.Event) -> None:
    while not stop.is_set():
        with _connected(port):
            pass


def _timed(connection: socket.socket, port: int) -> float:
    """Ask once, as a person's program does now and then; return milliseconds."""
    threading.Event().wait(0.002)
    began = time.perf_counter()
    _ask(connection, port)
    return (time.perf_counter() - began) * 1000


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def main() -> None:
    """Print a row for each program, medians of the rounds, then the figures with a slow card."""
    reason = missing()
    if reason is not None:
        print(f"skipped: {reason}")
        return
    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as (server, proxies):
        figures = {proxy.name: _Figures() for proxy in proxies}
        for _ in range(ROUNDS):
            for measure in _MEASURES:
                for proxy in proxies:
                    measure(proxy, figures[proxy.name])
        print(f"| median of {ROUNDS} | {' | '.join(_HEADINGS)} |\n|---|{'--:|' * len(_HEADINGS)}")
        for proxy_name, each in figures.items():
            print(f"| {proxy_name} | {each.row()} |")
        _slow_card(Path(name), server)


if __name__ == "__main__":
    main()
