# SPDX-License-Identifier: EUPL-1.2
"""What can be found out about a certificate: its chain and whether it is revoked. Frozen values, nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sithsapp.failures import Failure


class Origin(Enum):
    """Where an issuer's certificate was found. Values are the words of `--json`."""

    CARD = "card"
    SETTINGS = "settings"
    SYSTEM = "system"
    FETCHED = "fetched"


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """A certificate (DER) that may be somebody's issuer."""

    der: bytes
    origin: Origin


@dataclass(frozen=True, slots=True, repr=False)
class Chain:
    """The leaf and its issuers, the leaf first. `complete`: the last one is its own issuer, a root."""

    members: tuple[Known, ...]
    complete: bool

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The certificates in DER."""
        return tuple(member.der for member in self.members)


class Revocation(Enum):
    """What could be learnt of a certificate. Values are the words of `--json`."""

    GOOD = "good"
    REVOKED = "revoked"
    NOT_KNOWN = "unknown"  # the issuer says that it does not know the certificate
    NOT_CHECKED = "not-checked"  # nobody gave an answer that can be relied on


@dataclass(frozen=True, slots=True)
class Status:
    """The answer for one certificate. `since`: an aware time, set when it is revoked and the issuer says it."""

    revocation: Revocation
    since: datetime | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Inspection:
    """What was found at `at`, an aware time.

    `statuses` has one entry for each certificate of the chain whose issuer is in it and not itself, leaf first.
    `anchored`: this computer or the settings know the root, and the chain obeys the rules up to it. `failure` is the
    worst of it, None when all is well.
    """

    chain: Chain
    statuses: tuple[Status, ...]
    anchored: bool
    at: datetime
    failure: Failure | None
