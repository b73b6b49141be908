# SPDX-License-Identifier: EUPL-1.2
"""Whatever happens, in whatever order: one end, one signature at most, one code sent per entry, all codes wiped."""

from __future__ import annotations

from concurrent.futures import Future

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sithsapp.card.pin import Pin
from sithsapp.failures import Failure, SithsError
from sithsapp.oob.interaction import (
    CancelRequested,
    CredentialChosen,
    EnterPin,
    Event,
    Finished,
    MoreTimeRequested,
    PinEntered,
    Reported,
    SessionLocked,
    WaitForCard,
    Working,
)
from tests.oob.fakes import RIGHT, Stage, cards_with, make_card

FIRST, SECOND, STRANGER = make_card(0), make_card(1, reader="Reader 1"), make_card(2)
STEPS = [
    "right", "wrong", "short", "last", "stranger", "sign key", "choose second", "choose nothing", "more time",
    "pull", "put", "both", "other", "cancel", "report", "lock", "service cancels", "card error", "card removed",
    "card hangs", "network down",
]  # fmt: skip
ENDING = {"cancel", "report", "lock", "service cancels"}


class Run:
    def __init__(self) -> None:
        self.stage = Stage(removal_grace=0.01)
        self.pins: list[Pin] = []

    def enter(self, code: bytes, *, credential: str = "0", card: object = None, ok: bool = False) -> None:
        pin = Pin(bytearray(code))
        self.pins.append(pin)
        self.stage.flow.post(PinEntered((STRANGER if card else FIRST).id, credential, pin, ok))

    def step(self, name: str) -> None:
        stage, post = self.stage, self.stage.flow.post
        events: dict[str, Event] = {
            "choose second": CredentialChosen(SECOND.id, "0"),
            "choose nothing": CredentialChosen(STRANGER.id, "9"),
            "more time": MoreTimeRequested(),
            "cancel": CancelRequested(),
            "report": Reported(),
            "lock": SessionLocked(),
        }
        cards = {"pull": (None,), "put": (FIRST,), "both": (FIRST, SECOND), "other": (STRANGER,)}
        if name in events:
            post(events[name])
        elif name in cards:
            stage.cards.change(cards_with(*cards[name]))
        elif name == "service cancels":
            stage.client.end("cancelled")
        elif name == "card hangs":
            stage.cards.hold = Future()
        elif name == "network down":
            stage.client.failing["signature"] = SithsError(Failure.SERVICE_UNREACHABLE)
        elif name.startswith("card "):
            stage.cards.fail_with = SithsError({"card error": Failure.CARD_ERROR}.get(name, Failure.CARD_REMOVED))
        else:
            self.enter(
                {"wrong": b"000000", "short": b"1"}.get(name, RIGHT),
                credential="1" if name == "sign key" else "0",
                card=name == "stranger" or None,
                ok=name == "last",
            )


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(STEPS), max_size=12), st.sampled_from(sorted(ENDING)), st.booleans())
def test_every_sequence_ends_well(steps: list[str], ending: str, wait: bool) -> None:
    run = Run()
    stage = run.stage.run()
    if wait:
        stage.person.wait_for(EnterPin)
    for step in steps:
        run.step(step)
    run.step(ending)
    finished = stage.finish()
    if stage.cards.hold is not None:
        stage.cards.hold.set_exception(SithsError(Failure.CARD_REMOVED))
    assert all(len(pin) == 0 for pin in run.pins)
    assert len(stage.cards.pins) <= len(run.pins)
    assert len(stage.client.signatures) <= 1
    assert len(stage.opened) == (finished.failure is None)
    assert (finished.failure is None) <= (len(stage.client.signatures) == 1)
    assert not (stage.cards.codes and not any(isinstance(view, Working) for view in stage.person.views))
    kinds = (EnterPin, WaitForCard, Working)
    assert isinstance(stage.person.views[-1], Finished)
    assert not any(isinstance(view, kinds) for view in stage.person.views[stage.person.views.index(finished) :])
