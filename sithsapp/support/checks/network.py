# SPDX-License-Identifier: EUPL-1.2
"""Self-tests of the way to the services: reachable, clock, proxy, and whether somebody reads the traffic."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sithsapp.failures import Failure
from sithsapp.locale import ngettext
from sithsapp.oob.proxy_route import Route, route_to
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
from sithsapp.support.checks.probe import Answer, Probes
from sithsapp.support.checks.tls_look import look

ALLOWED_SKEW = timedelta(seconds=60)
"""How far the clocks may be apart before it is said; signatures and certificates bear some minutes."""

HARMFUL_SKEW = timedelta(minutes=5)
"""From here on log-ins fail."""

_WITHOUT = _("No service is named in the settings for this environment.")


class _NetworkCheck:
    """Base: knows the shared answers."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes

    def _answers(self, context: Context) -> tuple[Answer, ...]:
        return self._probes.all(context)


class NetworkCheck(_NetworkCheck):
    """Whether each service answers."""

    id, title = "network", _("Connection to the services")

    def run(self, context: Context) -> Result:
        """Ask each service of the chosen environment."""
        answers = self._answers(context)
        if not answers:
            return _without_services(context)
        details = tuple(_line(answer) for answer in answers)
        silent = [answer for answer in answers if answer.failure is not None]
        if not silent:
            return ok(_("All services answer: {hosts}"), *details, hosts=_hosts(answers))
        worst = silent[0].failure or Failure.SERVICE_UNREACHABLE
        sentence = said(_("{title}: {hosts}"), title=Said(worst.title), hosts=_hosts(silent))
        return Result(Outcome.PROBLEM, sentence, Said(worst.remedy), failure=worst, details=details)


def _without_services(context: Context) -> Result:
    remedy = said(_("Contact local IT, who decides which services the app trusts."))
    return Result(Outcome.WARNING, said(_WITHOUT), remedy, Action.SHOW_SETTINGS)


class ClockCheck(_NetworkCheck):
    """Whether this computer's clock agrees with the services'."""

    id, title = "clock", _("Clock")

    def run(self, context: Context) -> Result:
        """Compare with the date that the services' answers bear; a wrong one of theirs is outvoted."""
        answers = self._answers(context)
        if any(answer.failure is Failure.CLOCK_WRONG for answer in answers):
            return failed(Failure.CLOCK_WRONG)
        told = sorted(answer.ahead for answer in answers if answer.ahead is not None)
        if not told:
            return not_applicable(_("No service has told the time, so the clock was not compared."))
        ahead = told[len(told) // 2]
        seconds = round(ahead.total_seconds())
        if abs(ahead) <= ALLOWED_SKEW:
            return ok(_("The clock is right."), f"{seconds:+d} s against the services")
        outcome = Outcome.PROBLEM if abs(ahead) >= HARMFUL_SKEW else Outcome.WARNING
        text = _("The clock is {time} fast.") if seconds > 0 else _("The clock is {time} slow.")
        detail = f"{seconds:+d} s against the services"
        remedy, failure = Said(Failure.CLOCK_WRONG.remedy), Failure.CLOCK_WRONG
        return Result(outcome, said(text, time=_Duration(abs(seconds))), remedy, None, failure, (detail,))


class _Duration:
    """A time in minutes or hours, in the language in use."""

    def __init__(self, seconds: int) -> None:
        self._minutes = max(1, round(seconds / 60))

    def __str__(self) -> str:
        if self._minutes < 120:
            return ngettext("{n} minute", "{n} minutes", self._minutes).format(n=self._minutes)
        hours = round(self._minutes / 60)
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)


