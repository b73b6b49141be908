# SPDX-License-Identifier: EUPL-1.2
"""What settings and environment say of the proxy that leads to a server. No Qt, nothing of the system is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_SOCKS_SCHEMES = ("socks5", "socks5h", "socks")
_HTTP_PORT, _SOCKS_PORT = 8080, 1080


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """An HTTP proxy, or a SOCKS 5 one. A host that is empty refuses everything: it could not be understood."""

    host: str
    port: int
    socks: bool = False
    user: str = ""
    password: str = field(default="", repr=False)


def configured_proxy(
    host: str, port: int, environment: Mapping[str, str], chosen: str = "system"
) -> ProxyAddress | None:
    """Return the proxy for a TLS server, None for a direct way; raises `LookupError` if the system is to be asked.

    `chosen` is the setting `proxy`: an address or `none` goes before the environment. Never a proxy for this computer
    itself.
    """
    if is_loopback(host) or chosen == "none":
        return None
    if chosen != "system":
        return parse_address(chosen)
    if bypasses(host, port, environment):
        return None
    address = _variable(environment, "https_proxy") or _variable(environment, "all_proxy")
    if not address:
        raise LookupError("neither settings nor environment say")
    return parse_address(address)


def parse_address(address: str) -> ProxyAddress:
    """Return the proxy at `address`; an unusable address becomes a proxy that refuses, never a direct way."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ProxyAddress("", 0)
    socks = parts.scheme in _SOCKS_SCHEMES
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return ProxyAddress(host, port or (_SOCKS_PORT if socks else _HTTP_PORT), socks, user, password)


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
