# SPDX-License-Identifier: EUPL-1.2
"""What was found out about a certificate, in the words that window and terminal share."""

from __future__ import annotations

from datetime import datetime

from sithsapp.failures import Failure
from sithsapp.locale import tr
from sithsapp.pki.ad_checks import Verdict
from sithsapp.pki.ad_readiness import Finding, Readiness
from sithsapp.pki.findings import Inspection, Revocation, Status


def moment(at: datetime) -> str:
    """Return an aware time for people: the day and the minute on this computer's clock."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def status_text(status: Status) -> str:
    """Return the answer for one certificate of a chain."""
    if status.revocation is Revocation.REVOKED:
        return tr("Revoked since {date}").format(date=moment(status.since)) if status.since else tr("Revoked")
    texts = {
        Revocation.GOOD: tr("Not revoked"),
        Revocation.NOT_KNOWN: tr("The issuer does not know the certificate"),
        Revocation.NOT_CHECKED: tr("Could not be checked"),
    }
    return texts[status.revocation]


def result_title(inspection: Inspection) -> str:
    """Return the result of a check in one sentence."""
    if inspection.failure is None:
        return tr("The certificate is valid and not revoked")
    if inspection.statuses and inspection.statuses[0].revocation is Revocation.REVOKED:
        return status_text(inspection.statuses[0])
    if inspection.failure is Failure.CHAIN_NOT_TRUSTED:
        return tr("Not revoked, but this computer does not trust the issuer")
    return tr(inspection.failure.title)


def result_text(inspection: Inspection) -> str:
    """Return when the check was made and what to do about its result."""
    checked = tr("Checked {date}.").format(date=moment(inspection.at))
    return checked if inspection.failure is None else f"{checked} {tr(inspection.failure.remedy)}"


def readiness_title(readiness: Readiness) -> str:
    """Return the verdict on a log-on to Active Directory."""
    texts = {
        Readiness.READY: tr("Ready for Windows logon as far as the card goes"),
        Readiness.NEEDS_SETUP: tr("Windows logon needs a setting in the domain"),
        Readiness.NOT_READY: tr("Not ready for Windows logon"),
    }
    return texts[readiness]


def verdict_text(verdict: Verdict) -> str:
    """Return how a demand is met."""
    texts = {
        Verdict.MET: tr("Met"),
        Verdict.NOT_MET: tr("Not met"),
        Verdict.SETUP: tr("Needs a setting"),
        Verdict.ADVICE: tr("May matter"),
        Verdict.NOT_CHECKED: tr("Not checked"),
    }
    return texts[verdict]


def finding_lines(finding: Finding) -> tuple[str, ...]:
    """Return what the certificate says on a demand, and what to do where that is not enough."""
    remedy = "" if finding.verdict is Verdict.MET else tr(finding.check.remedy)
    return tuple(filter(None, (finding.detail, remedy)))
