# SPDX-License-Identifier: EUPL-1.2
"""The way to a server as a person may read it: direct or by which proxy, without credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """`host` None means a direct connection; `socks` a SOCKS proxy."""

    host: str | None = None
    port: int = 0
    socks: bool = False

    def __str__(self) -> str:
        """Return `direct`, or the proxy's kind, host and port."""
        if self.host is None:
            return "direct"
        return f"{'SOCKS' if self.socks else 'HTTP'} proxy {self.host}:{self.port}"


def route_to(host: str, port: int, environment: Mapping[str, str], chosen: str = "system") -> Route:
    """Return the first way that an HTTP transport would try; `chosen` is the setting `proxy`.

    May block while the system fetches its PAC file.
    """
    from PySide6.QtNetwork import QNetworkProxy

    from sithsapp.oob.proxy import proxies_for

    first = proxies_for(host, port, environment, chosen)[0]
    if first.type() is QNetworkProxy.ProxyType.NoProxy:
        return Route()
    return Route(first.hostName(), first.port(), first.type() is QNetworkProxy.ProxyType.Socks5Proxy)
