# SPDX-License-Identifier: EUPL-1.2
"""The operating system's proxy for what certificates point to, as its settings and its PAC file say."""

from __future__ import annotations

from sithsapp.pki.fetching import FetchError, Proxy


def proxy_of_the_system(host: str, port: int) -> Proxy | None:
    """Return the first proxy for a server, None for a direct way. May block while the system fetches its PAC file.

    Raises `FetchError` for one that is SOCKS or demands a log-in: never a direct way in its place.
    """
    from sithsapp.oob.proxy import system_proxies

    first = system_proxies(host, port)[0]
    if first is None:
        return None
    if first.socks or first.user or not first.host:
        raise FetchError("proxy of another kind")
    return Proxy(first.host, first.port)