class ProxyCheck(_NetworkCheck):
    """Which proxy is used, and whether it lets the app through."""

    id, title = "proxy", _("Proxy")

    def run(self, context: Context) -> Result:
        """Look at the way to each service, and at what the proxy answered."""
        answers = [answer for answer in self._answers(context) if _is_https(answer)]
        if not answers:
            return not_applicable(_("There is no service on the network to find a proxy for."))
        routes = {answer.host: _route(answer, context) for answer in answers}
        details = tuple(f"{host}: {route}" for host, route in routes.items())
        refused = [answer for answer in answers if answer.failure is Failure.PROXY_FAILED]
        if any("Authentication" in answer.detail for answer in refused):
            sentence = said(_("The proxy wants a log-in that the app cannot give."))
            remedy = said(
                _("Contact local IT: the proxy must let the app through to {hosts}."), hosts=_hosts(refused)
            )
            return Result(Outcome.PROBLEM, sentence, remedy, failure=Failure.PROXY_FAILED, details=details)
        if refused:
            return failed(Failure.PROXY_FAILED, *details)
        used = sorted({str(route) for route in routes.values() if route.host is not None})
        if not used:
            return ok(_("No proxy is used."), *details)
        return ok(_("Used: {proxies}"), *details, proxies=", ".join(used))


class InspectionCheck(_NetworkCheck):
    """Whether something on the way reads the encrypted traffic."""

    id, title = "inspection", _("Encrypted traffic")

    def run(self, context: Context) -> Result:
        """Look at who issued the services' certificates, and whether somebody added that authority here."""
        answers = [answer for answer in self._answers(context) if _is_https(answer)]
        if not answers:
            return not_applicable(_("No service is reached by an encrypted connection."))
        findings = [_inspect(answer, context) for answer in answers if not context.cancelled.is_set()]
        details = tuple(line for finding in findings for line in finding.details)
        for outcome in (Outcome.PROBLEM, Outcome.WARNING, Outcome.OK):
            worst = next((finding for finding in findings if finding.outcome is outcome), None)
            if worst is not None:
                return Result(outcome, worst.sentence, worst.remedy, None, worst.failure, details)
        return not_applicable(_("The services' certificates could not be looked at."))


def _inspect(answer: Answer, context: Context) -> Result:
    settings, route = context.settings.settings, _route(answer, context)
    if route.socks:
        return not_applicable(_("The services' certificates could not be looked at."))
    extra = [Path(name) for name in settings.extra_ca]
    port = urlsplit(answer.service.origin).port or 443
    seen = look(answer.host, port, route, context.system.public_roots(), extra)
    detail = f"{answer.host}: issuer {seen.issuer or 'unknown'}, shipped CA {seen.public}"
    issuer = seen.issuer or _Unknown()
    if answer.failure is Failure.TLS_FAILED:
        sentence = said(
            _("The certificate of {host} is not trusted. Its issuer is {issuer}."), host=answer.host, issuer=issuer
        )
        return Result(Outcome.PROBLEM, sentence, said(_INSPECTED), None, Failure.TLS_FAILED, (detail,))
    if not seen.issuer:
        return not_applicable(_("The services' certificates could not be looked at."))
    if seen.public is False:
        text = _("The certificate of {host} comes from an authority that was added to this computer: {issuer}.")
        return Result(
            Outcome.WARNING, said(text, host=answer.host, issuer=issuer), said(_ADDED), None, None, (detail,)
        )
    return ok(_("The certificates come from {issuer}."), detail, issuer=issuer)


_INSPECTED = _(
    "Something on the network may read the encrypted traffic, such as a proxy. "
    "Contact local IT: the services must be exempt."
)
_ADDED = _(
    "That may be your organisation's own service, or a proxy that reads the traffic. Ask local IT if log-ins fail."
)


class _Unknown:
    def __str__(self) -> str:
        return str(said(_("unknown")))


def _route(answer: Answer, context: Context) -> Route:
    port = urlsplit(answer.service.origin).port or 443
    return route_to(answer.host, port, context.environment, context.settings.settings.proxy)


def _is_https(answer: Answer) -> bool:
    return answer.service.origin.startswith("https:")


def _hosts(answers: list[Answer] | tuple[Answer, ...]) -> str:
    return ", ".join(dict.fromkeys(answer.host for answer in answers))


def _line(answer: Answer) -> str:
    if answer.failure is None:
        return f"{answer.service.origin}: status {answer.status or answer.detail}, {answer.milliseconds} ms"
    return f"{answer.service.origin}: {answer.failure.number} {answer.detail}"
