# SPDX-License-Identifier: EUPL-1.2
"""`siths certs check` and `siths certs ad`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sithsapp.card.model import PinRole
from sithsapp.cli.certificates import Found, find
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.pki import wording
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.pki.ad_readiness import AdReadiness
    from sithsapp.pki.findings import Inspection


def check(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Ask the issuers about all certificates, or those that are named; exit 0 only if all is well with each."""
    from sithsapp.oob.fetch_proxy import proxy_of_the_system
    from sithsapp.pki.client_fetching import fetch_by
    from sithsapp.pki.inspection import inspect
    from sithsapp.pki.known_certificates import known_certificates

    found = _some(find(settings, arguments.reader, arguments.id))

    def look(each: Found) -> Inspection:
        known = known_certificates(settings, each.on_card)
        return inspect(each.credential.certificate, known, fetch_by(settings, find_proxy=proxy_of_the_system))

    results = [(each, look(each)) for each in found]
    lines = [line for each, result in results for line in _check_lines(each, result)]
    output.result({"certificates": [_check_data(each, result) for each, result in results]}, lines)
    failure = next((result.failure for _, result in results if result.failure is not None), None)
    return _end(output, failure)


def ad(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Tell whether the identification certificates, or the one that is named, can log on to Active Directory."""
    from sithsapp.pki.ad_readiness import Readiness

    found = find(settings, arguments.reader, arguments.id)
    if arguments.id is None:
        found = [each for each in found if each.credential.pin is PinRole.AUTH]
    results = [(each, _readiness(each, settings)) for each in _some(found)]
    lines = [line for each, result in results for line in _ad_lines(each, result)]
    output.result({"certificates": [_ad_data(each, result) for each, result in results]}, lines)
    ready = any(result.readiness is not Readiness.NOT_READY for _, result in results)
    return _end(output, None if ready else Failure.NOT_READY_FOR_AD)


def _some(found: list[Found]) -> list[Found]:
    if not found:
        raise SithsError(Failure.NO_SUITABLE_CERTIFICATE, "no certificate on the cards")
    return found


def _end(output: Output, failure: Failure | None) -> int:
    if failure is None:
        return 0
    if not output.as_json:
        output.failure(SithsError(failure))
    return failure.exit_code


def _readiness(found: Found, settings: Settings) -> AdReadiness:
    from sithsapp.pki.ad_readiness import LogonCertificate, ad_readiness
    from sithsapp.pki.findings import Known, Origin
    from sithsapp.pki.issuers import build_chain
    from sithsapp.pki.known_certificates import known_certificates

    leaf = Known(found.credential.certificate, Origin.CARD)
    chain = build_chain(leaf, known_certificates(settings, found.on_card)).certificates
    issuer = chain[1] if len(chain) > 1 else None
    return ad_readiness(LogonCertificate(leaf.der, found.certificate, issuer), datetime.now(UTC))


def _check_data(found: Found, result: Inspection) -> dict[str, object]:
    statuses = [
        {"revocation": each.revocation.value, "since": each.since.isoformat() if each.since else None}
        for each in result.statuses
    ]
    return {
        "reader": found.card.id.reader,
        "id": found.credential.id,
        "failure": result.failure.number if result.failure is not None else None,
        "checked_at": result.at.isoformat(timespec="seconds"),
        "chain": [member.origin.value for member in result.chain.members],
        "complete": result.chain.complete,
        "trusted": result.anchored,
        "statuses": statuses,
    }


def _check_lines(found: Found, result: Inspection) -> list[str]:
    lines = [f"{found.credential.id}  {wording.result_title(result)}", f"    {wording.result_text(result)}"]
    names = [found.certificate.issuer, *(tr("its issuer") for _ in result.statuses[1:])]
    lines += [f"    {name}: {wording.status_text(each)}" for name, each in zip(names, result.statuses, strict=False)]
    return lines


def _ad_data(found: Found, result: AdReadiness) -> dict[str, object]:
    return {
        "reader": found.card.id.reader,
        "id": found.credential.id,
        "readiness": result.readiness.value,
        "findings": [
            {"check": each.check.key, "verdict": each.verdict.value, "detail": each.detail}
            for each in result.findings
        ],
        "mappings": [{"kind": each.kind.key, "value": each.value} for each in result.mappings],
    }


def _ad_lines(found: Found, result: AdReadiness) -> list[str]:
    lines = [f"{found.credential.id}  {wording.readiness_title(result.readiness)}"]
    for each in result.findings:
        lines.append(f"    {wording.verdict_text(each.verdict)}: {tr(each.check.title)}")
        lines += [f"        {line}" for line in wording.finding_lines(each)]
    for mapping in result.mappings:
        lines += [f"    {tr(mapping.kind.title)}:", f"        {mapping.value}", f"        {tr(mapping.kind.note)}"]
    return lines
