# SPDX-License-Identifier: EUPL-1.2
"""The page of certificates: details, checks at a real status server, export, and what other programs are given."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from sithsapp.card.model import CardsState, PinRole
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.ui.certificates import saving
from sithsapp.ui.certificates.detail import CertificateDetail
from sithsapp.ui.certificates.page import CertificatesPage
from sithsapp.ui.certificates.row import Outside
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.window import MainWindow
from tests.ui import certificate_samples as made
from tests.ui import hosting, samples
from tests.ui.pointing import button, visible

SECONDS = 20_000


class Desk:
    """A main window on the page of certificates, and what the page asked others for."""

    def __init__(self, qtbot: QtBot, cards: CardsState) -> None:
        self.qtbot = qtbot
        self.services = hosting.services(cards)
        self.window = MainWindow(self.services)
        qtbot.addWidget(self.window)
        self.window.open(Place.CERTIFICATES)
        page = self.window.page(Place.CERTIFICATES)
        assert isinstance(page, CertificatesPage)
        self.page = page
        self.asked: list[tuple[str, str]] = []
        self.chosen = ""
        self.shown: list[bytes] = []
        self.refusal: SithsError | None = None
        self.page.outside = Outside(self._choose, self._show)

    def _choose(self, _parent: QWidget, name: str, suffix: str, chosen: Callable[[str], None]) -> None:
        self.asked.append((name, suffix))
        if self.chosen:
            chosen(self.chosen)

    def _show(self, der: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.shown.append(der)

    def open(self, number: int = 0) -> CertificateDetail:
        """Open the details of a certificate and wait for what is worked out about it."""
        with self.qtbot.waitSignal(self.page.work.looked, timeout=SECONDS):
            self.page.row_panel(number).toggle.click()
        detail = self.page.row_panel(number).detail
        assert detail is not None
        return detail

    def check(self, number: int = 0) -> None:
        """Ask the issuers and wait for the answer."""
        detail = self.page.row_panel(number).detail
        assert detail is not None
        with self.qtbot.waitSignal(self.page.work.checked, timeout=SECONDS):
            detail.check.click()

    def choose(self, number: int, action: str) -> None:
        """Choose from the menu of a certificate."""
        detail = self.page.row_panel(number).detail
        assert detail is not None
        (found,) = [each for each in detail.menu.actions() if each.text() == action]
        found.trigger()

    def texts(self) -> list[str]:
        """Return the texts that can be seen."""
        return [label.text() for label in visible(self.page, QLabel)]


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot, made.usual())


@pytest.fixture
def issued(qtbot: QtBot, ca: CaServer, tmp_path: Path) -> tuple[Desk, VirtualPki, x509.Certificate]:
    """A page over a card whose issuer answers, and whose root the settings name."""
    assert ca.pki is not None
    leaf = made.issue(ca.pki)
    desk = Desk(qtbot, made.seen(made.card([made.credential(0, made.der(leaf))])))
    root = tmp_path / "root.pem"
    root.write_bytes(ca.pki.root.certificate.public_bytes(Encoding.PEM))
    desk.services.store.set("card_issuers", [str(root)])
    return desk, ca.pki, leaf


def test_one_panel_for_each_certificate(desk: Desk) -> None:
    assert [desk.page.row_panel(number).accessibleName().split(",")[0] for number in range(3)] == [
        "Identification",
        "Signature",
        "TEST SITHS e-id Person HSA-id 3 CA v1",
    ]
    assert button(desk.window, "Show details: Signature").isEnabled()


def test_details_come_and_go(desk: Desk) -> None:
    desk.open()
    assert DEFAULT_PERSON.hsa_id in desk.texts()
    assert "Windows logon" in desk.texts()
    assert not any(text.startswith("Root ·") for text in desk.texts())
    button(desk.window, "Hide details: Identification").click()
    assert desk.page.row_panel(0).detail is None
    assert DEFAULT_PERSON.hsa_id not in desk.texts()


def test_everything_is_a_click_away(desk: Desk) -> None:
    desk.open(1)
    assert "Subject key identifier (2.5.29.14)" not in desk.texts()
    button(desk.window, "Show everything").click()
    assert "Subject key identifier (2.5.29.14)" in desk.texts()
    button(desk.window, "Hide everything").click()
    assert "Subject key identifier (2.5.29.14)" not in desk.texts()


def test_the_personal_number_is_shown_when_asked_for_and_hidden_again(qtbot: QtBot) -> None:
    desk = Desk(qtbot, made.seen(made.card([made.credential(0, made.invented()["number"])])))
    desk.open()
    button(desk.window, "Show everything").click()
    number = DEFAULT_PERSON.personal_number
    assert number not in "\n".join(desk.texts())
    button(desk.window, "Show the personal identity number").click()
    assert "\n".join(desk.texts()).count(number) >= 2
    for name in ("Hide details: Identification", "Show details: Identification"):
        button(desk.window, name).click()
    assert number not in "\n".join(desk.texts())


def test_a_locked_screen_hides_what_was_revealed(qtbot: QtBot) -> None:
    desk = Desk(qtbot, made.seen(made.card([made.credential(0, made.invented()["number"])])))
    desk.open()
    button(desk.window, "Show the personal identity number").click()
    desk.window.session_left()
    assert DEFAULT_PERSON.personal_number not in "\n".join(desk.texts())


def test_a_check_that_is_good(issued: tuple[Desk, VirtualPki, x509.Certificate]) -> None:
    desk, _, _ = issued
    desk.open()
    assert "The next issuer is missing" in desk.texts()
    desk.check()
    assert "The certificate is valid and not revoked" in desk.texts()
    assert "Root · From the settings" in desk.texts()
    assert any(text.startswith("Valid and not revoked") for text in desk.texts())
    assert button(desk.window, "Check revocation").isEnabled()


def test_a_result_comes_in_sight(issued: tuple[Desk, VirtualPki, x509.Certificate]) -> None:
    desk, _, _ = issued
    desk.window.setMinimumSize(0, 0)
    desk.window.resize(desk.window.width(), 300)
    detail = desk.open()
    desk.check()
    desk.qtbot.waitUntil(lambda: not detail.banner.visibleRegion().isEmpty())
    assert detail.banner.visibleRegion().boundingRect().height() == detail.banner.height()


def test_a_check_that_finds_a_revocation_outlives_the_details(
    issued: tuple[Desk, VirtualPki, x509.Certificate],
) -> None:
    desk, pki, leaf = issued
    pki.revoke(leaf)
    desk.open()
    desk.check()
    for name in ("Hide details: Identification", "Show details: Identification"):
        button(desk.window, name).click()
    assert sum(text.startswith("Revoked since") for text in desk.texts()) == 2
    desk.page.refresh()
    assert any("C207" in text for text in desk.texts())


def test_a_check_can_be_stopped(issued: tuple[Desk, VirtualPki, x509.Certificate], ca: CaServer) -> None:
    desk, _, _ = issued
    desk.open()
    detail = desk.page.row_panel(0).detail
    assert detail is not None
    detail.check.click()
    assert "Asking the issuer …" in desk.texts()
    button(desk.window, "Stop checking").click()
    assert "The check was stopped" in desk.texts()
    with desk.qtbot.assertNotEmitted(desk.page.work.checked, wait=0):
        for thread in threading.enumerate():
            if thread.name == "certificate":
                thread.join(20)
    assert "The check was stopped" in desk.texts()


def test_a_card_that_leaves_ends_its_check(issued: tuple[Desk, VirtualPki, x509.Certificate]) -> None:
    desk, _, _ = issued
    desk.open()
    detail = desk.page.row_panel(0).detail
    assert detail is not None
    detail.check.click()
    desk.services.cards.state = samples.EMPTY  # type: ignore[misc] # the still card service of the tests
    desk.page.refresh()
    for thread in threading.enumerate():
        if thread.name == "certificate":
            thread.join(20)
    desk.qtbot.wait(0)
    assert visible(desk.page, QLabel)
    assert not any("Identification" in text for text in desk.texts())


def test_a_useless_setting_is_named(desk: Desk, tmp_path: Path) -> None:
    desk.services.store.set("card_issuers", [str(tmp_path / "missing.pem")])
    desk.open()
    assert any("A904" in text for text in desk.texts())


def test_details_stay_when_another_card_comes(desk: Desk) -> None:
    desk.open()
    other = made.card([made.credential(0, made.invented()["number"])])
    both = (*made.usual().cards, other)
    desk.services.cards.state = made.seen(*both)  # type: ignore[misc] # the still card service of the tests
    desk.page.refresh()
    assert desk.page.row_panel(0).detail is not None
    assert desk.page.row_panel(3).detail is None


def test_several_cards_are_told_apart(desk: Desk) -> None:
    assert not any(samples.READER in text for text in desk.texts())
    other = made.card([made.credential(0, made.invented()["number"])])
    other = replace(other, id=samples.OTHER_CARD.id)
    desk.services.cards.state = made.seen(*made.usual().cards, other)  # type: ignore[misc] # see above
    desk.page.refresh()
    headings = [text for text in desk.texts() if text.endswith(("reader 00", "reader 01"))]
    assert headings == ["Anna Andersson · Virtual reader 00", "Anna Andersson · Virtual reader 01"]
    desk.services.cards.state = made.usual()  # type: ignore[misc] # see above
    desk.page.refresh()
    assert not any(samples.READER in text for text in desk.texts())


def test_turning_to_another_page_hides_the_number(qtbot: QtBot) -> None:
    desk = Desk(qtbot, made.seen(made.card([made.credential(0, made.invented()["number"])])))
    desk.open()
    button(desk.window, "Show the personal identity number").click()
    desk.window.go(Place.OVERVIEW)
    desk.window.go(Place.CERTIFICATES)
    assert DEFAULT_PERSON.personal_number not in "\n".join(desk.texts())


def test_the_file_dialog_keeps_what_is_there(qtbot: QtBot, tmp_path: Path) -> None:
    """The dialog that Qt draws where the desktop has none; those of desktops ask in the same way."""
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    chosen: list[str] = []
    saving.choose_file(parent, "siths-1.pem", "pem", chosen.append)
    (dialog,) = parent.findChildren(QFileDialog)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    assert not dialog.testOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("mine")
    dialog.accept()
    assert chosen == [str(tmp_path / "mine.pem")]


@pytest.mark.parametrize(
    ("action", "suffix", "count"),
    [("Export as PEM …", "pem", 1), ("Export as DER …", "cer", 1), ("Export the whole chain …", "pem", 2)],
)
def test_export(desk: Desk, tmp_path: Path, action: str, suffix: str, count: int) -> None:
    desk.open()
    desk.chosen = str(tmp_path / "file")
    desk.choose(0, action)
    (asked,) = desk.asked
    assert (asked[1], "Andersson" in asked[0]) == (suffix, False)
    data = (tmp_path / "file").read_bytes()
    binary = suffix == "cer"
    found = [x509.load_der_x509_certificate(data)] if binary else x509.load_pem_x509_certificates(data)
    assert len(found) == count
    assert made.der(found[0]) == made.invented()["auth"]
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert "The certificate was saved" in desk.texts()
    assert any("no root" in text for text in desk.texts()) is (count == 2)


def test_an_export_that_fails_is_told(desk: Desk, tmp_path: Path) -> None:
    desk.open()
    desk.chosen = str(tmp_path / "missing" / "file")
    desk.choose(0, "Export as PEM …")
    assert any("A910" in text for text in desk.texts())


def test_an_export_that_is_given_up_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.open()
    desk.choose(0, "Export as PEM …")
    assert (len(desk.asked), list(tmp_path.iterdir())) == (1, [])


def test_copies(desk: Desk) -> None:
    desk.open()
    desk.choose(0, "Copy as text")
    assert DEFAULT_PERSON.hsa_id in QGuiApplication.clipboard().text()
    button(desk.window, "Copy the value: altSecurityIdentities by issuer and serial number").click()
    assert QGuiApplication.clipboard().text().startswith("X509:<I>C=SE,")


def test_the_systems_viewer(desk: Desk) -> None:
    desk.open()
    with desk.qtbot.waitSignal(desk.page.work.opened, timeout=SECONDS):
        desk.choose(0, "Open in the system's viewer")
    assert desk.shown == [made.invented()["auth"]]
    desk.refusal = SithsError(Failure.VIEWER_NOT_OPENED)
    with desk.qtbot.waitSignal(desk.page.work.opened, timeout=SECONDS):
        desk.choose(0, "Open in the system's viewer")
    assert any("C225" in text for text in desk.texts())


def test_without_certificates(qtbot: QtBot) -> None:
    assert "No card in the reader" in Desk(qtbot, samples.EMPTY).texts()
    assert "No certificates on the card" in Desk(qtbot, made.seen(made.card([]))).texts()


def test_another_language(desk: Desk) -> None:
    desk.open()
    set_language("sv")
    desk.window.retranslate()
    assert {"Legitimering", "Underskrift", "Kortnummer"} <= set(desk.texts())


def test_a_signature_certificate_has_no_logon(desk: Desk) -> None:
    desk.open(1)
    assert "Chain" in desk.texts()
    assert "Windows logon" not in desk.texts()
    assert made.one("sign", PinRole.SIGN).fields is not None


def test_a_chain_without_issuers(qtbot: QtBot) -> None:
    desk = Desk(qtbot, made.seen(made.card([made.credential(0, made.invented()["number"])])))
    desk.open()
    assert "The next issuer is missing" in desk.texts()
    assert IssuerProfile.PERSON_ID_3.common_name in desk.texts()
