# SPDX-License-Identifier: EUPL-1.2
"""What the system says of proxies, as those who fetch certificates need it."""

from __future__ import annotations

import pytest

from sithsapp.oob import proxy
from sithsapp.oob.fetch_proxy import proxy_of_the_system
from sithsapp.oob.proxy_address import ProxyAddress
from sithsapp.pki.fetching import FetchError, Proxy


@pytest.mark.parametrize(
    ("said", "expected"), [(None, None), (ProxyAddress("proxy.example.org", 8080), Proxy("proxy.example.org", 8080))]
)
def test_the_first_way_is_taken(
    monkeypatch: pytest.MonkeyPatch, said: ProxyAddress | None, expected: Proxy | None
) -> None:
    monkeypatch.setattr(proxy, "system_proxies", lambda _host, _port: [said, ProxyAddress("other", 1)])
    assert proxy_of_the_system("crl.example.org", 80) == expected


@pytest.mark.parametrize(
    "said", [ProxyAddress("p", 1080, socks=True), ProxyAddress("p", 80, user="u"), ProxyAddress("", 0)]
)
def test_a_proxy_that_cannot_be_used_is_never_passed_by(monkeypatch: pytest.MonkeyPatch, said: ProxyAddress) -> None:
    monkeypatch.setattr(proxy, "system_proxies", lambda _host, _port: [said])
    with pytest.raises(FetchError):
        proxy_of_the_system("crl.example.org", 80)


def test_this_system_gives_an_answer() -> None:
    found = proxy_of_the_system("crl.example.org", 80)
    assert found is None or found.host
