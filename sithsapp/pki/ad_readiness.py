# SPDX-License-Identifier: EUPL-1.2
"""Is a card's certificate ready for logging on to Active Directory, and what must be done if not. Pure.

Sources: facts, platforms section 4.3; KB5014754 (strong mappings only since September 2025). What only the domain
knows is named and not guessed: the account, the NTAuth store, the domain controllers' own certificates.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from sithsapp.pki import der
from sithsapp.pki.ad_checks import AdCheck, MappingKind, Verdict
from sithsapp.pki.certificate import Certificate
from sithsapp.pki.extensions import CLIENT_AUTH, SMART_CARD_LOGON, KeyUsage
from sithsapp.pki.parts import take_apart
from sithsapp.pki.windows_names import (
    WindowsNames,
    issuer_and_serial,
    read_windows_names,
    subject_key,
)

_ANY_PURPOSE: Final = "2.5.29.37.0"


class Readiness(Enum):
    """The verdict as a whole."""

    READY = "ready"
    NEEDS_SETUP = "needs set-up"
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """How one demand is met. `detail` is what the certificate says about it, or empty."""

    check: AdCheck
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Mapping:
    """A ready-made value with which a directory knows the certificate."""

    kind: MappingKind
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class AdReadiness:
    """All findings, worst first, and the values that the directory's administrator needs."""

    findings: tuple[Finding, ...]
    mappings: tuple[Mapping, ...]

    @property
    def readiness(self) -> Readiness:
        """The verdict: what cannot be checked here changes nothing."""
        verdicts = {finding.verdict for finding in self.findings}
        if Verdict.NOT_MET in verdicts:
            return Readiness.NOT_READY
        return Readiness.NEEDS_SETUP if Verdict.SETUP in verdicts else Readiness.READY


@dataclass(frozen=True, slots=True, repr=False)
class LogonCertificate:
    """What is asked about: a certificate (DER) with its fields, its issuer's DER if known, is its key on a card."""

    der: bytes
    fields: Certificate
    issuer: bytes | None = None
    key_on_card: bool = True


def ad_readiness(subject: LogonCertificate, at: datetime) -> AdReadiness:
    """Return what stands in the way of a log-on at an aware time."""
    names = _names(subject.der)
    findings = (
        _validity(subject.fields, at),
        _met(AdCheck.KEY_ON_CARD, subject.key_on_card),
        _met(AdCheck.KEY_USAGE, KeyUsage.DIGITAL_SIGNATURE in subject.fields.key_usage),
        _logon_purpose(subject.fields),
        _client_purpose(subject.fields),
        _user_name(names),
        Finding(AdCheck.STRONG_MAPPING, Verdict.MET if names.sid else Verdict.SETUP, names.sid or ""),
        _revocation_list(subject.fields),
        Finding(AdCheck.ISSUER_IN_NTAUTH, Verdict.NOT_CHECKED, subject.fields.issuer),
        Finding(AdCheck.DOMAIN_CONTROLLERS, Verdict.NOT_CHECKED),
    )
    worst_first = sorted(findings, key=lambda finding: list(Verdict).index(finding.verdict))
    return AdReadiness(tuple(worst_first), _mappings(subject, names))


def _met(check: AdCheck, holds: bool, otherwise: Verdict = Verdict.NOT_MET, detail: str = "") -> Finding:
    return Finding(check, Verdict.MET if holds else otherwise, detail)


def _names(data: bytes) -> WindowsNames:
    try:
        return read_windows_names(take_apart(data))
    except der.DerError:
        return WindowsNames(None, False, None, None)


def _validity(fields: Certificate, at: datetime) -> Finding:
    days = f"{fields.not_before:%Y-%m-%d} – {fields.not_after:%Y-%m-%d}"
    return _met(AdCheck.VALIDITY, fields.is_valid_at(at), detail=days)


def _logon_purpose(fields: Certificate) -> Finding:
    purposes = fields.extended_key_usage
    if purposes is None:
        return Finding(AdCheck.NO_PURPOSES, Verdict.ADVICE)
    return _met(AdCheck.LOGON_PURPOSE, SMART_CARD_LOGON in purposes or _ANY_PURPOSE in purposes)


def _client_purpose(fields: Certificate) -> Finding:
    purposes = fields.extended_key_usage
    holds = purposes is None or CLIENT_AUTH in purposes or _ANY_PURPOSE in purposes
    return _met(AdCheck.CLIENT_PURPOSE, holds, Verdict.ADVICE)


def _user_name(names: WindowsNames) -> Finding:
    if names.upn is None:
        return Finding(AdCheck.USER_NAME, Verdict.SETUP)
    name, at_sign, suffix = names.upn.rpartition("@")
    if not (name and at_sign and suffix) or not names.upn_is_utf8:
        return Finding(AdCheck.USER_NAME_FORM, Verdict.SETUP, names.upn)
    return Finding(AdCheck.USER_NAME, Verdict.MET, names.upn)


def _revocation_list(fields: Certificate) -> Finding:
    urls = [url for url in fields.extensions.crl_urls if url.startswith("http://")]
    return _met(AdCheck.REVOCATION_LIST, bool(urls), Verdict.ADVICE, next(iter(urls), ""))


def _mappings(subject: LogonCertificate, names: WindowsNames) -> tuple[Mapping, ...]:
    try:
        by_serial = issuer_and_serial(take_apart(subject.der))
    except der.DerError:
        by_serial = None
    values = (
        (MappingKind.ISSUER_AND_SERIAL, by_serial),
        (MappingKind.SUBJECT_KEY, subject_key(names)),
        (MappingKind.NAME_RULE, _name_rule(subject, names)),
    )
    return tuple(Mapping(kind, value) for kind, value in values if value is not None)


def _name_rule(subject: LogonCertificate, names: WindowsNames) -> str | None:
    """Return a rule for the policy "Allow name-based strong mappings for certificates" (Server 2019 and later)."""
    if subject.issuer is None or not subject.fields.policies:
        return None
    # Not for security: the policy names issuers by it.
    thumbprint = hashlib.sha1(subject.issuer, usedforsecurity=False).hexdigest()
    suffix = names.upn.rpartition("@")[2] if names.upn else ""
    match = f"UpnSuffix={suffix}" if suffix else "IssuerSubject"
    return f"{thumbprint}; {', '.join(subject.fields.policies)}; {match}"
