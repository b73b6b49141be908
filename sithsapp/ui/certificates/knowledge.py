# SPDX-License-Identifier: EUPL-1.2
"""What must be worked out about a certificate: chain, log-on to Windows, revocation. Blocking, without Qt."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sithsapp.card.model import PinRole
from sithsapp.pki.findings import Chain, Inspection, Known, Origin
from sithsapp.ui.certificates.entries import Entry

if TYPE_CHECKING:
    from sithsapp.pki.ad_readiness import AdReadiness
    from sithsapp.settings.schema import Settings


@dataclass(frozen=True, slots=True, repr=False)
class Knowledge:
    """What is known without asking anybody. `logon` is None for a certificate that is not for identification."""

    chain: Chain
    logon: AdReadiness | None


def look(entry: Entry, settings: Settings) -> Knowledge:
    """Work out chain and readiness with what lies on the card and the computer.

    Raises `SithsError(SETTINGS_INVALID)` naming a file that cannot be used.
    """
    from sithsapp.pki.issuers import build_chain
    from sithsapp.pki.known_certificates import known_certificates

    chain = build_chain(Known(entry.der, Origin.CARD), known_certificates(settings, entry.on_card))
    return Knowledge(chain, logon_of(entry, chain))


def check(entry: Entry, settings: Settings, cancelled: threading.Event) -> Inspection:
    """Ask the issuers about a certificate; raises as `look`, and CARD_DATA_INVALID."""
    from sithsapp.oob.fetch_proxy import proxy_of_the_system
    from sithsapp.pki.client_fetching import fetch_by
    from sithsapp.pki.inspection import inspect
    from sithsapp.pki.known_certificates import known_certificates

    known = known_certificates(settings, entry.on_card)
    return inspect(entry.der, known, fetch_by(settings, cancelled, proxy_of_the_system))


def logon_of(entry: Entry, chain: Chain) -> AdReadiness | None:
    """Return the readiness for a log-on, None for a certificate that is not for identification."""
    from sithsapp.pki.ad_readiness import LogonCertificate, ad_readiness

    if entry.fields is None or entry.credential is None or entry.credential.pin is not PinRole.AUTH:
        return None
    issuer = chain.certificates[1] if len(chain.members) > 1 else None
    return ad_readiness(LogonCertificate(entry.der, entry.fields, issuer), datetime.now(UTC))
