# SPDX-License-Identifier: EUPL-1.2
"""Self-tests of service, reader, driver and card, by what the app knows already: no card is asked anything."""

from __future__ import annotations

from dataclasses import replace

from sithsapp.card.model import SlotStatus
from sithsapp.failures import Failure
from sithsapp.support.checks.check import (
    Action,
    Context,
    Outcome,
    Result,
    Said,
    _,
    failed,
    not_applicable,
    ok,
    said,
)
from sithsapp.support.system.facts import SessionKind

_LATE_READERS = (SessionKind.CITRIX, SessionKind.HORIZON, SessionKind.RDP)


class ServiceCheck:
    """Whether the operating system's smart card service answers this session."""

    id, title = "service", _("Smart card service")

    def run(self, context: Context) -> Result:
        """Look at what the readers' thread was told last."""
        state = context.cards()
        if state.service_running:
            return ok(_("The smart card service is running."))
        return failed(state.failure or Failure.NO_READER_SERVICE)


class ReaderCheck:
    """Whether there is a reader, and where it may have been lost."""

    id, title = "reader", _("Card reader")

    def run(self, context: Context) -> Result:
        """Look at the readers that the service shows."""
        state = context.cards()
        if not state.service_running:
            return not_applicable(_("Cannot be tested while the smart card service does not answer."))
        if state.slots:
            names = ", ".join(slot.reader for slot in state.slots)
            return ok(_("Found: {readers}"), readers=names)
        if context.system.session().kind in _LATE_READERS:
            remedy = said(_("Connect the reader before you connect to the remote desktop, then connect anew."))
            return Result(Outcome.PROBLEM, Said(Failure.NO_READER.title), remedy, failure=Failure.NO_READER)
        return failed(Failure.NO_READER)


class DriverCheck:
    """Whether a reader that the computer sees has a driver."""

    id, title = "driver", _("Driver for the card reader")

    def run(self, context: Context) -> Result:
        """Compare what is attached with what the service shows."""
        driver, slots = context.system.driver(), context.cards().slots
        unseen = bool(driver.attached) and not slots
        if driver.installed is False:
            sentence = said(_("There is no driver for card readers (CCID)."))
            remedy = said(_("Contact local IT: on Linux the package is called libccid or pcsc-lite-ccid."))
            return Result(Outcome.PROBLEM if unseen else Outcome.WARNING, sentence, remedy, details=driver.versions)
        if unseen and context.cards().service_running:
            sentence = said(_("A card reader is connected, but the smart card service does not use it."))
            remedy = said(_("Disconnect the reader and connect it again. Contact local IT if that does not help."))
            return Result(Outcome.PROBLEM, sentence, remedy, details=driver.versions)
        if not driver.versions:
            return not_applicable(_("The system does not tell which driver it uses."))
        return ok(_("Installed: {versions}"), *driver.versions, versions=", ".join(driver.versions))


class CardCheck:
    """Whether there is a card, and whether it can be used."""

    id, title = "card", _("Card")

    def run(self, context: Context) -> Result:
        """Look at each reader's last reading."""
        slots = context.cards().slots
        broken = next((slot for slot in slots if slot.failure is not None), None)
        ready = sum(slot.status is SlotStatus.READY for slot in slots)
        if ready:
            blocked = any(pin.blocked for slot in slots if slot.card is not None for pin in slot.card.pins)
            return _locked() if blocked else ok(_("The card can be read."))
        if broken is not None and broken.failure is not None:
            return replace(failed(broken.failure), action=Action.READ_CARD_AGAIN)
        if any(slot.status is SlotStatus.READING for slot in slots):
            return Result(Outcome.WARNING, said(_("The card is still being read.")), action=Action.READ_CARD_AGAIN)
        return not_applicable(_("There is no card in a reader, so it was not tested."))


def _locked() -> Result:
    remedy = said(_("Unlock it with your PUK code."))
    return Result(Outcome.WARNING, said(_("The card can be read, but a code is locked.")), remedy)
