# SPDX-License-Identifier: EUPL-1.2
"""From what was found out about a certificate to what the page shows. Pure, without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.pki import wording
from sithsapp.pki.ad_checks import Verdict
from sithsapp.pki.ad_readiness import AdReadiness, Finding, Mapping, Readiness
from sithsapp.pki.findings import Chain, Inspection, Known, Origin
from sithsapp.ui import plain
from sithsapp.ui.certificates.entries import read_name_of
from sithsapp.ui.elements import Notice, Severity

_NAME_LIMIT = 200
_TEXT_LIMIT = 400
_VALUE_LIMIT = 1024
_GRAVE = (Failure.CERTIFICATE_REVOKED, Failure.CERTIFICATE_EXPIRED, Failure.CERTIFICATE_NOT_KNOWN)
_OPEN = (Verdict.NOT_MET, Verdict.SETUP, Verdict.ADVICE)
_SEVERITIES = {
    Readiness.READY: Severity.GOOD,
    Readiness.NEEDS_SETUP: Severity.WARNING,
    Readiness.NOT_READY: Severity.ERROR,
}


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One certificate of a chain; the first row is the certificate itself."""

    name: str
    note: str


@dataclass(frozen=True, slots=True)
class DemandRow:
    """One demand of Active Directory. `verdict` says how it is met, `text` what to do."""

    verdict: Verdict
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A value for the directory; `copied` is what is said once it has been copied."""

    title: str
    note: str
    value: str
    copied: str


@dataclass(frozen=True, slots=True)
class LogonView:
    """The readiness for a log-on to Windows: what has to be done, and what is met or cannot be seen from here."""

    notice: Notice
    open_demands: tuple[DemandRow, ...]
    other_demands: tuple[DemandRow, ...]
    mappings: tuple[MappingRow, ...]


def present_chain(chain: Chain, inspection: Inspection | None = None) -> tuple[ChainRow, ...]:
    """Return the chain from the certificate upwards, with what a check said of each."""
    rows = [_chain_row(number, member, chain, inspection) for number, member in enumerate(chain.members)]
    if not chain.complete:
        rows.append(ChainRow(tr("The next issuer is missing"), tr("A check asks the issuer's address for it.")))
    return tuple(rows)


def present_result(inspection: Inspection) -> Notice:
    """Return the result of a check."""
    failure = inspection.failure
    severity = Severity.GOOD if failure is None else Severity.ERROR if failure in _GRAVE else Severity.WARNING
    return Notice(severity, wording.result_title(inspection), _numbered(wording.result_text(inspection), failure))


def present_failure(error: SithsError) -> Notice:
    """Return a failure that kept something from being done."""
    failure = error.failure
    return Notice(Severity.ERROR, tr(failure.title), _numbered(f"{tr(failure.cause)} {tr(failure.remedy)}", failure))


def present_saved(*, incomplete: bool) -> Notice:
    """Return that a file was written; `incomplete` for a chain that ends before its root."""
    if not incomplete:
        return Notice(Severity.GOOD, tr("The certificate was saved"))
    text = tr("The chain has no root. Check revocation first, and the missing issuers are fetched.")
    return Notice(Severity.WARNING, tr("The certificate was saved"), text)


def present_logon(logon: AdReadiness) -> LogonView:
    """Return the readiness for a log-on; mappings only where they are needed."""
    text = tr("Local IT needs the values below.") if logon.readiness is Readiness.NEEDS_SETUP else ""
    title = wording.readiness_title(logon.readiness)
    mappings = logon.mappings if logon.readiness is not Readiness.READY else ()
    return LogonView(
        Notice(_SEVERITIES[logon.readiness], title, text),
        tuple(_demand_row(each) for each in logon.findings if each.verdict in _OPEN),
        tuple(_demand_row(each) for each in logon.findings if each.verdict not in _OPEN),
        tuple(map(_mapping_row, mappings)),
    )


def _chain_row(number: int, member: Known, chain: Chain, inspection: Inspection | None) -> ChainRow:
    notes = [_place(number, member, chain)]
    if inspection is not None and number < len(inspection.statuses):
        notes.append(wording.status_text(inspection.statuses[number]))
    return ChainRow(plain.line(read_name_of(member.der), _NAME_LIMIT), " · ".join(notes))


def _place(number: int, member: Known, chain: Chain) -> str:
    if number == 0:
        return tr("This certificate")
    places = {
        Origin.CARD: tr("From the card"),
        Origin.SETTINGS: tr("From the settings"),
        Origin.SYSTEM: tr("From this computer"),
        Origin.FETCHED: tr("From the issuer's address"),
    }
    is_root = chain.complete and number == len(chain.members) - 1
    what = tr("Root") if is_root else tr("Issuer")
    return f"{what} · {places[member.origin]}"


def _numbered(text: str, failure: Failure | None) -> str:
    if failure is None:
        return text
    code = tr("Error code {number}").format(number=failure.number)
    return f"{text} {code}."


def _demand_row(finding: Finding) -> DemandRow:
    lines = (plain.line(line, _TEXT_LIMIT) for line in wording.finding_lines(finding))
    verdict = wording.verdict_text(finding.verdict)
    return DemandRow(finding.verdict, tr(finding.check.title), "\n".join((verdict, *lines)))


def _mapping_row(mapping: Mapping) -> MappingRow:
    copied = tr("Copied: {what}").format(what=tr(mapping.kind.title))
    return MappingRow(tr(mapping.kind.title), tr(mapping.kind.note), plain.line(mapping.value, _VALUE_LIMIT), copied)
