# SPDX-License-Identifier: EUPL-1.2
"""Fetches what certificates point to, from a person's computer: through its proxy, never to the computer itself.

A card's contents choose the addresses, so that a forged card must not make the app talk to programs on this
computer. SOCKS and proxies that demand a log-in are not supported.
"""

from __future__ import annotations

import ipaddress
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sithsapp.pki.fetching import Fetch, FetchError, Proxy, fetch
from sithsapp.settings.schema import Settings

SECONDS: Final = 30.0
"""How long one check may take, whatever the certificates' addresses do."""

_LOCAL_ENVIRONMENTS: Final = ("demo", "test")
"""Where certificates may lead to addresses on this computer."""

_PORTS: Final = {"http": 80, "https": 443}
_DEFAULT_PROXY_PORT: Final = 8080


FindProxy = Callable[[str, int], Proxy | None]
"""Tells the system's proxy for a host and port where the environment names none; raises `FetchError`."""


def fetch_by(
    settings: Settings, cancelled: threading.Event | None = None, find_proxy: FindProxy | None = None
) -> Fetch:
    """Return a `Fetch` for one check by the settings' environment and proxy."""
    local = settings.environment in _LOCAL_ENVIRONMENTS
    return client_fetch(allow_local=local, cancelled=cancelled, proxy=settings.proxy, find_proxy=find_proxy)


def client_fetch(
    *,
    allow_local: bool,
    cancelled: threading.Event | None = None,
    seconds: float = SECONDS,
    proxy: str = "system",
    find_proxy: FindProxy | None = None,
) -> Fetch:
    """Return a `Fetch` for one check on a person's computer.

    `allow_local` admits addresses on this computer, for test environments. Once `cancelled` is set or `seconds` have
    passed nothing more is fetched. `proxy` is `system`, `none` or an address.
    """
    return partial(_fetch, allow_local, cancelled, time.monotonic() + seconds, (proxy, find_proxy))


def _fetch(
    allow_local: bool,
    cancelled: threading.Event | None,
    deadline: float,
    way: tuple[str, FindProxy | None],
    url: str,
    body: bytes | None,
    timeout: float,
) -> bytes:
    timeout = min(timeout, deadline - time.monotonic())
    if timeout <= 0 or (cancelled is not None and cancelled.is_set()):
        raise FetchError("cancelled, or no time left")
    parts = _split(url)
    proxy = _proxy(*way, parts)
    if not allow_local and _is_local_name(parts.hostname or ""):
        raise FetchError("address of this computer")
    if allow_local or proxy is not None:
        return fetch(url, body, timeout, proxy=proxy)
    # The name may lead anywhere, and elsewhere each time it is looked up: what counts is who has answered.
    return fetch(url, body, timeout, may_ask=lambda address: not _is_local(address))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise FetchError("address")


def _proxy(choice: str, find: FindProxy | None, parts: SplitResult) -> Proxy | None:
    host = parts.hostname or ""
    if choice == "system":
        named_there = bool(urllib.request.getproxies().get(parts.scheme))
        if find is None or named_there or _is_local_name(host):
            return system_proxy(parts)
        return find(host, parts.port or _PORTS[parts.scheme])
    named = {} if choice == "none" else dict.fromkeys(_PORTS, choice)
    return system_proxy(parts, lambda: named, lambda _host: False)


def system_proxy(
    parts: SplitResult,
    proxies: Callable[[], dict[str, str]] = urllib.request.getproxies,
    bypass: Callable[[str], bool] = urllib.request.proxy_bypass,
) -> Proxy | None:
    """Return the proxy that the environment or the operating system names for an address, or None.

    Raises `FetchError` for one that cannot be used: never a direct way in its place.
    """
    address = proxies().get(parts.scheme)
    host = parts.hostname or ""
    if not address or bypass(host) or _is_local_name(host):
        return None
    try:
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        port = proxy.port or _DEFAULT_PROXY_PORT
    except ValueError:
        raise FetchError("proxy") from None
    if proxy.scheme != "http" or not proxy.hostname or proxy.username is not None:
        raise FetchError("proxy")
    return Proxy(proxy.hostname, port)


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or _is_local(host)


def _is_local(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast)
