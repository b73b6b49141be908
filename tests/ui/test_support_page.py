# SPDX-License-Identifier: EUPL-1.2
"""Help and logs: the self-test in the background, the log as it grows, the report as it will be saved."""

from __future__ import annotations

import logging
import os
import stat
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.oob.interaction import Finished
from sithsapp.support.checks.check import Action, Context, Outcome, Result, said
from sithsapp.support.detail import detailed_until
from sithsapp.support.recent import MetFailure
from sithsapp.support.redaction import Private, Redactor
from sithsapp.support.report.parts import PartKind
from sithsapp.ui.background import Background
from sithsapp.ui.main.place import Place
from sithsapp.ui.order.request_window import WindowOptions
from sithsapp.ui.support import page as page_module
from sithsapp.ui.support.log_panel import MAX_LINES
from sithsapp.ui.support.page import SupportPage
from sithsapp.ui.support.presenter import detailed_note, in_order, licence_text, met_lines, present_check, summary
from sithsapp.ui.support.report_window import Collected, ReportWindow
from sithsapp.ui.support.self_test import SelfTestPanel
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import DARK, LIGHT
from sithsapp.ui.widgets.text import Text
from tests.parts.settings import store_of
from tests.support.desk import Scripted, context
from tests.ui import hosting, support_samples
from tests.ui.pointing import button, order_window, settle, visible

THEME = Theme(LIGHT)
FINDINGS = [(Scripted(id=name), result) for name, result in (
    ("fine", Result(Outcome.OK, said("The clock is right."))),
    ("bad", Result(Outcome.PROBLEM, said("The log cannot be written."), said("Make room on the disk."))),
    ("odd", Result(Outcome.WARNING, said("No proxy is used."), action=Action.TAKE_SCHEME, failure=Failure.CARD_MUTE)),
)]  # fmt: skip


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    for handler in root.handlers:
        handler.filters.clear()
    root.setLevel(level)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "log"
    place.mkdir(mode=0o700)
    (place / "tray.log").write_text(support_samples.LOG)
    return place


@pytest.fixture
def told() -> hosting.Told:
    return hosting.Told()


@pytest.fixture
def page(qtbot: QtBot, directory: Path, told: hosting.Told) -> Iterator[SupportPage]:
    services = hosting.services(theme=THEME, told=told)
    services.report = lambda number: told.wishes.append(("report", number))
    window = support_samples.page_window(THEME, services, directory)
    qtbot.addWidget(window)
    yield support_samples.support_page(window)
    window.hide()


class TestPresenter:
    def test_rows_say_the_outcome_in_words(self) -> None:
        rows = [present_check(*finding) for finding in FINDINGS]
        assert [row.spoken.split(". ")[1] for row in rows] == ["All well", "Problem", "Worth a look"]
        assert rows[2].text == "No proxy is used. (C202)"
        assert rows[2].button == "Open the links with this app"

    def test_problems_come_first(self) -> None:
        assert [row.id for row in in_order(present_check(*each) for each in FINDINGS)] == ["bad", "odd", "fine"]

    @pytest.mark.parametrize(
        ("found", "text"),
        [
            (FINDINGS, "1 problem found."),
            ([FINDINGS[0], FINDINGS[2]], "No problem, 1 thing worth a look."),
            ([FINDINGS[0]], "No problem found."),
        ],
    )
    def test_the_run_in_one_sentence(self, found: list[tuple[Scripted, Result]], text: str) -> None:
        assert summary(found) == text

    def test_hostile_words_are_made_harmless(self) -> None:
        result = Result(Outcome.OK, said("Found: {readers}", readers="a\u202eb\nc" + "x" * 5000))
        text = present_check(Scripted(), result).text
        assert "\u202e" not in text
        assert "\n" not in text
        assert len(text) <= 400

    def test_detailed_logging(self) -> None:
        until = datetime(2026, 11, 29, 12, 0)
        assert "2026-11-29 12:00" in detailed_note(until, locked=False)
        assert "organisation" in detailed_note(None, locked=True)
        assert "24 hours" in detailed_note(None, locked=False)

    def test_failures_met_lately(self) -> None:
        met = [MetFailure(datetime(2026, 11, 28, 9, number), "P301", "x") for number in range(9)]
        assert met_lines(met)[0] == "09:00 P301 Wrong code"
        assert len(met_lines(met)) == 5

    def test_licences_list_every_part(self) -> None:
        from sithsapp.support.licences import collect

        text = licence_text(collect())
        for name in ("SITHS eID-app", "Python", "PySide6", "cryptography", "pyscard", "msgspec"):
            assert name in text
        assert "EUROPEAN UNION PUBLIC LICENCE" in text.upper()


