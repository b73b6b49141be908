# SPDX-License-Identifier: EUPL-1.2
"""The demonstration's pages as such: cookies, headers, languages, accessibility, style."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from babel.messages.pofile import read_po
from starlette.requests import Request
from starlette.responses import Response

from authservice import demo_rp
from authservice.demo_rp import texts
from authservice.demo_rp.app import DemoSettings, create_demo_rp
from authservice.demo_rp.sessions import IDLE_LIFE, Session, Sessions
from authservice.demo_rp.texts import Texts
from tests.authservice.demo_site import log_in
from tests.authservice.support import POLICY, RP_NAME, Bench, Holder, browser_of


def test_cookie_rules(bench: Bench, browser: httpx.Client, tmp_path: Path) -> None:
    cookie = browser.post("/login", data={"how": "same"}, follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    settings = DemoSettings(name=RP_NAME, origin="http://localhost:8000", service_id="demo", policies=[POLICY])
    with browser_of(create_demo_rp(settings, bench.relying_party()), "http://localhost:8000") as local:
        cookie = local.post("/login", data={"how": "same"}, follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


PAGES = ("/", "/login", "/me", "/signed", "/oob/return", "/nothing", "/static/style.css", "/static/login.js")


@pytest.mark.parametrize("path", PAGES)
def test_headers(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path, follow_redirects=False)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    if not path.startswith("/static/"):
        assert answer.headers["cache-control"] == "no-store"


def test_forms_of_other_sites_are_refused(browser: httpx.Client) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303), ("none", 303)):
        headers = {"Sec-Fetch-Site": site}
        assert browser.post("/logout", headers=headers, follow_redirects=False).status_code == status


def test_english(bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    page = browser.post("/language", data={"to": "en"})
    assert '<html lang="en">' in page.text
    assert "Log in with SITHS eID on this device" in page.text
    me = log_in(bench, browser, holder)
    assert "Welcome, Anna" in me.text
    assert "Yes: the app came back to the browser that started" in me.text
    assert '<html lang="sv">' in browser.post("/language", data={"to": "sv"}).text
    assert '<html lang="sv">' in browser.post("/language", data={"to": "xx"}).text


CATALOGUE = texts.LOCALE_DIRECTORY / "sv" / "LC_MESSAGES" / "authservice.po"


def used_texts() -> set[str]:
    found = set()
    for path in Path(demo_rp.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
                assert isinstance(node.args[0], ast.Constant)
                found.add(str(node.args[0].value))
    return found


def test_every_text_is_in_swedish() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if message.id}
    assert set(catalogue) == used_texts()
    for english, swedish in catalogue.items():
        assert isinstance(english, str)
        assert swedish
        assert re.findall(r"{\w+}", english) == re.findall(r"{\w+}", str(swedish))


def test_unknown_language_is_swedish() -> None:
    assert Texts("de").language == "sv"


class Outline(HTMLParser):
    """Collects what accessibility needs."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labels: set[str] = set()
        self.fields: set[str] = set()
        self.headings: list[str] = []
        self.open: list[str] = []
        self.external: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "label":
            self.labels.add(given.get("for") or "")
        if tag in ("textarea", "input") and given.get("type") != "hidden":
            self.fields.add(given.get("id") or "?")
        if tag in ("h1", "h2"):
            self.headings.append(tag)
        if tag == "img":
            assert given.get("alt")
        for name in ("src", "href", "action"):
            if (given.get(name) or "").startswith(("http:", "https:", "//")):
                self.external.append(given[name] or "")
        self.inline += [name for name in given if name.startswith("on") or name == "style"]


def test_pages_are_accessible_and_have_no_outside(bench: Bench, browser: httpx.Client, holder: Holder) -> None:
    pages = [
        browser.get("/"),
        browser.post("/login", data={"how": "other"}),
        browser.post("/login", data={"how": "same"}),
    ]
    pages += [browser.get("/oob/return"), browser.post("/cancel"), log_in(bench, browser, holder)]
    for page in pages:
        outline = Outline()
        outline.feed(page.text)
        assert len(outline.ids) == len(set(outline.ids))
        assert outline.fields <= outline.labels
        assert outline.headings[0] == "h1"
        assert not outline.external
        assert not outline.inline
        assert '<a class="skip" href="#main">' in page.text
        assert "<title>" in page.text


def test_style_has_both_palettes() -> None:
    style = (Path(demo_rp.__file__).parent / "static" / "style.css").read_text()
    assert "@media (prefers-color-scheme: dark)" in style
    assert "url(" not in style
    names = [re.findall(r"(--[a-z0-9-]+):", block) for block in re.findall(r":root \{(.*?)\}", style, re.S)]
    assert set(names[1]) <= set(names[0])
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", style)) <= set(names[0])


def request_with(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_idle_sessions_end() -> None:
    sessions, session, response = Sessions(secure=False), Session(), Response()
    sessions.begin(response, session, request_with(""))
    request = request_with(response.headers["set-cookie"].partition(";")[0])
    assert sessions.find(request) is session
    session.used_at -= IDLE_LIFE + 1
    assert sessions.find(request) is None
    assert not sessions._sessions
