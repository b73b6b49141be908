# SPDX-License-Identifier: EUPL-1.2
"""Arguments, exit codes, and what is said of failures that nobody foresaw."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp import __version__
from sithsapp.cli import cards, login, main
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language

TOKEN = "A" * 43


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings and log of the test's own; the process's logging and language are put back."""
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("LANGUAGE", "en")
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    set_language("system")


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def command(*_: object) -> int:
        raise error

    monkeypatch.setattr(cards, "status", command)


def written_log(tmp_path: Path) -> str:
    return (tmp_path / "state" / "sithsapp" / "log" / "cli.log").read_text()


class TestArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["nothing"],
            ["login"],
            ["login", "siths:", "--pin-fd", "x"],
            ["login", "siths:", "--pin", "804913"],
            ["login", "siths:", "804913"],
            ["demo-card"],
            ["status", "--jso", "x"],
        ],
    )
    def test_wrong_usage(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main.main(arguments)
        assert caught.value.code == 2
        assert capsys.readouterr().out == ""

    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main.main(["--version"])
        assert caught.value.code == 0
        assert capsys.readouterr().out == f"{__version__}\n"

    def test_a_log_in(self) -> None:
        parsed = main._parser().parse_args(["login", "siths:x", "--json", "--pin-fd", "7", "--last-try-ok"])
        assert vars(parsed) | {"run": None} == {
            "launch_url": "siths:x", "json": True, "pin_fd": 7, "last_try_ok": True, "run": None,
        }  # fmt: skip

    def test_a_demo_card(self) -> None:
        parsed = main._parser().parse_args(["demo-card", "here"])
        assert (parsed.directory, parsed.port, parsed.json) == ("here", 35963, False)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "siths",
        "siths:",
        "siths:start",
        "siths://start",
        f"siths:start?v=2&s=demo&t={TOKEN}",
        f"siths:start?v=1&s=DEMO&t={TOKEN}",
        f"siths:start?v=1&s=demo&t={TOKEN}\n",
        f"siths:start?v=1&s=demo&t={TOKEN}#",
        f"siths:start?v=1&s=demo&t={TOKEN}A",
        f"siths:start?v=1&s=demo&s=demo&t={TOKEN}",
        f" siths:start?v=1&s=demo&t={TOKEN}",
        f"SITHS:start?v=1&s=demo&t={TOKEN}",
        f"siths:start?v=1&s=démo&t={TOKEN}",
        f"https://localhost/start?v=1&s=demo&t={TOKEN}",
    ],
)
def test_a_bad_link_is_refused_before_anything_is_started(
    link: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(login, "running_card_service", None)
    assert main.main(["login", "--json", "--", link]) == Failure.BAD_LINK.exit_code
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["number"] == "A901"
    assert TOKEN not in shown.out + shown.err + written_log(tmp_path)


class TestFailures:
    @pytest.mark.parametrize("failure", Failure)
    def test_each_failure_has_its_exit_code(
        self, failure: Failure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fail_with(monkeypatch, SithsError(failure, "detail"))
        assert main.main(["status", "--json"]) == failure.exit_code
        assert json.loads(capsys.readouterr().out)["error"]["number"] == failure.number

    def test_exit_codes_are_told_apart(self) -> None:
        codes = [failure.exit_code for failure in Failure]
        assert len(set(codes)) == len(codes)
        assert not {0, 2, 130} & set(codes)

    @pytest.mark.parametrize("options", [(), ("--json",)])
    def test_what_nobody_foresaw_has_a_number_and_says_nothing(
        self,
        options: tuple[str, ...],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        fail_with(monkeypatch, RuntimeError("code 804913 of Anna Andersson"))
        assert main.main(["status", *options]) == 1
        shown = capsys.readouterr()
        everything = shown.out + shown.err + written_log(tmp_path)
        assert "A999" in shown.out + shown.err
        assert "RuntimeError" in everything
        assert "804913" not in everything
        assert "Anna" not in everything

    def test_interrupted(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        fail_with(monkeypatch, KeyboardInterrupt())
        assert main.main(["status", "--json"]) == 130
        assert capsys.readouterr() == ("", "")


class TestSettings:
    def write(self, tmp_path: Path, text: str) -> None:
        directory = tmp_path / "config" / "sithsapp"
        directory.mkdir(parents=True)
        (directory / "settings.json").write_text(text)

    def run(self, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
        seen = argparse.Namespace()

        def status(_arguments: object, settings: object, output: object) -> int:
            seen.settings = settings
            return 0

        monkeypatch.setattr(cards, "status", status)
        seen.exit_code = main.main(["status", "--json"])
        return seen

    def test_they_are_read_and_the_language_is_chosen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from sithsapp.locale import language

        self.write(tmp_path, '{"environment": "test", "language": "sv", "log_level": "debug"}')
        assert self.run(monkeypatch).settings.environment == "test"
        assert language() == "sv"
        assert logging.getLogger().level == logging.DEBUG

    @pytest.mark.parametrize("text", ["{", '{"environment": "elsewhere"}', '{"unknown": 1}', "[]"])
    def test_a_broken_file_is_named_and_left_out(
        self, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.write(tmp_path, text)
        assert self.run(monkeypatch).settings.environment == "production"
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("A904 ")
        assert "settings.json" in shown.err


def test_the_process_ends_in_order_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def status(*_: object) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(cards, "status", status)
    monkeypatch.setattr(sys, "argv", ["siths", "status"])
    try:
        assert main.main() == 130
    finally:
        signal.signal(signal.SIGTERM, before)
