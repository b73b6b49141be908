# SPDX-License-Identifier: EUPL-1.2
"""Targets of the mTLS helper in a terminal: how programs and browsers reach them, and whether that is open."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final

from sithsapp.cli.mtls_browsers import browser_trust, proxy_port, trust_data, trust_lines
from sithsapp.cli.output import failure_data
from sithsapp.failures import SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Mtls, MtlsTarget

_LOOPBACK: Final = "127.0.0.1"
_PROBE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """The same for programs and for people."""

    data: dict[str, object]
    lines: list[str]


def tell_targets(settings: Mtls, *, proxy: int | None, probe: bool) -> Told:
    """Return the targets, browsers' at the port `proxy`; with `probe` also whether they are open."""
    rows: list[dict[str, object]] = []
    lines: list[str] = []
    words = {True: tr("open"), False: tr("not open")}
    for target in settings.targets:
        row, line = _data(target, proxy), _line(target)
        if probe:
            is_open = proxy is not None if target.mode == "browser" else _is_open(target.listen or 0)
            row, line = row | {"open": is_open}, f"{line}  {words[is_open]}"
        rows.append(row)
        lines.append(line)
    return Told({"targets": rows}, lines)


def tell_browsers(settings: Mtls) -> Told:
    """Return where the proxy is and which stores trust it; empty if no target is for browsers."""
    if not settings.for_browsers:
        return Told({}, [])
    port = proxy_port()
    url = None if port is None else pac_url(port)
    lines = [] if url is None else [tr("Proxy settings file: {url}").format(url=url)]
    try:
        overview = browser_trust(settings).look()
    except SithsError as error:
        told = f"{error.failure.number} {tr(error.failure.title)}"
        return Told({"browsers": {"pac": url, "error": failure_data(error)}}, [*lines, told])
    return Told({"browsers": {"pac": url} | trust_data(overview)}, lines + trust_lines(overview))


def pac_url(port: int) -> str:
    """Return the address of the PAC file."""
    return f"http://{_LOOPBACK}:{port}/proxy.pac"


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(_PROBE_SECONDS)
        return probe.connect_ex((_LOOPBACK, port)) == 0


def _data(target: MtlsTarget, proxy: int | None) -> dict[str, object]:
    port = proxy if target.mode == "browser" else target.listen
    return {
        "name": target.name,
        "listen": None if port is None else f"{_LOOPBACK}:{port}",
        "server": f"{target.host}:{target.port}",
        "mode": target.mode,
    }


def _line(target: MtlsTarget) -> str:
    server = f"{target.host}:{target.port}"
    if target.mode == "browser":
        return f"{target.name}: https://{server} " + tr("in a browser")
    scheme = "http://" if target.mode == "http" else ""
    return f"{target.name}: {scheme}{_LOOPBACK}:{target.listen} -> {server}"
