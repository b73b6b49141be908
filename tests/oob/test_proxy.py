# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import pytest
from PySide6.QtNetwork import QNetworkProxy

from sithsapp.oob.proxy import proxies_for
from sithsapp.oob.proxy_address import bypasses

Kind = QNetworkProxy.ProxyType


@pytest.mark.parametrize(
    ("no_proxy", "exempt"),
    [
        ("*", True),
        ("auth.example.org", True),
        ("example.org", True),
        (".example.org", True),
        ("*.example.org", True),
        ("a.b, example.org", True),
        ("example.org:443", True),
        ("example.org:8443", False),
        ("ample.org", False),
        ("other.org", False),
        ("", False),
        (",,", False),
    ],
)
def test_no_proxy(no_proxy: str, exempt: bool) -> None:
    assert bypasses("auth.example.org", 443, {"NO_PROXY": no_proxy}) is exempt


@pytest.mark.parametrize(
    ("address", "kind", "host", "port", "user"),
    [
        ("http://proxy.example:3128", Kind.HttpProxy, "proxy.example", 3128, ""),
        ("proxy.example:3128", Kind.HttpProxy, "proxy.example", 3128, ""),
        ("http://me%40x:pw@proxy.example", Kind.HttpProxy, "proxy.example", 8080, "me@x"),
        ("socks5h://proxy.example", Kind.Socks5Proxy, "proxy.example", 1080, ""),
        ("http://[::1", Kind.HttpProxy, "", 0, ""),
        ("http://proxy.example:99999", Kind.HttpProxy, "", 0, ""),
    ],
)
def test_the_environments_proxy(address: str, kind: Kind, host: str, port: int, user: str) -> None:
    (proxy,) = proxies_for("auth.example.org", 443, {"https_proxy": address})
    assert (proxy.type(), proxy.hostName(), proxy.port(), proxy.user()) == (kind, host, port, user)


def test_without_settings_the_way_is_direct() -> None:
    (proxy,) = proxies_for("auth.example.org", 443, {})
    assert proxy.type() is Kind.NoProxy
    (local,) = proxies_for("localhost", 443, {"https_proxy": "http://proxy.example"})
    assert local.type() is Kind.NoProxy


@pytest.mark.parametrize(
    ("chosen", "kind", "host"),
    [
        ("none", Kind.NoProxy, ""),
        ("http://chosen.example:8080", Kind.HttpProxy, "chosen.example"),
        ("socks5://chosen.example:1080", Kind.Socks5Proxy, "chosen.example"),
        ("system", Kind.HttpProxy, "environment.example"),
    ],
)
def test_the_setting_goes_before_the_environment(chosen: str, kind: Kind, host: str) -> None:
    environment = {"https_proxy": "http://environment.example:3128", "no_proxy": "other.org"}
    (proxy,) = proxies_for("auth.example.org", 443, environment, chosen)
    assert (proxy.type(), proxy.hostName()) == (kind, host)


def test_this_computer_is_never_reached_by_a_proxy() -> None:
    (proxy,) = proxies_for("localhost", 443, {}, "http://chosen.example:8080")
    assert proxy.type() is Kind.NoProxy
