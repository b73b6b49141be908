# SPDX-License-Identifier: EUPL-1.2
"""What the terminal says before it asks for a code on behalf of a program."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest

from sithsapp.card.model import PinState
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.pin_pad import PinPad
from sithsapp.cli.mtls import TerminalPerson
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.mtls.choosing import choose
from sithsapp.mtls.interaction import KeyRequest, Program, Purpose
from tests.mtls.desk import Desk


@pytest.fixture
def request_for(desk: Desk) -> Callable[..., KeyRequest]:
    set_language("en")
    chosen = choose(desk.service.state)
    pin = chosen.card.pin(chosen.credential.pin)
    assert pin is not None

    def make(left: int = 3, path: str = "/usr/bin/curl", failure: Failure | None = None) -> KeyRequest:
        state: PinState = dataclasses.replace(pin, tries_left=left)
        purpose = Purpose(Program(path, 7), "web", "server.example", 443)
        return KeyRequest(purpose, chosen.card, chosen.credential, state, time.monotonic() + 60, failure)

    return make


class Keyboard:
    """Notes the prompt and whether the question was over before it was answered."""

    def __init__(self, answer: Pin | SithsError | None = None) -> None:
        self.answer = answer
        self.prompts: list[str] = []
        self.over: list[bool] = []

    def __call__(self, prompt: str, is_over: Callable[[], bool]) -> Pin | None:
        self.prompts.append(prompt)
        self.over.append(is_over())
        if isinstance(self.answer, SithsError):
            raise self.answer
        return self.answer


def test_program_host_holder_and_tries_are_named(
    request_for: Callable[..., KeyRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    pin = Pin(bytearray(b"804913"))
    keyboard = Keyboard(pin)
    granted = TerminalPerson(Output(as_json=False), keyboard, last_try_ok=False).ask(request_for())
    assert granted is not None
    assert granted.pin is pin
    assert capsys.readouterr().err == "/usr/bin/curl wants to reach server.example:443 with your card\n"
    assert keyboard.prompts == ["Identification code (Anna Andersson, 3 attempts left):"]
    pin.wipe()


def test_a_name_cannot_forge_a_line(
    request_for: Callable[..., KeyRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    TerminalPerson(Output(as_json=False), Keyboard(), last_try_ok=False).ask(request_for(path="/a\n\x1b[2Jb"))
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert "\x1b" not in shown


def test_the_last_try_is_asked_for_only_when_it_may_be_used(request_for: Callable[..., KeyRequest]) -> None:
    keyboard = Keyboard()
    assert TerminalPerson(Output(as_json=False), keyboard, last_try_ok=False).ask(request_for(left=1)) is None
    assert keyboard.prompts == []
    TerminalPerson(Output(as_json=False), keyboard, last_try_ok=True).ask(request_for(left=1))
    assert len(keyboard.prompts) == 1


def test_what_went_wrong_before_is_told_and_no_code_is_a_refusal(
    request_for: Callable[..., KeyRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard = Keyboard(SithsError(Failure.PIN_NOT_GIVEN))
    person = TerminalPerson(Output(as_json=False), keyboard, last_try_ok=False)
    assert person.ask(request_for(failure=Failure.PIN_WRONG)) is None
    shown = capsys.readouterr().err
    assert "Wrong code" in shown
    assert "P308" in shown


def test_stopping_takes_the_question_back(request_for: Callable[..., KeyRequest]) -> None:
    keyboard = Keyboard()
    person = TerminalPerson(Output(as_json=False), keyboard, last_try_ok=False)
    person.ask(request_for())
    person.stop()
    person.ask(request_for())
    assert keyboard.over == [False, True]


def test_on_a_reader_with_keys_the_code_is_typed_there(
    request_for: Callable[..., KeyRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    request = request_for()
    request = dataclasses.replace(request, card=dataclasses.replace(request.card, pin_pad=PinPad(changes=False)))
    keyboard = Keyboard(Pin(bytearray(b"804913")))
    granted = TerminalPerson(Output(as_json=False), keyboard, last_try_ok=False).ask(request)
    assert granted is not None
    assert isinstance(granted.pin, PadEntry)
    assert keyboard.prompts == []
    assert "Enter the code on the card reader (Identification code, 3 attempts left)." in capsys.readouterr().err
    unattended = TerminalPerson(Output(as_json=False), keyboard, last_try_ok=False, at_terminal=False).ask(request)
    assert unattended is not None
    assert isinstance(unattended.pin, Pin)
