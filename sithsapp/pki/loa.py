# SPDX-License-Identifier: EUPL-1.2
"""From certificate to level of assurance, as data (facts: oob-protocol A1.4, siths-domain 5.1 and 5.2).

The URIs are Sweden Connect's for parties that DIGG has not approved. Who is approved gives a table of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sithsapp.pki.certificate import Certificate

UNCERTIFIED_LOA2: Final = "http://id.swedenconnect.se/loa/1.0/uncertified-loa2"
UNCERTIFIED_LOA3: Final = "http://id.swedenconnect.se/loa/1.0/uncertified-loa3"

LEVEL_WORDS: Final = {UNCERTIFIED_LOA3: "3", UNCERTIFIED_LOA2: "2"}
"""What people call the levels."""

_ISSUERS_LOA3: Final = (
    "SITHS e-id Person HSA-id 3 CA v1",
    "SITHS e-id Person ID 3 CA v1",
    "SITHS e-id Person ID Mobile CA v1",
)
_ISSUERS_LOA2: Final = ("SITHS e-id Person HSA-id 2 CA v1", "SITHS e-id Person ID 2 CA v1")


@dataclass(frozen=True, slots=True)
class LevelOfAssurance:
    """One row: a policy OID or an issuer's common name, and the level's URI. Policies go before issuers."""

    uri: str
    policy: str | None = None
    issuer: str | None = None


DEFAULT_LEVELS: Final[tuple[LevelOfAssurance, ...]] = (
    LevelOfAssurance(UNCERTIFIED_LOA3, policy="1.2.752.74.8.512"),
    *(
        LevelOfAssurance(uri, issuer=prefix + name)
        for prefix in ("", "TEST ")
        for uri, names in ((UNCERTIFIED_LOA3, _ISSUERS_LOA3), (UNCERTIFIED_LOA2, _ISSUERS_LOA2))
        for name in names
    ),
)


def level_of(certificate: Certificate, levels: tuple[LevelOfAssurance, ...] = DEFAULT_LEVELS) -> str | None:
    """Return the URI of the certificate's level, or None when no row fits: such a certificate has no level."""
    for level in levels:
        if level.policy is not None and level.policy in certificate.policies:
            return level.uri
    for level in levels:
        if level.issuer is not None and level.issuer == certificate.issuer:
            return level.uri
    return None
