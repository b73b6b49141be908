# SPDX-License-Identifier: EUPL-1.2
"""What is printed: whole for programs, harmless for terminals."""

from __future__ import annotations

import io
import json
import sys

import pytest

from sithsapp.cli.output import Output, failure_data, json_text, printable
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language

HOSTILE = "a\x1b[2J\x07\r\nb\x9b31m\u202ec\u200bd\ud800\x00\u2028e"


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def test_printable_keeps_words_and_nothing_that_moves_the_cursor() -> None:
    assert printable("Åsa Öberg – 9 ‰ 漢字") == "Åsa Öberg – 9 ‰ 漢字"
    shown = printable(HOSTILE)
    assert len(shown) == len(HOSTILE)
    assert shown.isprintable()
    assert "a\ufffd[2J" in shown


@pytest.mark.parametrize("only_ascii", [False, True])
def test_json_is_the_same_value_and_harmless(only_ascii: bool) -> None:
    data = {"holder": HOSTILE, "list": ["Å", {HOSTILE: 1}], "none": None}
    text = json_text(data, only_ascii=only_ascii)
    assert json.loads(text) == data
    assert all(sign == "\n" or sign.isprintable() for sign in text)
    assert text.isascii() is only_ascii


class TestText:
    def test_results_are_lines_on_standard_output(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(as_json=False).result({"a": 1}, ["first", "sec\x1bond"])
        assert capsys.readouterr() == ("first\nsec\ufffdond\n", "")

    def test_notes_go_to_standard_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(as_json=False).note("hello\x1b\nforged")
        assert capsys.readouterr() == ("", "hello\ufffd\ufffdforged\n")

    def test_a_failure_has_number_cause_remedy_and_tries(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = Output(as_json=False).failure(SithsError(Failure.PIN_WRONG, "6 3C2\x1b", tries_left=2))
        shown = capsys.readouterr()
        assert code == Failure.PIN_WRONG.exit_code
        assert shown.out == ""
        assert shown.err.splitlines() == [
            "P301 Wrong code",
            "  The code that was entered is not the card's code.",
            "  Attempts left: 2",
            "  Check which code is asked for and try again.",
            "  (6 3C2\ufffd)",
        ]

    def test_a_failure_in_swedish(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_language("sv")
        Output(as_json=False).failure(SithsError(Failure.PIN_WRONG))
        assert "P301 Fel kod" in capsys.readouterr().err


class TestJson:
    def test_one_object_and_nothing_else(self, capsys: pytest.CaptureFixture[str]) -> None:
        Output(as_json=True).result({"name": "Åsa"}, ["never shown"])
        shown = capsys.readouterr()
        assert (json.loads(shown.out), shown.err) == ({"name": "Åsa"}, "")

    def test_a_failure(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = Output(as_json=True).failure(SithsError(Failure.CARD_REMOVED, "gone"))
        shown = capsys.readouterr()
        error = json.loads(shown.out)["error"]
        assert (code, shown.err) == (Failure.CARD_REMOVED.exit_code, "")
        assert (error["number"], error["retriable"], error["detail"]) == ("C203", True, "gone")
        assert "tries_left" not in error

    def test_only_ascii_where_the_terminal_knows_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
        Output(as_json=True).result({"name": "Åsa 漢"}, ())
        assert raw.getvalue().isascii()
        assert json.loads(raw.getvalue()) == {"name": "Åsa 漢"}

    def test_a_pipe_gets_it_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8", write_through=False))
        Output(as_json=False).result({}, ["now"])
        assert raw.getvalue() == b"now\n"


@pytest.mark.parametrize("failure", Failure)
def test_each_failure_becomes_json(failure: Failure) -> None:
    data = failure_data(SithsError(failure, tries_left=1))
    assert json.loads(json_text(data))["number"] == failure.number
    assert data["title"]
    assert data["tries_left"] == 1
