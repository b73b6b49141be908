# SPDX-License-Identifier: EUPL-1.2
"""The PAC file as a browser's script engine reads it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.pac import pac_text, way_otherwise
from sithsapp.settings.schema import MtlsBrowser

SERVERS = (("portal.example", 443), ("journal.example", 8443))
PROXY = "PROXY 127.0.0.1:9440"
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def engine() -> Iterator[Page]:
    """A page of a real browser without network."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def straight(settings: MtlsBrowser) -> str:
    return way_otherwise(settings, "none", 9440)


def way(url: str, otherwise: str, engine: Page) -> str:
    host = url.split("/")[2].split("@")[-1].split(":")[0]
    script = pac_text(SERVERS, 9440, otherwise) + "\nreturn FindProxyForURL(url, host);"
    call = "([script, url, host]) => Function('url', 'host', script)(url, host)"
    return str(engine.evaluate(call, [script, url, host]))


@pytest.mark.parametrize(
    "url",
    [
        "https://portal.example/",
        "https://portal.example",
        "https://PORTAL.example/x?y#z",
        "https://portal.example:443/",
        "wss://portal.example/socket",
        "https://journal.example:8443/",
        "https://user@portal.example/",
        "https://portal.example?x",
    ],
)
def test_listed_servers_go_by_the_proxy_and_never_around_it(url: str, engine: Page) -> None:
    assert way(url, straight(MtlsBrowser()), engine) == PROXY


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/",
        "https://portal.example:8443/",
        "https://journal.example/",
        "https://x.portal.example/",
        "https://portal.example.evil.example/",
        "https://evil.example/https://portal.example/",
        "https://portal.example@evil.example/",
        "ftp://portal.example/",
    ],
)
def test_all_else_goes_as_before(url: str, engine: Page) -> None:
    assert way(url, straight(MtlsBrowser()), engine) == "DIRECT"
    corporate = MtlsBrowser(otherwise="PROXY proxy.region.example:8080; DIRECT")
    assert way(url, straight(corporate), engine) == "PROXY proxy.region.example:8080; DIRECT"


def test_the_organisation_s_own_file_decides_about_the_rest(tmp_path: Path, engine: Page) -> None:
    file = tmp_path / "region.pac"
    file.write_text(
        "\ufeff// the region's\nvar inside = ['a.example'];\n"
        "function isInside(host) { return inside.indexOf(host) >= 0; }\n"
        "function FindProxyForURL(url, host) { return isInside(host) ? 'DIRECT' : 'PROXY out.example:80'; } // end",
        encoding="utf-8",
    )
    otherwise = straight(MtlsBrowser(pac_file=str(file)))
    assert way("https://portal.example/", otherwise, engine) == PROXY
    assert way("https://a.example/", otherwise, engine) == "DIRECT"
    assert way("https://b.example/", otherwise, engine) == "PROXY out.example:80"


@pytest.mark.parametrize(
    "content", [b"", b"function other() {}", b"\xff\xfeFindProxyForURL", b"FindProxyForURL" * 50_000]
)
def test_what_is_no_pac_file_is_a_fault_of_the_settings(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "region.pac"
    file.write_bytes(content)
    for path in (file, tmp_path / "none"):
        with pytest.raises(SithsError) as caught:
            straight(MtlsBrowser(pac_file=str(path)))
        assert caught.value.failure is Failure.SETTINGS_INVALID


@pytest.mark.parametrize(
    ("proxy", "way"),
    [
        ("none", "DIRECT"),
        ("http://proxy.region.example:8080", "PROXY proxy.region.example:8080"),
        ("socks5://proxy.region.example:1080", "SOCKS5 proxy.region.example:1080; SOCKS proxy.region.example:1080"),
        ("http://127.0.0.1:3128", "PROXY 127.0.0.1:3128"),
        ("http://127.0.0.1:9440", "DIRECT"),
        ("http://[::1]:3128", "DIRECT"),
        ("system", "PROXY env.example:3128"),
    ],
)
def test_without_word_all_else_goes_as_the_app_does(proxy: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://name:word@env.example:3128")
    assert way_otherwise(MtlsBrowser(), proxy, 9440) == f'function () {{ return "{way}"; }}'
    assert way_otherwise(MtlsBrowser(otherwise="DIRECT"), proxy, 9440).count("DIRECT") == 1
