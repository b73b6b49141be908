# SPDX-License-Identifier: EUPL-1.2
"""Fetches what certificates point to, from a person's computer: through its proxy, never to the computer itself.

A card's contents choose the addresses, so that a forged card must not make the app talk to programs on this
computer. PAC files and proxies that demand a log-in are not supported.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sithsapp.pki.fetching import Fetch, FetchError, Proxy, fetch

_PORTS: Final = {"http": 80, "https": 443}
_DEFAULT_PROXY_PORT: Final = 8080


def client_fetch(*, allow_local: bool, cancelled: threading.Event | None = None) -> Fetch:
    """Return a `Fetch` for a person's computer.

    `allow_local` admits addresses on this computer, for test environments; once `cancelled` is set nothing more is
    fetched.
    """
    return partial(_fetch, allow_local, cancelled)


def _fetch(
    allow_local: bool, cancelled: threading.Event | None, url: str, body: bytes | None, timeout: float
) -> bytes:
    if cancelled is not None and cancelled.is_set():
        raise FetchError("cancelled")
    parts = _split(url)
    proxy = system_proxy(parts)
    if not allow_local:
        _refuse_this_computer(parts, resolve=proxy is None)
    return fetch(url, body, timeout, proxy=proxy)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise FetchError("address")


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


def _refuse_this_computer(parts: SplitResult, *, resolve: bool) -> None:
    host = parts.hostname or ""
    if _is_local_name(host):
        raise FetchError("address of this computer")
    if not resolve:
        return
    try:
        found = socket.getaddrinfo(host, parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchError("name") from None
    if any(_is_local(str(address[4][0])) for address in found):
        raise FetchError("address of this computer")


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or _is_local(host)


def _is_local(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast)
