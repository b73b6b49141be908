# SPDX-License-Identifier: EUPL-1.2
"""Which proxies lead to a server: the setting's, else the environment's, else the system's settings and PAC file.

Qt reads the registry and WPAD on Windows and the network settings on macOS. Its reading of the environment
knows lower-case names only, so that part is done here. The proxy is the only peer that is ever given
credentials: those in its own address, or the user's ticket (Negotiate, NTLM) from the system.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QUrl
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

from sithsapp.oob.proxy_address import ProxyAddress, configured_proxy

MAX_PROXIES = 4


def proxies_for(host: str, port: int, environment: Mapping[str, str], chosen: str = "system") -> list[QNetworkProxy]:
    """Return the proxies to try in order for a TLS server; a `NoProxy` entry means a direct connection.

    `chosen` is the setting `proxy`: an address or `none` goes before the environment and the system. Never empty and
    never a proxy for this computer itself. May block while the system fetches its PAC file.
    """
    try:
        address = configured_proxy(host, port, environment, chosen)
    except LookupError:
        return _of_the_system(host, port)
    return [QNetworkProxy(QNetworkProxy.ProxyType.NoProxy) if address is None else _in_qt(address)]


def _in_qt(address: ProxyAddress) -> QNetworkProxy:
    kind = QNetworkProxy.ProxyType.Socks5Proxy if address.socks else QNetworkProxy.ProxyType.HttpProxy
    return QNetworkProxy(kind, address.host, address.port, address.user, address.password)


def _of_the_system(host: str, port: int) -> list[QNetworkProxy]:
    query = QNetworkProxyQuery(QUrl(f"https://{host}:{port}/"))
    found = QNetworkProxyFactory.systemProxyForQuery(query)
    return list(found)[:MAX_PROXIES] or [QNetworkProxy(QNetworkProxy.ProxyType.NoProxy)]


def system_proxies(host: str, port: int) -> list[ProxyAddress | None]:
    """Return the proxies of the operating system for those who do not use Qt's sockets; None means a direct way.

    May block while the system fetches its PAC file.
    """
    return [_without_qt(each) for each in _of_the_system(host, port)]


def _without_qt(proxy: QNetworkProxy) -> ProxyAddress | None:
    if proxy.type() is QNetworkProxy.ProxyType.NoProxy:
        return None
    socks = proxy.type() is QNetworkProxy.ProxyType.Socks5Proxy
    return ProxyAddress(proxy.hostName(), proxy.port(), socks, proxy.user(), proxy.password())
