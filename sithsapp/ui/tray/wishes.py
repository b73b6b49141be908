# SPDX-License-Identifier: EUPL-1.2
"""What a choice in the tray's menu means for codes."""

from __future__ import annotations

from sithsapp.card.model import PinRole
from sithsapp.support.state import AppState
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.tray.tasks import TrayTask


def wished(task: TrayTask, state: AppState) -> Wish | None:
    """Return what shall be done with which code, None for a task that has nothing to do with codes."""
    if task is TrayTask.CHANGE_AUTH:
        return Wish(Kind.CHANGE, PinRole.AUTH)
    if task is TrayTask.UNLOCK:
        return Wish(Kind.UNBLOCK, _locked(state) or PinRole.AUTH)
    return None


def _locked(state: AppState) -> PinRole | None:
    """Return the role of the locked code of the card that `state` is about, the first if both are locked."""
    card = state.slot.card if state.slot is not None else None
    pins = card.pins if card is not None else ()
    return next((pin.role for pin in pins if pin.blocked and pin.unblocked_by is PinRole.PUK), None)
