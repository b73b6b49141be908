# SPDX-License-Identifier: EUPL-1.2
"""From the browsers' trust in the local proxy to what the page shows. Pure, without Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sithsapp.failures import SithsError
from sithsapp.locale import tr
from sithsapp.ui import plain
from sithsapp.ui.elements import Notice, Severity

if TYPE_CHECKING:  # the helper's modules load the encryption library
    from sithsapp.mtls.browser_trust import TrustOverview
    from sithsapp.mtls.trust import StoreReport


@dataclass(frozen=True, slots=True)
class StoreRow:
    """A browser's store: whether all is well with it, and that in words."""

    good: bool
    text: str


@dataclass(frozen=True, slots=True)
class Opener:
    """A server that can be opened in a browser: the button's text and the target's name."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class Browsers:
    """The part of the page about browsers. Empty texts hide what they would stand on."""

    heading: str
    intro: str
    notice: Notice | None
    stores: tuple[StoreRow, ...]
    give: str
    take_back: str
    openers: tuple[Opener, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is about to be done, before it is done."""

    notice: Notice
    yes: str
    no: str


def present_browsers(
    servers: Sequence[tuple[str, str]], found: TrustOverview | SithsError | None, failure: SithsError | None = None
) -> Browsers:
    """Return the part for `servers` (target and host).

    `found` is what was seen in the stores, None while they are looked into; `failure` is that of the last action.
    """
    overview = None if found is None or isinstance(found, SithsError) else found
    trouble = failure or (found if isinstance(found, SithsError) else None)
    stores = overview.stores if overview is not None else ()
    return Browsers(
        heading=tr("Browsers"),
        intro=tr("Looking into the browsers …") if found is None else _intro(overview),
        notice=_notice(trouble, overview),
        stores=tuple(map(_store, stores)),
        give=tr("Let the browsers trust the app …") if overview is not None and _wants_trust(overview) else "",
        take_back=tr("Take the trust back") if any(each.trusted or each.stale for each in stores) else "",
        openers=tuple(Opener(tr("Open {server}").format(server=plain.line(host)), name) for name, host in servers),
    )


def present_confirmation(servers: Sequence[tuple[str, str]], stores: Sequence[str]) -> Confirmation:
    """Return the question before trust is given: to whom, for which servers, where and for how long."""
    lines = [
        ", ".join(plain.line(host) for _, host in servers),
        tr("The certificate is added to these stores, which are yours alone:"),
        *(plain.line(name) for name in stores),
        tr("It holds for 390 days. The key that made it is destroyed at once."),
    ]
    title = tr("Your browsers will trust the app's local proxy to speak for these servers, and for no others:")
    return Confirmation(Notice(Severity.INFO, title, "\n".join(lines)), tr("Trust the app"), tr("Cancel"))


def _intro(overview: TrustOverview | None) -> str:
    if overview is not None and overview.complete and overview.certificate is not None:
        return tr("Trusted until {day}").format(day=f"{overview.certificate.until:%Y-%m-%d}")
    return tr("Browsers reach the servers with your card once they trust the app's local proxy.")


def _wants_trust(overview: TrustOverview) -> bool:
    return bool(overview.hosts) and (not overview.complete or overview.ends_soon)


def _notice(trouble: SithsError | None, overview: TrustOverview | None) -> Notice | None:
    if trouble is not None:
        number = tr("Error code {number}").format(number=trouble.failure.number)
        text = f"{tr(trouble.failure.cause)} {tr(trouble.failure.remedy)} {number}."
        return Notice(Severity.ERROR, tr(trouble.failure.title), text)
    if overview is not None and overview.ends_soon:
        return Notice(Severity.WARNING, tr("The trust ends soon. Give it anew."))
    return None


def _store(report: StoreReport) -> StoreRow:
    name = plain.line(report.name)
    if report.failure is not None:
        failure = report.failure.failure
        return StoreRow(False, f"{name}: {failure.number} {tr(failure.title)}")
    words = tr("trusts the proxy") if report.trusted else tr("does not trust the proxy")
    former = tr("still trusts a former certificate")
    return StoreRow(
        report.trusted and not report.stale, f"{name}: {words}, {former}" if report.stale else f"{name}: {words}"
    )
