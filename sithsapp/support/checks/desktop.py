# SPDX-License-Identifier: EUPL-1.2
"""Self-tests of what surrounds the app: who opens its links, other card software, certificate copies, browsers."""

from __future__ import annotations

from sithsapp.failures import Failure, SithsError
from sithsapp.settings.profile import URL_SCHEME
from sithsapp.support.checks.check import (
    Action,
    Context,
    Outcome,
    Result,
    _,
    failed,
    not_applicable,
    ok,
    said,
)
from sithsapp.support.checks.scheme import SchemeOwner, scheme_owner
from sithsapp.support.system.facts import Propagation


class SchemeCheck:
    """Whether links of the app's scheme come to the app."""

    id, title = "scheme", _("Links to the app")

    def run(self, context: Context) -> Result:
        """Ask the desktop who opens such links."""
        try:
            owner = scheme_owner(URL_SCHEME)
        except SithsError as error:
            return Result(
                Outcome.WARNING, said(_("The desktop does not tell who opens the links.")), details=(error.detail,)
            )
        return _judge(owner)


def _judge(owner: SchemeOwner | None) -> Result:
    if owner is None:
        return not_applicable(_("The desktop does not tell who opens the links."))
    if owner.is_us:
        return ok(_("This app opens links that start with {scheme}:"), scheme=URL_SCHEME)
    if not owner.name:
        sentence = said(_("No program opens links that start with {scheme}:"), scheme=URL_SCHEME)
        return Result(Outcome.PROBLEM, sentence, said(_("Let this app open them.")), Action.TAKE_SCHEME)
    sentence = said(
        _("Another program ({name}) opens links that start with {scheme}:"), scheme=URL_SCHEME, name=owner.name
    )
    remedy = said(_("Keep it so if you log in with that program. Otherwise let this app open them."))
    return Result(Outcome.WARNING, sentence, remedy, Action.TAKE_SCHEME)


class OtherSoftwareCheck:
    """Which other products use cards here. Living side by side is fine; holding the card is not."""

    id, title = "other_software", _("Other programs for cards")

    def run(self, context: Context) -> Result:
        """Look for running programs and registered modules."""
        names = ", ".join(context.system.other_card_software())
        held = any(slot.failure is Failure.CARD_IN_USE for slot in context.cards().slots)
        if held:
            found = failed(Failure.CARD_IN_USE, names)
            return Result(
                found.outcome, found.sentence, found.remedy, Action.READ_CARD_AGAIN, found.failure, found.details
            )
        if not names:
            return ok(_("No other program for cards was found."))
        return ok(_("Found: {names}. The app works beside them."), names, names=names)


class PropagationCheck:
    """Whether certificates are copied into the system's store once, and not twice."""

    id, title = "propagation", _("Copies of certificates")

    def run(self, context: Context) -> Result:
        """Look at the policies of who copies."""
        found = context.system.propagation()
        if found is None:
            return not_applicable(_("This operating system copies no certificates from cards."))
        if found is Propagation.BOTH:
            sentence = said(_("Windows and SafeNet Authentication Client both copy certificates from the card."))
            remedy = said(_("Contact local IT: one of them must be turned off, or certificates appear twice."))
            return Result(Outcome.WARNING, sentence, remedy, details=("both",))
        if found is Propagation.NONE:
            return ok(_("No certificates are copied from the card."), found.value)
        return ok(_("Certificates are copied from the card by one program."), found.value)


class BrowsersCheck:
    """Whether a policy keeps a browser from opening the app."""

    id, title = "browsers", _("Browser policies")

    def run(self, context: Context) -> Result:
        """Look at the policies of the browsers that are known."""
        blocked = context.system.blocked_links(URL_SCHEME)
        if not blocked:
            return ok(_("No browser policy stops the links."))
        names = ", ".join(dict.fromkeys(each.browser for each in blocked))
        sentence = said(_("A policy keeps {browsers} from opening the app."), browsers=names)
        details = tuple(f"{each.browser}: {each.policy}" for each in blocked)
        remedy = said(_("Contact local IT: links that start with {scheme}: must be allowed."), scheme=URL_SCHEME)
        return Result(Outcome.PROBLEM, sentence, remedy, details=details)
