# SPDX-License-Identifier: EUPL-1.2
"""The code window in every state that looks different."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sithsapp.card.model import PinRole
from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure
from sithsapp.ui.codes.task import Done, Enter, Kind, Send, Stopped, View, WaitForCard, Wish
from sithsapp.ui.codes.window import CodesWindow
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.theme import Theme
from tests.ui import samples
from tests.ui.pointing import settle

_CHANGE, _UNBLOCK = Wish(Kind.CHANGE, PinRole.AUTH), Wish(Kind.UNBLOCK, PinRole.SIGN)
_ENTER = Enter(samples.CARD, samples.AUTH_PIN, samples.AUTH_PIN)
_ENTER_PUK = Enter(samples.CARD, samples.PUK, samples.SIGN_PIN)
_ON_READER = dataclasses.replace(samples.CARD, pin_pad=PinPad(changes=True))
VIEWS: Mapping[str, tuple[Wish, View]] = {
    "change": (_CHANGE, _ENTER),
    "change-wrong": (_CHANGE, dataclasses.replace(_ENTER, failure=Failure.PIN_WRONG)),
    "change-several": (_CHANGE, dataclasses.replace(_ENTER, several=True)),
    "change-on-reader": (_CHANGE, dataclasses.replace(_ENTER, card=_ON_READER)),
    "change-in-use": (_CHANGE, dataclasses.replace(_ENTER, failure=Failure.CARD_IN_USE)),
    "change-last": (_CHANGE, dataclasses.replace(_ENTER, known=dataclasses.replace(samples.AUTH_PIN, tries_left=1))),
    "change-locked": (_CHANGE, Stopped(Failure.PIN_LOCKED, puk_helps=True)),
    "change-removed": (_CHANGE, WaitForCard(samples.EMPTY, Failure.CARD_REMOVED)),
    "change-working": (_CHANGE, Send()),
    "change-on-keys": (_CHANGE, Send(on_reader=True)),
    "changed": (_CHANGE, Done(samples.AUTH_PIN)),
    "unlock": (_UNBLOCK, _ENTER_PUK),
    "unlock-wrong": (_UNBLOCK, dataclasses.replace(_ENTER_PUK, failure=Failure.PUK_WRONG)),
    "unlock-locked": (_UNBLOCK, Stopped(Failure.PUK_LOCKED)),
    "unlocked": (_UNBLOCK, Done(samples.SIGN_PIN)),
}


def window(name: str, theme: Theme, policy: EntryPolicy | None = None) -> CodesWindow:
    """Return the code window, shown in that state."""
    made = CodesWindow(samples.describe, theme)
    made.set_policy(policy or EntryPolicy(), refuse_easy=False)
    made.begin(*VIEWS[name])
    settle(made)
    return made
