# SPDX-License-Identifier: EUPL-1.2
"""Real browsers by PAC file and local proxy at a real web server, with the card behind real pcscd and no PKCS#11."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Error, Page, sync_playwright

from sithsapp.card.pcsc import PcscReaders
from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.mtls import local_store
from sithsapp.mtls.helper import MtlsHelper
from sithsapp.mtls.local_ca import Authority
from sithsapp.mtls.trust import trust, untrust
from sithsapp.mtls.trust_nss import NssDatabase
from tests.mtls.browsing import HOST, lead_to_this_computer, proxy_settings, server_files
from tests.mtls.desk import Desk
from tests.mtls.parts import ServerFiles, eventually
from tests.parts.firefox import Firefox, FirefoxError
from tests.parts.nginx import Nginx
from tests.parts.pcscd import PcscSlots
from tests.parts.websocket_echo import WebSocketEcho

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
EVIL = "evil.example"
CERTUTIL = shutil.which("certutil") or ""
ECHO = """
return new Promise((done) => {{
  const channel = new WebSocket("wss://{server}/ws");
  channel.onopen = () => channel.send("hello");
  channel.onmessage = (message) => done("heard " + message.data);
  channel.onerror = () => done("failed");
}})
"""


@pytest.fixture
def files(tmp_path: Path, shared_ca: CaServer) -> ServerFiles:
    assert shared_ca.pki is not None
    return server_files(tmp_path, shared_ca.pki.root.certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def desk(
    pcsc_slots: PcscSlots, card: VirtualCard, files: ServerFiles, issuers: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    lead_to_this_computer(monkeypatch, HOST, EVIL)
    pcsc_slots.insert(card)
    service = CardService([PcscReaders()])
    service.start()
    eventually(lambda: bool(service.state.cards))
    desk = Desk(service, files, issuers)
    yield desk
    desk.close()
    service.close()


class Portal:
    """The web server with its WebSocket, and the helper that leads to it."""

    def __init__(self, desk: Desk, directory: Path, parts: ExitStack) -> None:
        echo = parts.enter_context(WebSocketEcho())
        more = f"""
        location /page {{ default_type text/html; return 200 "<p>$ssl_client_s_dn</p>"; }}
        location /ws {{ proxy_pass http://127.0.0.1:{echo.port}; proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }}
        """
        files = desk.files
        nginx = Nginx(directory / "nginx", files.certificate, files.key, files.client_cas, "TLSv1.2 TLSv1.3", more)
        self.port = parts.enter_context(nginx).port
        self.server = f"{HOST}:{self.port}"
        self.page = f"https://{self.server}/page"
        self.helper: MtlsHelper = desk.start(proxy_settings(desk, self.port, HOST, EVIL))

    @property
    def pac_url(self) -> str:
        """Where browsers find the PAC file."""
        status = self.helper.proxy()
        assert status is not None
        return status.pac_url

    @property
    def authority(self) -> bytes:
        """What browsers have to trust."""
        status = self.helper.proxy()
        assert status is not None
        return status.authority


@pytest.fixture
def portal(desk: Desk, tmp_path: Path) -> Iterator[Portal]:
    with ExitStack() as parts:
        yield Portal(desk, tmp_path, parts)


@contextmanager
def chromium(home: Path, *arguments: str) -> Iterator[Page]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(home / "profile"),
            executable_path=program,
            args=["--no-sandbox", *arguments],
            env={"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "PATH": "/usr/bin:/bin"},
        )
        try:
            yield context.pages[0]
        finally:
            context.close()


def nss(directory: Path) -> NssDatabase:
    if not CERTUTIL:
        pytest.skip("certutil is not installed")
    return NssDatabase("browser", directory, CERTUTIL)


def test_chromium_knows_the_holder_with_no_module_loaded(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    database = nss(home / "data" / "pki" / "nssdb")
    assert trust([database], portal.authority, ())[0].trusted
    with chromium(home, f"--proxy-pac-url={portal.pac_url}") as page:
        page.goto(portal.page)
        assert DEFAULT_PERSON.hsa_id in page.inner_text("body")
        assert page.evaluate(f"(() => {{ {ECHO.format(server=portal.server)} }})()") == "heard hello"
        assert page.evaluate("location.host") == portal.server
    assert len(desk.person.requests) == 1
    request = desk.person.requests[0]
    assert "chrom" in request.purpose.program.path
    assert request.purpose.host == HOST
    assert "library=" not in (home / "data" / "pki" / "nssdb" / "pkcs11.txt").read_text().replace("library=\n", "")


def test_firefox_knows_the_holder_with_no_module_loaded(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    firefox = Firefox(tmp_path / "home", network__proxy__type=2, network__proxy__autoconfig_url=portal.pac_url)
    assert trust([nss(firefox.profile)], portal.authority, ())[0].trusted
    with firefox:
        assert DEFAULT_PERSON.hsa_id in firefox.open(portal.page)
        assert firefox.run(ECHO.format(server=portal.server)) == "heard hello"
    assert len(desk.person.requests) == 1
    assert "firefox" in desk.person.requests[0].purpose.program.path
    modules = (firefox.profile / "pkcs11.txt").read_text()
    assert "library=" not in modules.replace("library=\n", "")


def test_an_authority_that_was_taken_back_is_not_believed(portal: Portal, tmp_path: Path) -> None:
    home = tmp_path / "home"
    database = nss(home / "data" / "pki" / "nssdb")
    trust([database], portal.authority, ())
    untrust([database], ())
    with chromium(home, f"--proxy-pac-url={portal.pac_url}") as page, pytest.raises(Error) as caught:
        page.goto(portal.page)
    assert "ERR_CERT_AUTHORITY_INVALID" in str(caught.value)


def test_firefox_does_not_believe_without_being_told(portal: Portal, tmp_path: Path) -> None:
    firefox = Firefox(tmp_path / "home", network__proxy__type=2, network__proxy__autoconfig_url=portal.pac_url)
    with firefox, pytest.raises(FirefoxError) as caught:
        firefox.open(portal.page)
    assert "insecure certificate" in str(caught.value)


def test_a_failure_is_a_page_in_both_browsers(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    desk.person.answers = [None, None, None, None]
    home = tmp_path / "home"
    trust([nss(home / "data" / "pki" / "nssdb")], portal.authority, ())
    with chromium(home, f"--proxy-pac-url={portal.pac_url}") as page:
        answer = page.goto(portal.page)
        assert answer is not None
        assert answer.status == 504
        assert "A905" in page.inner_text("body")
    firefox = Firefox(tmp_path / "other", network__proxy__type=2, network__proxy__autoconfig_url=portal.pac_url)
    trust([nss(firefox.profile)], portal.authority, ())
    with firefox:
        assert "A905" in firefox.open(portal.page)


@pytest.fixture
def _narrow_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the authority be for `HOST` alone while its key vouches for `EVIL` too, by the product's own code."""
    monkeypatch.setattr(local_store, "issue_once", lambda hosts, at: Authority((HOST,), at).issue(hosts))


@pytest.mark.usefixtures("_narrow_authority")
def test_browsers_refuse_a_certificate_outside_the_constraints(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    trust([nss(home / "data" / "pki" / "nssdb")], portal.authority, ())
    with chromium(home, f"--proxy-pac-url={portal.pac_url}") as page:
        for host in (HOST, EVIL):  # the certificate names both, so it is refused for either
            with pytest.raises(Error) as caught:
                page.goto(f"https://{host}:{portal.port}/page")
            assert "ERR_CERT_" in str(caught.value)
            assert "AUTHORITY_INVALID" not in str(caught.value)
    firefox = Firefox(tmp_path / "other", network__proxy__type=2, network__proxy__autoconfig_url=portal.pac_url)
    trust([nss(firefox.profile)], portal.authority, ())
    with firefox, pytest.raises(FirefoxError) as refused:
        firefox.open(portal.page)
    assert "insecure certificate" in str(refused.value)


HOSTILE = """async () => {{
  const seen = [];
  for (const url of ["{pac}", "{base}/", "{base}/proxy.pac?x"]) {{
    for (const options of [{{}}, {{mode: "no-cors"}}, {{method: "POST", mode: "no-cors", body: "x"}}]) {{
      try {{ seen.push(await (await fetch(url, options)).text()); }} catch (error) {{ seen.push(""); }}
    }}
  }}
  await new Promise((done) => {{
    const script = document.createElement("script");
    script.src = "{pac}"; script.onload = script.onerror = done; document.head.append(script);
  }});
  return seen.join("") + (typeof FindProxyForURL === "undefined" ? "" : String(sithsServers));
}}"""


def test_a_foreign_page_learns_nothing_from_the_proxy(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    rules = f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"
    port = portal.pac_url.split(":")[2].split("/")[0]
    with file_server(tmp_path) as other, chromium(tmp_path / "home", rules) as page:
        page.goto(f"http://{EVIL}:{other}/")
        script = HOSTILE.format(pac=portal.pac_url, base=f"http://127.0.0.1:{port}")
        assert page.evaluate(script) == ""
        for path in ("proxy.pac", ""):  # its own name, once it leads here: the answer can be read
            page.goto(f"http://{EVIL}:{port}/{path}")
            assert HOST not in page.content()
            assert "FindProxyForURL" not in page.content()
    assert desk.person.requests == []


@contextmanager
def file_server(directory: Path) -> Iterator[int]:
    """Serve an empty page by plain HTTP; gives the port."""
    (directory / "page").mkdir()
    (directory / "page" / "index.html").write_text("<!DOCTYPE html><title>page</title>")
    handler = partial(QuietHandler, directory=str(directory / "page"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    """Writes no log."""

    def log_message(self, *_: object) -> None:
        return
