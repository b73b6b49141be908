# SPDX-License-Identifier: EUPL-1.2
"""Self-tests of card, desktop and the app's own places; running them side by side, bounded and cancellable."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.support.checks import desktop
from sithsapp.support.checks.cards import CardCheck, DriverCheck, ReaderCheck, ServiceCheck
from sithsapp.support.checks.check import Action, Check, Outcome, Result, said
from sithsapp.support.checks.desktop import BrowsersCheck, OtherSoftwareCheck, PropagationCheck, SchemeCheck
from sithsapp.support.checks.local import DiskCheck, LogFolderCheck, SettingsCheck, make_private
from sithsapp.support.checks.running import cancel_all, run_checks, run_one
from sithsapp.support.checks.scheme import SchemeOwner
from sithsapp.support.checks.suite import all_checks
from sithsapp.support.system.facts import BlockedLinks, Driver, Propagation, Session, SessionKind
from tests.parts.settings import store_of
from tests.support.desk import Scripted, StillSystem, cards, context, run
from tests.ui import samples

GONE = CardsState(False)


class TestCards:
    def test_a_service_that_is_gone_says_so_and_silences_the_rest(self, tmp_path: Path) -> None:
        assert run(ServiceCheck(), context(tmp_path, GONE)).failure is Failure.NO_READER_SERVICE
        assert run(ReaderCheck(), context(tmp_path, GONE)).outcome is Outcome.NOT_APPLICABLE

    def test_a_session_that_is_refused_is_told_from_a_service_that_is_gone(self, tmp_path: Path) -> None:
        refused = CardsState(False, failure=Failure.READER_ACCESS_DENIED)
        assert run(ServiceCheck(), context(tmp_path, refused)).failure is Failure.READER_ACCESS_DENIED

    def test_no_reader(self, tmp_path: Path) -> None:
        assert run(ReaderCheck(), context(tmp_path)).failure is Failure.NO_READER

    @pytest.mark.parametrize("kind", [SessionKind.CITRIX, SessionKind.HORIZON, SessionKind.RDP])
    def test_no_reader_in_a_remote_desktop_is_advised_on_otherwise(self, kind: SessionKind, tmp_path: Path) -> None:
        remote = run(ReaderCheck(), context(tmp_path, system=StillSystem(shown=Session(kind))))
        near = run(ReaderCheck(), context(tmp_path))
        assert remote.remedy != near.remedy
        assert "before you connect" in str(remote.remedy)

    @pytest.mark.parametrize(
        ("driver", "state", "outcome"),
        [
            (Driver(("pcsc-lite 1.9.9",), 1, True), cards(), Outcome.OK),
            (Driver(("pcsc-lite 1.9.9",), 1, True), CardsState(True), Outcome.PROBLEM),
            (Driver(("pcsc-lite 1.9.9",), 0, True), CardsState(True), Outcome.OK),
            (Driver((), 1, False), CardsState(True), Outcome.PROBLEM),
            (Driver((), 0, False), CardsState(True), Outcome.WARNING),
            (Driver((), None, None), cards(), Outcome.NOT_APPLICABLE),
        ],
    )
    def test_a_reader_without_a_driver(
        self, driver: Driver, state: CardsState, outcome: Outcome, tmp_path: Path
    ) -> None:
        assert run(DriverCheck(), context(tmp_path, state, system=StillSystem(drivers=driver))).outcome is outcome

    def test_a_card_that_failed_keeps_its_number_and_may_be_read_again(self, tmp_path: Path) -> None:
        result = run(CardCheck(), context(tmp_path, cards(SlotStatus.FAILED, failure=Failure.CARD_MUTE)))
        assert (result.failure, result.action) == (Failure.CARD_MUTE, Action.READ_CARD_AGAIN)

    def test_a_card_that_is_ready_and_one_with_a_locked_code(self, tmp_path: Path) -> None:
        ready = cards(SlotStatus.READY, samples.CARD)
        locked_pin = replace(samples.AUTH_PIN, blocked=True, tries_left=0)
        locked = cards(SlotStatus.READY, replace(samples.CARD, pins=(locked_pin, samples.SIGN_PIN)))
        assert run(CardCheck(), context(tmp_path, ready)).outcome is Outcome.OK
        assert run(CardCheck(), context(tmp_path, locked)).outcome is Outcome.WARNING

    def test_no_card_is_no_fault(self, tmp_path: Path) -> None:
        assert run(CardCheck(), context(tmp_path, cards())).outcome is Outcome.NOT_APPLICABLE


class TestDesktop:
    @pytest.mark.parametrize(
        ("owner", "outcome", "action"),
        [
            (SchemeOwner(True, "sithsapp"), Outcome.OK, None),
            (SchemeOwner(False, ""), Outcome.PROBLEM, Action.TAKE_SCHEME),
            (SchemeOwner(False, "other-client"), Outcome.WARNING, Action.TAKE_SCHEME),
            (None, Outcome.NOT_APPLICABLE, None),
        ],
    )
    def test_who_opens_the_links(
        self,
        owner: SchemeOwner | None,
        outcome: Outcome,
        action: Action | None,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setattr(desktop, "scheme_owner", lambda scheme: owner)
        result = run(SchemeCheck(), context(tmp_path))
        assert (result.outcome, result.action) == (outcome, action)
        if owner is not None and owner.name == "other-client":
            assert "other-client" in str(result.sentence)

    def test_a_desktop_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def refuse(scheme: str) -> SchemeOwner:
            raise SithsError(Failure.UNKNOWN, "xdg-mime query: FileNotFoundError")

        monkeypatch.setattr(desktop, "scheme_owner", refuse)
        assert run(SchemeCheck(), context(tmp_path)).outcome is Outcome.WARNING

    def test_other_software_matters_only_while_it_holds_the_card(self, tmp_path: Path) -> None:
        system = StillSystem(others=("Net iD",))
        beside = run(OtherSoftwareCheck(), context(tmp_path, cards(), system=system))
        held = cards(SlotStatus.FAILED, failure=Failure.CARD_IN_USE)
        holding = run(OtherSoftwareCheck(), context(tmp_path, held, system=system))
        assert (beside.outcome, holding.outcome) == (Outcome.OK, Outcome.PROBLEM)
        assert "Net iD" in str(beside.sentence)
        assert holding.details == ("Net iD",)

    @pytest.mark.parametrize(
        ("found", "outcome"),
        [
            (None, Outcome.NOT_APPLICABLE),
            (Propagation.NONE, Outcome.OK),
            (Propagation.SYSTEM, Outcome.OK),
            (Propagation.OTHER, Outcome.OK),
            (Propagation.BOTH, Outcome.WARNING),
        ],
    )
    def test_two_who_copy_certificates(self, found: Propagation | None, outcome: Outcome, tmp_path: Path) -> None:
        assert run(PropagationCheck(), context(tmp_path, system=StillSystem(copies=found))).outcome is outcome

    def test_a_browser_policy_names_the_browser_once(self, tmp_path: Path) -> None:
        blocked = (BlockedLinks("Chromium", "URLBlocklist"), BlockedLinks("Chromium", "Other"))
        result = run(BrowsersCheck(), context(tmp_path, system=StillSystem(blocked=blocked)))
        assert str(result.sentence).count("Chromium") == 1
        assert run(BrowsersCheck(), context(tmp_path)).outcome is Outcome.OK


Usage = namedtuple("Usage", "total used free")


class TestOwnPlaces:
    def test_a_log_folder_that_others_can_read_is_made_private(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        found = run(LogFolderCheck(), context(tmp_path))
        assert (found.outcome, found.action) == (Outcome.WARNING, Action.MAKE_LOG_PRIVATE)
        make_private(tmp_path)
        assert run(LogFolderCheck(), context(tmp_path)).outcome is Outcome.OK

    def test_a_log_folder_that_is_not_there(self, tmp_path: Path) -> None:
        assert run(LogFolderCheck(), context(tmp_path / "no")).outcome is Outcome.PROBLEM

    def test_a_log_folder_that_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert run(LogFolderCheck(), context(tmp_path)).outcome is Outcome.PROBLEM

    @pytest.mark.parametrize(
        ("free", "outcome"),
        [(10**10, Outcome.OK), (10**8, Outcome.WARNING), (10**6, Outcome.PROBLEM)],
    )
    def test_disk_space(self, free: int, outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**11, 0, free))
        assert run(DiskCheck(), context(tmp_path / "not" / "yet")).outcome is outcome

    def test_settings_that_were_left_out_say_why(self, tmp_path: Path) -> None:
        result = run(SettingsCheck(), context(tmp_path, settings=store_of(language="klingon")))
        assert (result.outcome, result.failure) == (Outcome.WARNING, Failure.SETTINGS_INVALID)
        assert "language" in str(result.sentence)


class TestRunning:
    def test_all_have_ids_and_titles_of_their_own(self) -> None:
        checks = all_checks()
        assert len({check.id for check in checks}) == len({check.title for check in checks}) == len(checks) == 15

    def test_they_run_side_by_side_and_each_is_told(self, tmp_path: Path) -> None:
        meeting = threading.Barrier(3, timeout=20)

        class Meets(Scripted):
            def run(self, context: object) -> Result:
                meeting.wait()  # each waits for the others: one after the other they would never end
                return self.result

        told: list[str] = []
        checks = [Meets(id=name) for name in "abc"]
        run_checks(checks, context(tmp_path), lambda check, result: told.append(check.id), seconds=20)
        assert sorted(told) == ["a", "b", "c"]

    def test_one_that_hangs_holds_nobody_up(self, tmp_path: Path) -> None:
        never = threading.Event()
        told: dict[str, Outcome] = {}

        def note(check: Check, result: Result) -> None:
            told[check.id] = result.outcome

        run_checks([Scripted(id="hangs", go=never), Scripted(id="quick")], context(tmp_path), note, seconds=0.5)
        never.set()
        assert told == {"hangs": Outcome.WARNING, "quick": Outcome.OK}

    def test_breaking_off_ends_at_once_and_tells_no_more(self, tmp_path: Path) -> None:
        never, desk = threading.Event(), context(tmp_path)
        told: list[str] = []

        def note(check: Check, result: Result) -> None:
            told.append(check.id)
            desk.cancelled.set()

        started = time.monotonic()
        run_checks([Scripted(id="hangs", go=never), Scripted(id="quick")], desk, note, seconds=60)
        never.set()
        assert time.monotonic() - started < 20
        assert told == ["quick"]

    def test_all_runs_are_broken_off_before_the_process_ends(self, tmp_path: Path) -> None:
        never, desk = threading.Event(), context(tmp_path)
        ended = threading.Thread(
            target=run_checks, args=([Scripted(go=never)], desk, lambda check, result: None), daemon=True
        )
        ended.start()
        while not threading.active_count() or "check scripted" not in {t.name for t in threading.enumerate()}:
            ended.join(0.01)
        cancel_all(0.1)
        ended.join(20)
        assert not ended.is_alive()
        assert desk.cancelled.is_set()
        never.set()

    def test_what_a_self_test_raises_is_a_finding(self, tmp_path: Path) -> None:
        known = run_one(Scripted(error=SithsError(Failure.CARD_ERROR, "detail")), context(tmp_path))
        unknown = run_one(Scripted(error=ValueError("Anna 804913")), context(tmp_path))
        assert (known.failure, known.details) == (Failure.CARD_ERROR, ("detail",))
        assert unknown.outcome is Outcome.WARNING
        assert unknown.details == ("ValueError",)

    def test_a_text_follows_the_language(self) -> None:
        text = said("{title}: {hosts}", title=said("Clock"), hosts="a.example")
        set_language("en")
        assert str(text) == "Clock: a.example"
        set_language("sv")
        assert str(text) == "Klocka: a.example"
        set_language("system")
