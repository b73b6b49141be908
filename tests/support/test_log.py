# SPDX-License-Identifier: EUPL-1.2
"""The log keeps out what callers cannot see, and is nobody else's to read."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.support.log import SafeFormatter, start_logging


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising


def test_a_foreign_exception_is_logged_without_its_text(tmp_path: Path) -> None:
    start_logging(tmp_path / "log", "tray", "info")
    try:
        int("804913 Anna")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    text = (tmp_path / "log" / "tray.log").read_text()
    assert "it failed" in text
    assert "ValueError" in text
    assert "test_log.py" in text
    assert "804913" not in text
    assert "Anna" not in text


def test_our_own_exception_is_logged_with_its_detail_and_the_cause_by_type(tmp_path: Path) -> None:
    start_logging(tmp_path, "tray", "info")
    try:
        try:
            raise KeyError("secret")
        except KeyError as error:
            raise SithsError(Failure.CARD_ERROR, "SELECT gave 6F00") from error
    except SithsError:
        logging.getLogger("x").exception("card")
    text = (tmp_path / "tray.log").read_text()
    assert "C204 CARD_ERROR: SELECT gave 6F00" in text
    assert "KeyError" in text
    assert "secret" not in text


def test_a_text_cannot_forge_a_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "a\n2026 INFO forged\r\x1b[31m", (), None)
    first, *rest = SafeFormatter().format(record).split("\n")
    assert all(line.startswith("  ") for line in rest)
    assert "\x1b" not in "".join([first, *rest])


def test_the_log_is_private_and_bounded(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    start_logging(directory, "tray", "info")
    for _ in range(300):
        logging.getLogger("x").info("%s", "x" * 10_000)
    files = list(directory.iterdir())
    assert 2 <= len(files) <= 4
    assert sum(file.stat().st_size for file in files) < 5_000_000
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_made_does_not_stop_the_app(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    start_logging(tmp_path / "file" / "log", "tray", "info")
    assert isinstance(logging.getLogger().handlers[0], logging.StreamHandler)
