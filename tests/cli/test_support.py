# SPDX-License-Identifier: EUPL-1.2
"""`siths support check | report | log`: what they print, write and return."""

from __future__ import annotations

import io
import json
import logging
import stat
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.cli import main, support
from sithsapp.failures import Failure
from sithsapp.locale import set_language
from sithsapp.support.checks.check import Check, Outcome, Result, Said, failed, ok
from tests.support.desk import Scripted, cards, context
from tests.ui import samples


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    yield tmp_path
    for handler in root.handlers:
        handler.filters.clear()
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    set_language("system")


RESULTS = [
    (Scripted(id="clock", title="Clock"), ok("The clock is right.")),
    (Scripted(id="disk", title="Disk space"), failed(Failure.CARD_MUTE)),
    (Scripted(id="proxy", title="Proxy"), Result(Outcome.NOT_APPLICABLE, Said("No proxy is used."))),
]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Check, Result]]:
    """What the self-tests find; the cards are those of a quiet desk."""
    found: list[tuple[Check, Result]] = [*RESULTS]

    def run(settings: object) -> tuple[Any, list[tuple[Check, Result]]]:
        return context(tmp_path / "state" / "sithsapp" / "log", cards(SlotStatus.READY, samples.CARD)), found

    monkeypatch.setattr(support, "_run", run)
    return found


@pytest.mark.usefixtures("results")
class TestCheck:
    def test_a_problem_is_an_exit_code_and_a_line_with_its_remedy(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["support", "check"]) == Failure.CHECKS_FOUND_PROBLEMS.exit_code
        lines = capsys.readouterr().out.split("\n")
        assert lines[0] == "+ Clock: The clock is right."
        assert lines[1] == "! Disk space: The card does not answer (C202)"
        assert lines[2] == "    Take the card out, wipe the chip and insert it again."
        assert lines[3] == "- Proxy: No proxy is used."

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        main.main(["support", "check", "--json"])
        found = json.loads(capsys.readouterr().out)["checks"]
        assert [each["outcome"] for each in found] == ["ok", "problem", "not_applicable"]
        assert (found[1]["id"], found[1]["failure"], found[0]["failure"]) == ("disk", "C202", None)

    def test_without_problems_all_is_well(
        self, results: list[tuple[Check, Result]], capsys: pytest.CaptureFixture[str]
    ) -> None:
        del results[1]
        assert main.main(["support", "check"]) == 0
        assert "Clock" in capsys.readouterr().out


class TestRealRun:
    def test_it_ends_by_itself_with_an_answer_for_each(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], qapp: object
    ) -> None:
        class Still:
            state = CardsState(True, ())

        @contextmanager
        def still(settings: object) -> Iterator[Still]:
            yield Still()

        monkeypatch.setattr(support, "running_card_service", still)
        monkeypatch.setattr(support, "settled", lambda service: service.state)
        main.main(["support", "check", "--json"])
        found = json.loads(capsys.readouterr().out)["checks"]
        assert len(found) == 15
        assert [each["id"] for each in found][:2] == ["service", "reader"]
        assert next(each for each in found if each["id"] == "reader")["failure"] == "R102"


@pytest.mark.usefixtures("results")
class TestReport:
    def test_it_is_written_for_its_owner_alone(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["support", "report", "--json", "--output", "r.zip"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert stat.S_IMODE((home / "r.zip").stat().st_mode) == 0o600
        with zipfile.ZipFile(home / "r.zip") as archive:
            assert archive.namelist() == told["parts"]
        assert {"computer.txt", "checks.txt", "settings.txt", "certificates.txt"} <= set(told["parts"])

    def test_without_a_name_it_gets_one_with_the_date(self, home: Path) -> None:
        assert main.main(["support", "report"]) == 0
        (found,) = home.glob("siths-felrapport-20*.zip")
        assert zipfile.is_zipfile(found)

    def test_a_file_that_exists_stays_unless_forced(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (home / "r.zip").write_text("precious")
        assert main.main(["support", "report", "--output", "r.zip"]) == Failure.REPORT_NOT_SAVED.exit_code
        assert (home / "r.zip").read_text() == "precious"
        assert "A950" in capsys.readouterr().err
        assert main.main(["support", "report", "--output", "r.zip", "--force"]) == 0

    def test_what_happened_from_a_file_or_from_here(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (home / "what").write_text("It broke. My code is 804913.")
        arguments = ["support", "report", "--preview", "--description-file"]
        assert main.main([*arguments, "what"]) == 0
        monkeypatch.setattr(sys, "stdin", io.StringIO("It broke again."))
        assert main.main([*arguments, "-", "--failure", "N403"]) == 0
        shown = capsys.readouterr().out
        assert "It broke. My code is <digits>." in shown
        assert "N403 Cannot reach the authentication service" in shown
        assert "It broke again." in shown
        assert "804913" not in shown

    def test_previewing_writes_nothing(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = set(home.rglob("*"))
        assert main.main(["support", "report", "--preview", "--json"]) == 0
        assert {part["name"] for part in json.loads(capsys.readouterr().out)["parts"]} >= {"computer.txt"}
        assert {path.suffix for path in set(home.rglob("*")) - before} <= {".log", ""}

    def test_parts_can_be_left_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        main.main(["support", "report", "--preview", "--json", "--without", "log", "--without", "settings"])
        names = {part["name"] for part in json.loads(capsys.readouterr().out)["parts"]}
        assert names == {"computer.txt", "checks.txt", "certificates.txt"}

    @pytest.mark.parametrize("arguments", [["--failure", "X999"], ["--description-file", "missing"]])
    def test_what_is_not_there_is_a_numbered_failure(
        self, arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main.main(["support", "report", *arguments]) == Failure.REPORT_NOT_SAVED.exit_code
        assert list(home.glob("*.zip")) == []


class TestLog:
    @pytest.fixture
    def log(self, home: Path) -> Path:
        path = home / "state" / "sithsapp" / "log" / "tray.log"
        path.parent.mkdir(parents=True)
        path.write_text(
            "2026-11-28 08:00:00,000 DEBUG MainThread x one\n2026-11-28 08:00:01,000 ERROR MainThread x two\x1b[31m\n"
        )
        return path

    def test_it_is_shown_without_what_moves_a_cursor(self, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["support", "log"]) == 0
        shown = capsys.readouterr().out
        assert "x one" in shown
        assert "two" in shown
        assert "\x1b" not in shown

    def test_levels_and_json(self, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["support", "log", "--level", "error", "--json"]) == 0
        (record,) = json.loads(capsys.readouterr().out)["records"]
        assert (record["level"], record["time"]) == ("ERROR", "2026-11-28T08:00:01")

    def test_following_goes_on_until_interrupted(
        self, log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                raise KeyboardInterrupt
            with log.open("a") as file:
                file.write(f"2026-11-28 08:01:0{len(pauses)},000 INFO MainThread x fresh {len(pauses)}\n")

        monkeypatch.setattr(time, "sleep", pause)
        assert main.main(["support", "log", "--follow"]) == 130
        shown = capsys.readouterr().out
        assert shown.index("fresh 1") < shown.index("fresh 2")
        assert shown.count("x one") == 1

    def test_a_log_that_is_not_there_is_an_empty_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["support", "log", "--role", "link"]) == 0
        assert capsys.readouterr().out == ""
