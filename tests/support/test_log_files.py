# SPDX-License-Identifier: EUPL-1.2
"""Logs read back: by time and level, rotated or begun anew, and whatever a hostile hand puts in their place."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.support.detail import LASTS, apply_level, detailed_until, set_detailed
from sithsapp.support.log import SafeFormatter, start_logging
from sithsapp.support.log_files import MAX_LINE, LogTail, at_least, entries, recent_entries
from sithsapp.support.recent import KEPT, RecentFailures, numbers_in
from sithsapp.support.safe_file import create_file, read_end, read_small, replace_file

NOW = datetime(2026, 11, 28, 12, 0)
LINE = "2026-11-28 11:00:00,000 INFO MainThread sithsapp.x something\n"


def line(when: datetime, level: str = "INFO", text: str = "something") -> str:
    return f"{when:%Y-%m-%d %H:%M:%S},000 {level} MainThread sithsapp.x {text}\n"


class TestEntries:
    def test_records_with_their_levels_and_further_lines(self) -> None:
        text = line(NOW) + line(NOW, "ERROR", "it failed") + "  ValueError\n  at run x.py:3\n" + line(NOW, "DEBUG")
        found = list(entries(text))
        assert [entry.level for entry in found] == ["INFO", "ERROR", "DEBUG"]
        assert found[1].text.split("\n")[1:] == ["  ValueError", "  at run x.py:3"]

    def test_what_the_formatter_writes_is_read_as_one_record(self) -> None:
        record = logging.LogRecord("x", logging.INFO, "f", 1, "a\n" + LINE, (), None)
        assert len(list(entries(SafeFormatter().format(record)))) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\n\n",
            "no head\n",
            "2026-99-99 11:00:00,000 INFO x\n",
            "2026-11-28 11:00:00,000 SHOUT x\n",
            "\x00" * 99,
        ],
    )
    def test_what_has_no_head_is_left_out(self, text: str) -> None:
        assert list(entries(text)) == []

    def test_a_line_without_end_is_cut(self) -> None:
        (entry,) = entries(LINE.strip() + "x" * 500_000)
        assert len(entry.text) < MAX_LINE + 10

    def test_levels(self) -> None:
        found = list(entries(line(NOW, "DEBUG") + line(NOW, "WARNING") + line(NOW, "CRITICAL")))
        assert [entry.level for entry in at_least(found, "WARNING")] == ["WARNING", "CRITICAL"]


class TestRecent:
    def test_the_last_day_across_rotated_files(self, tmp_path: Path) -> None:
        (tmp_path / "tray.log.1").write_text(
            line(NOW - timedelta(hours=30)) + line(NOW - timedelta(hours=20), text="b")
        )
        (tmp_path / "tray.log").write_text(line(NOW - timedelta(hours=1), text="c"))
        found = recent_entries(tmp_path, "tray", NOW - timedelta(hours=24))
        assert [entry.text[-1] for entry in found] == ["b", "c"]

    def test_only_the_end_of_a_huge_file_is_read(self, tmp_path: Path) -> None:
        with (tmp_path / "tray.log").open("wb") as file:
            file.truncate(10 * 1024**3)  # sparse: ten gigabytes of nothing
            file.seek(0, os.SEEK_END)
            file.write(b"\n" + line(NOW).encode())
        assert len(recent_entries(tmp_path, "tray", NOW - timedelta(hours=1))) == 1

    @pytest.mark.parametrize("kind", ["link", "pipe", "directory", "nothing"])
    def test_what_is_no_file_of_ours_is_not_read(self, kind: str, tmp_path: Path) -> None:
        secret, path = tmp_path / "secret", tmp_path / "tray.log"
        secret.write_text(line(NOW, text="secret"))
        if kind == "link":
            path.symlink_to(secret)
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        assert recent_entries(tmp_path, "tray", NOW - timedelta(hours=1)) == []
        assert LogTail(path).read() == []

    def test_octets_that_are_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "tray.log").write_bytes(line(NOW, text="a").encode() + b"\xff\xfe\x00\xc3\n" + line(NOW).encode())
        assert len(recent_entries(tmp_path, "tray", NOW - timedelta(hours=1))) == 2


class TestTail:
    def test_new_records_once_each(self, tmp_path: Path) -> None:
        path = tmp_path / "tray.log"
        path.write_text(line(NOW, text="a"))
        tail = LogTail(path)
        assert [entry.text[-1] for entry in tail.read()] == ["a"]
        assert tail.read() == []
        with path.open("a") as file:
            file.write(line(NOW, text="b") + line(NOW, text="c")[:20])
        assert [entry.text[-1] for entry in tail.read()] == ["b"]
        with path.open("a") as file:
            file.write(line(NOW, text="c")[20:])
        assert [entry.text[-1] for entry in tail.read()] == ["c"]

    def test_a_file_that_was_rotated_or_emptied(self, tmp_path: Path) -> None:
        path = tmp_path / "tray.log"
        path.write_text(line(NOW, text="a") * 3)
        tail = LogTail(path)
        tail.read()
        path.rename(tmp_path / "tray.log.1")
        path.write_text(line(NOW, text="b"))
        assert [entry.text[-1] for entry in tail.read()] == ["b"]
        os.truncate(path, 0)
        assert tail.read() == []
        path.write_text(line(NOW, text="d"))
        assert [entry.text[-1] for entry in tail.read()] == ["d"]

    def test_a_file_that_comes_later(self, tmp_path: Path) -> None:
        tail = LogTail(tmp_path / "tray.log")
        assert tail.read() == []
        (tmp_path / "tray.log").write_text(line(NOW))
        assert len(tail.read()) == 1

    def test_a_writer_that_is_faster_than_the_reader_is_skipped_over(self, tmp_path: Path) -> None:
        path = tmp_path / "tray.log"
        path.write_text(line(NOW))
        tail = LogTail(path)
        tail.read()
        with path.open("a") as file:
            file.write(line(NOW) * 60_000)
        assert 0 < len(tail.read()) < 20_000


class TestFailuresMet:
    def log(self) -> tuple[RecentFailures, logging.Logger]:
        handler, logger = RecentFailures(), logging.Logger("sithsapp.test")
        logger.addHandler(handler)
        return handler, logger

    def test_numbers_and_nothing_else_are_kept(self) -> None:
        handler, logger = self.log()
        logger.warning("%s", SithsError(Failure.CARD_MUTE, "a detail"))
        logger.info("order ends: %s", SithsError(Failure.PIN_WRONG))
        logger.info("Z999 NO_SUCH and C999 UNKNOWN_ONE, 2026 INFO")
        assert [(met.number, met.source) for met in handler.latest()] == [
            ("P301", "sithsapp.test"), ("C202", "sithsapp.test"),
        ]  # fmt: skip

    def test_no_more_than_a_few_are_kept_and_repeats_once(self) -> None:
        handler, logger = self.log()
        for number in range(500):
            logger.warning("%s", SithsError(Failure.CARD_MUTE if number % 4 < 2 else Failure.PIN_WRONG))
        assert len(handler.latest()) == KEPT

    def test_a_record_that_cannot_be_formatted_is_no_crash(self) -> None:
        handler, _ = self.log()
        handler.handle(logging.LogRecord("x", logging.INFO, "f", 1, "%d", ("no number",), None))
        assert handler.latest() == ()

    def test_every_failure_is_found_as_it_is_logged(self) -> None:
        assert [numbers_in(f"x {SithsError(failure)}") for failure in Failure] == [[f.number] for f in Failure]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.filters.clear()
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising


@pytest.mark.usefixtures("_root_logger")
class TestDetailedLogging:
    def test_it_is_kept_for_later_starts(self, tmp_path: Path) -> None:
        start_logging(tmp_path, "tray", "warning")
        set_detailed(tmp_path, "warning", on=True)
        assert logging.getLogger().level == logging.DEBUG
        logging.getLogger().setLevel(logging.ERROR)
        start_logging(tmp_path, "tray", "warning")
        assert logging.getLogger().level == logging.DEBUG
        assert stat.S_IMODE((tmp_path / "detailed-until").stat().st_mode) == 0o600

    def test_it_ends_by_itself_with_the_first_record_after_a_day(self, tmp_path: Path) -> None:
        start_logging(tmp_path, "tray", "warning")
        set_detailed(tmp_path, "warning", on=True)
        logger = logging.getLogger("sithsapp.x")
        logger.debug("within the day")
        late = datetime.now().timestamp() + LASTS.total_seconds() + 60
        for level, text in ((logging.DEBUG, "late detail"), (logging.WARNING, "late warning")):
            record = logger.makeRecord("sithsapp.x", level, "f", 1, text, (), None)
            record.created = late
            logger.handle(record)
        written = (tmp_path / "tray.log").read_text()
        assert "within the day" in written
        assert "late warning" in written
        assert "late detail" not in written
        assert logging.getLogger().level == logging.WARNING

    def test_it_can_be_switched_off_earlier(self, tmp_path: Path) -> None:
        start_logging(tmp_path, "tray", "info")
        set_detailed(tmp_path, "info", on=True)
        assert set_detailed(tmp_path, "info", on=False) is None
        assert logging.getLogger().level == logging.INFO
        assert set_detailed(tmp_path, "info", on=False) is None  # twice is once

    def test_another_level_of_the_settings_does_not_end_it(self, tmp_path: Path) -> None:
        start_logging(tmp_path, "tray", "info")
        set_detailed(tmp_path, "info", on=True)
        apply_level(tmp_path, "error")
        assert logging.getLogger().level == logging.DEBUG

    def test_it_is_over_after_a_day(self, tmp_path: Path) -> None:
        clock = Clock()
        set_detailed(tmp_path, "info", on=True, clock=clock)
        clock.now += timedelta(hours=23, minutes=59)
        assert detailed_until(tmp_path, clock) is not None
        clock.now += timedelta(minutes=2)
        assert detailed_until(tmp_path, clock) is None

    def test_a_clock_that_was_set_back_does_not_prolong_it(self, tmp_path: Path) -> None:
        clock = Clock()
        set_detailed(tmp_path, "info", on=True, clock=clock)
        clock.now -= timedelta(days=3)
        assert detailed_until(tmp_path, clock) is None

    @pytest.mark.parametrize(
        "text", ["", "never", "2999-01-01T00:00:00+00:00", "2026-11-28T13:00:00", "9" * 10_000, "\xff"]
    )
    def test_a_file_that_says_something_else_means_off(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "detailed-until").write_text(text)
        assert detailed_until(tmp_path, Clock()) is None

    def test_a_link_in_its_place_is_replaced_and_not_followed(self, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("precious")
        (tmp_path / "detailed-until").symlink_to(victim)
        set_detailed(tmp_path, "info", on=True)
        assert victim.read_text() == "precious"
        assert detailed_until(tmp_path) is not None


class TestSafeFiles:
    def test_a_new_file_is_private_whatever_the_mask(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            create_file(tmp_path / "a", b"x")
            replace_file(tmp_path / "b", b"x")
        finally:
            os.umask(before)
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}

    @pytest.mark.parametrize("dangling", [True, False])
    def test_a_link_is_not_written_through(self, dangling: bool, tmp_path: Path) -> None:
        victim, link = tmp_path / "victim", tmp_path / "link"
        if not dangling:
            victim.write_text("precious")
        link.symlink_to(victim)
        with pytest.raises(FileExistsError):
            create_file(link, b"x")
        replace_file(link, b"x")
        assert victim.exists() is not dangling
        assert dangling or victim.read_text() == "precious"
        assert not link.is_symlink()

    def test_nothing_is_left_behind_when_writing_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(descriptor: int) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(os, "fsync", fail)
        for write in (create_file, replace_file):
            with pytest.raises(OSError, match="disk full"):
                write(tmp_path / "a", b"x")
        assert list(tmp_path.iterdir()) == []

    def test_reading_is_bounded(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"12345\n67890\n")
        assert read_end(tmp_path / "a", 8) == b"67890\n"
        with pytest.raises(OSError, match="too long"):
            read_small(tmp_path / "a", 5)
