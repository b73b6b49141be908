# SPDX-License-Identifier: EUPL-1.2
"""The verified outcome of a log-in or signature."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.oob.protocol.order import Binding, Flow, OrderType
from sithsapp.oob.protocol.rp_messages import Evidence


@dataclass(frozen=True, slots=True)
class Principal:
    """A person whose signature, certificate and browser binding have all been verified.

    `loa` is the level's URI. `text` is what the person read and approved. `evidence` is there for signatures, and for
    log-ins only where it was asked for: it is personal data. `repr` shows nothing of the person.
    """

    hsaid: str | None
    personal_number: str | None
    given_name: str | None
    surname: str | None
    organisation: str | None
    loa: str
    policies: tuple[str, ...]
    certificate_sha256: str
    issuer: str
    order: str
    typ: OrderType
    flow: Flow
    binding: Binding
    text: str
    evidence: Evidence | None

    @property
    def name(self) -> str:
        """Given name and surname."""
        return " ".join(part for part in (self.given_name, self.surname) if part)

    @property
    def bound(self) -> bool:
        """Whether the result is tied to the browser that started it; a QR code alone does not do that."""
        return self.binding in (Binding.RETURN, Binding.CODE)

    def __repr__(self) -> str:
        return f"<Principal of order {self.order}>"
