# SPDX-License-Identifier: EUPL-1.2
"""The proxy auto-configuration file: listed servers by the local proxy and never around it, all else as before."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.proxy_address import configured_proxy, is_loopback
from sithsapp.settings.schema import MtlsBrowser

CONTENT_TYPE: Final = "application/x-ns-proxy-autoconfig"
_ANY_SERVER: Final = "any.invalid"
_PLACE: Final = re.compile(r"[A-Za-z0-9.-]{1,253}:[1-9][0-9]{0,4}")
_LARGEST: Final = 512 * 1024
_TEXT: Final = """\
// Made by SITHS eID-app. Listed servers are reached with the card.
var sithsServers = %(servers)s;
var sithsOtherwise = %(otherwise)s;
function FindProxyForURL(url, host) {
  var found = /^(?:https|wss):\\/\\/(?:[^\\/?#@]*@)?([^\\/?#:]+)(?::([0-9]+))?(?:[\\/?#]|$)/i.exec(url);
  var server = found ? found[1].toLowerCase() + ":" + (found[2] || "443") : "";
  if (sithsServers.indexOf(server) >= 0) {
    return "PROXY 127.0.0.1:%(port)d";
  }
  return sithsOtherwise(url, host);
}
"""


def pac_text(servers: Iterable[tuple[str, int]], port: int, otherwise: str) -> str:
    """Return the file for `servers` (host, port), the proxy's own port, and `way_otherwise`'s function."""
    listed = json.dumps([f"{host}:{number}" for host, number in servers])
    return _TEXT % {"servers": listed, "port": port, "otherwise": otherwise}


def way_otherwise(settings: MtlsBrowser, proxy: str, own_port: int) -> str:
    """Return a JavaScript function that tells the way to all other servers.

    Without word in the settings it is the app's own way: `proxy` is as in `Settings`, and never the proxy at
    `own_port`. Raises `SithsError(SETTINGS_INVALID)` for a PAC file of the organisation's that cannot be read.
    """
    if settings.pac_file is None:
        return f"function () {{ return {json.dumps(settings.otherwise or _own_way(proxy, own_port))}; }}"
    return f"(function () {{\n{_read(Path(settings.pac_file))}\nreturn FindProxyForURL; }})()"


def _own_way(proxy: str, own_port: int) -> str:
    try:
        way = configured_proxy(_ANY_SERVER, 443, os.environ, proxy)
    except LookupError:
        return "DIRECT"
    if way is None or (is_loopback(way.host) and way.port == own_port):
        return "DIRECT"
    place = f"{way.host}:{way.port}"
    if not _PLACE.fullmatch(place):
        return "DIRECT"
    return f"SOCKS5 {place}; SOCKS {place}" if way.socks else f"PROXY {place}"


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise SithsError(Failure.SETTINGS_INVALID, f"{path}: no PAC file can be read") from error
    if len(content) > _LARGEST or "FindProxyForURL" not in text:
        raise SithsError(Failure.SETTINGS_INVALID, f"{path}: not a PAC file, or too large")
    return text
