# SPDX-License-Identifier: EUPL-1.2
"""Which proxies lead to a server: the setting's, else the environment's, else the system's settings and PAC file.

Qt reads the registry and WPAD on Windows and the network settings on macOS. Its reading of the environment
knows lower-case names only, so that part is done here. The proxy is the only peer that is ever given
credentials: those in its own address, or the user's ticket (Negotiate, NTLM) from the system.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

MAX_PROXIES = 4
_SOCKS_SCHEMES = ("socks5", "socks5h", "socks")


def proxies_for(host: str, port: int, environment: Mapping[str, str], chosen: str = "system") -> list[QNetworkProxy]:
    """Return the proxies to try in order for a TLS server; a `NoProxy` entry means a direct connection.

    `chosen` is the setting `proxy`: an address or `none` goes before the environment and the system. Never empty and
    never a proxy for this computer itself. May block while the system fetches its PAC file.
    """
    if is_loopback(host) or chosen == "none":
        return [QNetworkProxy(QNetworkProxy.ProxyType.NoProxy)]
    if chosen != "system":
        return [_parse(chosen)]
    if bypasses(host, port, environment):
        return [QNetworkProxy(QNetworkProxy.ProxyType.NoProxy)]
    address = _from_environment(environment)
    if address is not None:
        return [_parse(address)]
    query = QNetworkProxyQuery(QUrl(f"https://{host}:{port}/"))
    found = QNetworkProxyFactory.systemProxyForQuery(query)
    return list(found)[:MAX_PROXIES] or [QNetworkProxy(QNetworkProxy.ProxyType.NoProxy)]


def is_loopback(host: str) -> bool:
    """Tell whether `host` names this computer."""
    return host in ("localhost", "::1") or host.startswith("127.")


def bypasses(host: str, port: int, environment: Mapping[str, str]) -> bool:
    """Tell whether `no_proxy` exempts the server: `*`, a host, a domain suffix, either with a port."""
    for entry in _variable(environment, "no_proxy").replace(" ", ",").split(","):
        name, _, wanted_port = entry.strip().lower().partition(":")
        if wanted_port and wanted_port != str(port):
            continue
        name = name.removeprefix("*").lstrip(".")
        if entry.strip() == "*" or (name and (host == name or host.endswith("." + name))):
            return True
    return False


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _from_environment(environment: Mapping[str, str]) -> str | None:
    return _variable(environment, "https_proxy") or _variable(environment, "all_proxy") or None


def _parse(address: str) -> QNetworkProxy:
    """Return the proxy at `address`; an unusable address becomes a proxy that refuses, never a direct way."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return QNetworkProxy(QNetworkProxy.ProxyType.HttpProxy, "", 0)
    socks = parts.scheme in _SOCKS_SCHEMES
    kind = QNetworkProxy.ProxyType.Socks5Proxy if socks else QNetworkProxy.ProxyType.HttpProxy
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return QNetworkProxy(kind, host, port or (1080 if socks else 8080), user, password)
