# SPDX-License-Identifier: EUPL-1.2
"""The demonstration with browsers, and an app that signs for them."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from authservice.demo_rp.app import DemoSettings, create_demo_rp
from sithsapp.oob.protocol.order import OrderType
from tests.authservice.support import POLICY, RP_NAME, RP_ORIGIN, App, Bench, Holder, browser_of


class Site:
    """The demonstration, with as many browsers as a test wants."""

    def __init__(self, bench: Bench, directory: Path) -> None:
        self.bench = bench
        self.events_file = directory / "events.jsonl"
        settings = DemoSettings(
            name=RP_NAME, origin=RP_ORIGIN, service_id="demo", policies=[POLICY], events=self.events_file
        )
        self.app = create_demo_rp(settings, bench.relying_party())

    def browser(self) -> httpx.Client:
        return browser_of(self.app, RP_ORIGIN)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.events_file.read_text().splitlines()]


def launch_link(page: httpx.Response) -> Any:
    """Return what an app needs to claim the order of a waiting page."""
    found = re.search(r'href="(siths:[^"]+)"', page.text)
    assert found, page.text
    return SimpleNamespace(launch_url=html.unescape(found[1]))


def sign_in_app(
    bench: Bench, page: httpx.Response, holder: Holder, typ: OrderType = OrderType.AUTH
) -> tuple[App, str]:
    """Let an app claim and sign, and return the address that it opens."""
    app = bench.app()
    assert app.claim(launch_link(page)).status_code == 200
    answer = app.sign(holder, typ)
    assert answer.status_code == 200, answer.text
    return app, f"{answer.json()['return_url']}&oob_verifier={app.verifier.reveal()}"


def log_in(bench: Bench, browser: httpx.Client, holder: Holder) -> httpx.Response:
    page = browser.post("/login", data={"how": "same"})
    _, address = sign_in_app(bench, page, holder)
    return browser.get(address)
