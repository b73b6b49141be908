# SPDX-License-Identifier: EUPL-1.2
"""`siths mtls open`, `trust` and `untrust`: browsers and the local proxy, from a terminal."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sithsapp.cli.output import Output, failure_data, says_yes
from sithsapp.desktop.paths import mtls_dir
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Mtls, MtlsTarget, Settings

if TYPE_CHECKING:
    from sithsapp.mtls.browser_trust import BrowserTrust, TrustOverview
    from sithsapp.mtls.opening import Way
    from sithsapp.mtls.trust import StoreReport


def browser_trust(settings: Mtls) -> BrowserTrust:
    """Return what manages the trust of this user's browsers; raises `SithsError(TRUST_TOOL_MISSING)`."""
    from sithsapp.mtls.browser_trust import of_this_user

    return of_this_user(settings, mtls_dir())


def trust(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Let the browsers trust the proxy, once the person has said yes to exactly that."""
    manager = browser_trust(settings.mtls)
    if not settings.mtls.for_browsers:
        raise SithsError(Failure.SERVER_NOT_LISTED, "no target has the mode browser")
    if not arguments.yes:
        _confirm(manager, settings.mtls, output)
    return _tell(manager.give(), output, tr("Close browsers that are open, so that they notice."))


def untrust(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Take all trust back and remove the proxy's certificate."""
    return _tell(browser_trust(settings.mtls).take_back(), output, tr("Nothing of the proxy is trusted any more."))


def open_browser(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Open a server in a browser that goes by the local proxy, or show the proxy's settings."""
    from sithsapp.mtls.opening import way_to

    way = way_to(_target(settings.mtls, arguments.server), mtls_dir())
    if not arguments.print:
        _start(arguments.browser, way, settings.mtls, output)
    lines = (
        [way.address, tr("Proxy settings file: {url}").format(url=way.pac_url)] if arguments.print else [way.address]
    )
    output.result({"address": way.address, "pac": way.pac_url, "proxy": f"127.0.0.1:{way.port}"}, lines)
    return 0


def _start(kind: str | None, way: Way, settings: Mtls, output: Output) -> None:
    from sithsapp.mtls.opening import browser_of_kind, open_in

    browser = browser_of_kind(kind)
    if browser.kind != "firefox" and not browser_trust(settings).look().complete:
        output.note(tr("Not every browser trusts the proxy yet: run siths mtls trust."))
    open_in(browser, way, settings, mtls_dir())


def proxy_port() -> int | None:
    """Return where a proxy of this user's own answers now, None if none does."""
    from sithsapp.mtls import opening

    return opening.proxy_port(mtls_dir())


def trust_data(overview: TrustOverview) -> dict[str, object]:
    """Return the state of trust as JSON members."""
    certificate = overview.certificate
    return {
        "hosts": list(overview.hosts),
        "authority": None if overview.file is None else str(overview.file),
        "until": None if certificate is None else certificate.until.isoformat(),
        "ends_soon": overview.ends_soon,
        "stores": [_store_data(each) for each in overview.stores],
    }


def trust_lines(overview: TrustOverview) -> list[str]:
    """Return the state of trust in words."""
    lines = [f"{each.name}  {_store_words(each)}" for each in overview.stores]
    if overview.certificate is not None:
        lines.append(tr("Trusted until {day}").format(day=f"{overview.certificate.until:%Y-%m-%d}"))
    if overview.ends_soon:
        lines.append(tr("The trust ends soon. Give it anew with siths mtls trust."))
    if overview.file is not None:
        lines.append(tr("Certificate file for other programs: {file}").format(file=overview.file))
    return lines


def _store_data(report: StoreReport) -> dict[str, object]:
    data: dict[str, object] = {"name": report.name, "trusted": report.trusted, "stale": report.stale}
    return data if report.failure is None else data | {"error": failure_data(report.failure)}


def _store_words(report: StoreReport) -> str:
    if report.failure is not None:
        return f"{report.failure.failure.number} {tr(report.failure.failure.title)}"
    former = tr("still trusts a former certificate")
    words = tr("trusts the proxy") if report.trusted else tr("does not trust the proxy")
    return f"{words}, {former}" if report.stale else words


def _confirm(manager: BrowserTrust, settings: Mtls, output: Output) -> None:
    if output.as_json or not sys.stdin.isatty():
        raise SithsError(Failure.TRUST_NOT_CONFIRMED)
    output.note(tr("Your browsers will trust the app's local proxy to speak for these servers, and for no others:"))
    for target in settings.for_browsers:
        output.note(f"  {target.host}")
    output.note(tr("The certificate is added to these stores, which are yours alone:"))
    for name in manager.store_names:
        output.note(f"  {name}")
    output.note(tr("It holds for 390 days. The key that made it is destroyed at once."))
    if not says_yes(tr("Go on? (yes/no)")):
        raise SithsError(Failure.TRUST_NOT_CONFIRMED)


def _tell(overview: TrustOverview, output: Output, done: str) -> int:
    failure = next((each.failure for each in overview.stores if each.failure is not None), None)
    data = trust_data(overview) | ({} if failure is None else {"error": failure_data(failure)})
    output.result(data, trust_lines(overview))
    if failure is None:
        output.note(done)
        return 0
    return failure.failure.exit_code if output.as_json else output.failure(failure)


def _target(settings: Mtls, name: str | None) -> MtlsTarget:
    targets = [each for each in settings.for_browsers if name in (None, each.name, each.host)]
    if not targets:
        raise SithsError(Failure.SERVER_NOT_LISTED)
    if len(targets) > 1:
        raise SithsError(Failure.SERVER_NOT_NAMED, ", ".join(each.name for each in targets))
    return targets[0]