class TestSelfTest:
    @pytest.fixture
    def panel(self, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SelfTestPanel:
        self.contexts: list[Context] = []
        self.checks = [check for check, _ in FINDINGS]
        for check, result in FINDINGS:
            monkeypatch.setattr(check, "result", result)
        monkeypatch.setattr("sithsapp.support.checks.suite.all_checks", lambda: tuple(self.checks))

        def make() -> Context:
            self.contexts.append(context(tmp_path))
            return self.contexts[-1]

        made = SelfTestPanel(make)
        made.apply_theme(THEME)
        made.retranslate()
        qtbot.addWidget(made)
        made.show()
        return made

    def test_it_runs_in_the_background_and_shows_all(self, panel: SelfTestPanel, qtbot: QtBot) -> None:
        with qtbot.waitSignal(panel.background.ended):
            panel.button.click()
            assert panel.button.accessibleName() == "Cancel"
        texts = [text.text() for text in visible(panel, Text)]
        assert "1 problem found." in texts
        assert "The log cannot be written." in texts
        assert panel.button.accessibleName() == "Run the self-test"

    def test_a_hanging_test_can_be_broken_off(self, panel: SelfTestPanel) -> None:
        never = threading.Event()
        self.checks = [Scripted(id="hangs", go=never)]
        panel.run()
        panel.button.click()
        assert self.contexts[-1].cancelled.is_set()
        assert not panel.background.is_running
        assert panel.button.accessibleName() == "Run the self-test"
        never.set()

    def test_what_an_earlier_run_still_says_is_left_out(self, panel: SelfTestPanel, qtbot: QtBot) -> None:
        late = threading.Event()
        self.checks = [Scripted(id="late", go=late, result=Result(Outcome.PROBLEM, said("Disk space")))]
        panel.run()
        self.checks = [FINDINGS[0][0]]
        with qtbot.waitSignal(panel.background.ended):
            panel.run()
        late.set()
        QApplication.processEvents()
        assert "Disk space" not in [text.text() for text in visible(panel, Text)]

    def test_findings_follow_the_language(self, panel: SelfTestPanel) -> None:
        panel.show_results(FINDINGS)
        set_language("sv")
        panel.retranslate()
        texts = [text.text() for text in visible(panel, Text)]
        assert "Loggen kan inte skrivas." in texts
        assert "1 problem hittades." in texts

    def test_a_findings_button_says_what_is_wanted(self, panel: SelfTestPanel, qtbot: QtBot) -> None:
        panel.show_results(FINDINGS)
        with qtbot.waitSignal(panel.wanted) as wanted:
            button(panel, "Open the links with this app: Clock").click()
        assert wanted.args == [Action.TAKE_SCHEME]


class TestPage:
    def test_it_asks_for_a_report_about_nothing_in_particular(self, page: SupportPage, told: hosting.Told) -> None:
        button(page, "Create an error report …").click()
        assert told.wishes == [("report", "")]

    def test_versions_go_to_the_clipboard(self, page: SupportPage, qtbot: QtBot) -> None:
        QApplication.clipboard().clear()
        with qtbot.waitSignal(page.background.ended):
            button(page, "Copy version details").click()
        text = QApplication.clipboard().text()
        assert "SITHS eID-app: " in text
        assert "smart cards: pcsc-lite 9.9" in text
        assert button(page, "Copied")

    def test_detailed_logging_is_switched_and_told(self, page: SupportPage, directory: Path) -> None:
        page.detailed.switch.click()
        assert detailed_until(directory) is not None
        assert any(text.text().startswith("On until 20") for text in visible(page, Text))
        page.detailed.switch.click()
        assert detailed_until(directory) is None

    def test_the_organisations_level_is_not_overruled(self, qtbot: QtBot, directory: Path) -> None:
        services = hosting.services(theme=THEME)
        services.store = store_of({"log_level": "warning"})
        window = support_samples.page_window(THEME, services, directory)
        qtbot.addWidget(window)
        page = support_samples.support_page(window)
        assert not page.detailed.switch.isEnabled()
        assert "This setting is managed by your organisation." in [text.text() for text in visible(page, Text)]
        window.hide()

    def test_a_log_folder_that_takes_nothing_is_told_with_its_number(
        self, page: SupportPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(page_module, "set_detailed", fail)
        page.detailed.switch.click()
        assert not page.detailed.switch.isChecked()
        assert any("A953" in text.text() for text in visible(page, Text))

    @pytest.mark.parametrize(
        ("action", "wish"), [(Action.READ_CARD_AGAIN, "reread"), (Action.SHOW_SETTINGS, Place.SETTINGS)]
    )
    def test_actions_that_the_app_has_elsewhere(
        self, action: Action, wish: object, page: SupportPage, told: hosting.Told
    ) -> None:
        page.self_test.wanted.emit(action)
        assert told.wishes == [wish]

    def test_taking_the_links_tests_anew(self, page: SupportPage, monkeypatch: pytest.MonkeyPatch) -> None:
        taken: list[str] = []
        runs: list[bool] = []
        monkeypatch.setattr(page_module, "take_scheme", taken.append)
        monkeypatch.setattr(page.self_test, "run", lambda: runs.append(True))
        page.self_test.wanted.emit(Action.TAKE_SCHEME)
        assert (taken, runs) == (["siths"], [True])

    def test_links_that_could_not_be_taken_are_told(self, page: SupportPage, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(scheme: str) -> None:
            raise SithsError(Failure.SCHEME_NOT_TAKEN)

        monkeypatch.setattr(page_module, "take_scheme", refuse)
        page.self_test.wanted.emit(Action.TAKE_SCHEME)
        assert any("A952" in text.text() for text in visible(page, Text))
        assert not page.self_test.background.is_running

    def test_the_folder_is_made_private(
        self, page: SupportPage, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory.chmod(0o755)
        monkeypatch.setattr(page.self_test, "run", lambda: None)
        page.self_test.wanted.emit(Action.MAKE_LOG_PRIVATE)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700

    def test_licences_are_read_without_a_network(self, page: SupportPage, qtbot: QtBot) -> None:
        with qtbot.waitSignal(page.background.ended, timeout=20_000):
            page.licences.click()
        window = page._text_window
        assert window is not None
        assert "EUPL-1.2" in window.box.toPlainText()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isVisible()

    def test_the_accessibility_statement(self, page: SupportPage) -> None:
        page.accessibility.click()
        window = page._text_window
        assert window is not None
        assert "WCAG 2.2" in window.box.toPlainText()
        page.apply_theme(Theme(DARK))
        window.close()


class TestLog:
    def test_new_lines_come_by_themselves(self, page: SupportPage, directory: Path, qtbot: QtBot) -> None:
        with (directory / "tray.log").open("a") as file:
            file.write("2026-11-28 09:00:00,000 INFO MainThread sithsapp.x fresh\n")
        qtbot.waitUntil(lambda: "fresh" in page.log.box.toPlainText(), timeout=5000)

    def test_levels_hide_and_show(self, page: SupportPage) -> None:
        page.log.levels.picked.emit(2)
        assert "iso7816" not in page.log.box.toPlainText()
        assert "N403" in page.log.box.toPlainText()
        page.log.levels.picked.emit(0)
        assert "iso7816" in page.log.box.toPlainText()

    def test_nobody_looks_while_the_page_is_hidden(self, page: SupportPage) -> None:
        assert page.log._timer.isActive()
        page.window().hide()
        assert not page.log._timer.isActive()

    def test_following_can_be_switched_off(self, page: SupportPage) -> None:
        page.log.follow.switch.click()
        assert not page.log._timer.isActive()
        page.log.follow.switch.click()
        assert page.log._timer.isActive()

    def test_a_flood_stays_bounded(self, page: SupportPage, directory: Path) -> None:
        line = "2026-11-28 09:00:00,000 INFO MainThread sithsapp.x " + "y" * 60 + "\n"
        for _ in range(5):
            with (directory / "tray.log").open("a") as file:
                file.write(line * 5000)
            page.log.read()
        assert page.log.box.document().blockCount() <= MAX_LINES
        assert len(page.log._entries) <= 2000

    def test_hostile_lines_stay_text(self, page: SupportPage, directory: Path) -> None:
        with (directory / "tray.log").open("a", encoding="utf-8") as file:
            file.write("2026-11-28 09:00:00,000 INFO MainThread x <b>bold</b> \u202etxt.exe \u200bhidden\n")
        page.log.read()
        text = page.log.box.toPlainText()
        assert "<b>bold</b>" in text
        assert "\u202e" not in text
        assert "\u200b" not in text

    def test_copying_takes_what_is_shown(self, page: SupportPage) -> None:
        page.log.copy.click()
        assert "HostNotFound" in QApplication.clipboard().text()

    def test_it_cannot_be_edited(self, page: SupportPage) -> None:
        before = page.log.box.toPlainText()
        QTest.keyClicks(page.log.box, "abc")
        assert page.log.box.toPlainText() == before


class TestReport:
    @pytest.fixture
    def target(self, tmp_path: Path) -> Path:
        return tmp_path / "report.zip"

    @pytest.fixture
    def window(self, qtbot: QtBot, target: Path) -> Iterator[ReportWindow]:
        made = support_samples.report_window(THEME, target=target)
        qtbot.addWidget(made)
        yield made
        made.close()

    def test_what_is_previewed_is_saved_byte_for_byte(self, window: ReportWindow, target: Path) -> None:
        window.show_preview.click()
        shown = {}
        for number, part in enumerate(window.parts()):
            window.preview.files.picked.emit(number)
            shown[part.name] = window.preview.box.toPlainText()
        window.preview.back.click()
        window.save.click()
        with zipfile.ZipFile(target) as archive:
            assert {name: archive.read(name).decode() for name in archive.namelist()} == shown
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert "The error report is saved" in [text.text() for text in visible(window, Text)]

    @pytest.mark.parametrize("kind", [PartKind.COMPUTER, PartKind.LOG, PartKind.CERTIFICATES, PartKind.SETTINGS])
    def test_what_is_switched_off_is_not_in_it(self, kind: PartKind, window: ReportWindow) -> None:
        window.switches[kind].switch.click()
        assert kind not in {part.kind for part in window.parts()}
        assert len(window.parts()) == 4

    def test_the_failure_and_the_description_come_first(self, window: ReportWindow) -> None:
        text = window.parts()[0].text
        assert text.startswith("N403 ")
        assert support_samples.DESCRIPTION in text

    def test_a_description_is_redacted_as_all_else(self, window: ReportWindow) -> None:
        window._collected = Collected(support_samples.report(), Redactor([Private("Anna", "<name>")]))
        window.box.setPlainText("Anna, 19990919-9391, code 804913")
        assert "<name>, <personal-number>, code <digits>" in window.parts()[0].text

    def test_a_person_may_change_their_mind_about_the_place(self, window: ReportWindow, target: Path) -> None:
        window._choose_path = lambda parent, name: None
        window.save.click()
        assert not target.exists()

    def test_a_place_that_cannot_be_written_is_told(self, window: ReportWindow, tmp_path: Path) -> None:
        window._choose_path = lambda parent, name: tmp_path / "no" / name
        window.save.click()
        assert any("A950" in text.text() for text in visible(window, Text))

    def test_saving_before_all_is_collected_waits_for_it(self, qtbot: QtBot, target: Path) -> None:
        go = threading.Event()

        def collect() -> Collected:
            go.wait(20)
            return support_samples.collected()

        window = ReportWindow(lambda: collect, THEME, choose_path=lambda parent, name: target)
        qtbot.addWidget(window)
        window.open()
        window.save.click()
        assert "Collecting details …" in [text.text() for text in visible(window, Text)]
        with qtbot.waitSignal(window.background.ended):
            go.set()
        assert target.exists()
        window.close()

    def test_what_could_not_be_collected_is_told(self, qtbot: QtBot) -> None:
        def collect() -> Collected:
            raise ValueError("broken")

        window = ReportWindow(lambda: collect, THEME)
        qtbot.addWidget(window)
        with qtbot.waitSignal(window.background.ended):
            window.open()
        assert Failure.UNKNOWN.title in [text.text() for text in visible(window, Text)]
        window.close()

    def test_closing_forgets(self, window: ReportWindow) -> None:
        window.show_preview.click()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert window.isVisible()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isVisible()
        assert window.parts() == ()
        assert window.preview.box.toPlainText() == ""

    def test_a_report_that_is_being_written_is_not_lost(self, window: ReportWindow) -> None:
        window.open()
        assert window.box.toPlainText() == support_samples.DESCRIPTION
        assert window.parts()[0].text.startswith("N403 ")

    def test_texts_follow_the_language(self, window: ReportWindow) -> None:
        set_language("sv")
        window.retranslate()
        assert "Vad hände?" in [text.text() for text in visible(window, Text)]
        assert "Felkod N403" in "".join(text.text() for text in visible(window, Text))

    def test_a_link_at_the_place_leads_nowhere(self, window: ReportWindow, target: Path, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("precious")
        os.symlink(victim, target)
        window.save.click()
        assert victim.read_text() == "precious"
        assert zipfile.is_zipfile(target)


class TestOrderWindow:
    def test_a_failed_request_leads_to_a_report_about_it(self, qtbot: QtBot) -> None:
        window = order_window(options=WindowOptions(can_report=True))
        qtbot.addWidget(window)
        window.show_view(Finished(None, Failure.SERVICE_UNREACHABLE))
        settle(window)
        with qtbot.waitSignal(window.report_wanted) as wanted:
            button(window, "Create an error report …").click()
        assert wanted.args == ["N403"]
        assert not window.isVisible()

    @pytest.mark.parametrize(
        ("failure", "options"),
        [
            (Failure.ORDER_CANCELLED, WindowOptions(can_report=True)),
            (Failure.SERVICE_UNREACHABLE, WindowOptions()),
        ],
    )
    def test_what_is_no_error_or_has_nobody_to_make_it_offers_none(
        self, failure: Failure, options: WindowOptions, qtbot: QtBot
    ) -> None:
        window = order_window(options=options)
        qtbot.addWidget(window)
        window.show_view(Finished(None, failure))
        names = [each.accessibleName() for each in visible(window, type(window._problem._report))]
        assert names == ["Close"]
        window.hide()


def test_work_that_outlives_its_window_is_no_crash(qtbot: QtBot) -> None:
    go, done = threading.Event(), threading.Event()
    background = Background()

    def work(tell: object) -> None:
        go.wait(20)
        done.set()

    background.start("work", work)
    background.deleteLater()
    qtbot.wait(0)
    del background
    go.set()
    assert done.wait(20)


def test_a_moment_is_told_in_local_time() -> None:
    assert detailed_note(datetime.now(UTC).astimezone(), locked=False).startswith("On until 20")
