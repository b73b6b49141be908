# SPDX-License-Identifier: EUPL-1.2
"""Runs ASGI applications with uvicorn, in this thread or in one of their own."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.applications import Starlette

logger = logging.getLogger(__name__)

_START_WITHIN: Final = 15.0
_STOP_WITHIN: Final = 10.0
_LARGEST_HEAD: Final = 16 * 1024


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 lets the system choose. Raises `OSError` if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it each answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def port_of(bound: socket.socket) -> int:
    """Return the port of a bound socket."""
    return int(bound.getsockname()[1])


def serve(app: Starlette, bound: socket.socket, trusted_proxies: Sequence[str] = ()) -> None:
    """Serve until the process is told to end. TLS is the business of a reverse proxy in front."""
    _SignallingServer(_config(app, trusted_proxies)).run(sockets=[bound])


class ServerThread:
    """Serves an application in a thread until `close`."""

    def __init__(self, app: Starlette, bound: socket.socket, name: str) -> None:
        """Start, and return when requests are answered. Raises `RuntimeError` when that does not come about."""
        self._server = _SignallingServer(_config(app, ()))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [bound]}, name=name, daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_START_WITHIN):
            self.close()
            raise RuntimeError(f"{name} did not start")

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.should_exit = True
        self._thread.join(_STOP_WITHIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class _SignallingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            logger.info("answering requests")
            self.ready.set()


def _config(app: Starlette, trusted_proxies: Sequence[str]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # addresses of requests hold order references and verifiers
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies) or None,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
        ws="none",
        http="h11",
    )
