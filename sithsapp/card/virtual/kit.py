# SPDX-License-Identifier: EUPL-1.2
"""A virtual card with its test CA in one directory: made at the first use, opened again later."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual import refuse_in_production
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import IssuerProfile
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.personalise import CardOrder, new_card


class VirtualKit:
    """The card, its issuer, and the issuer's server while it is open.

    `directory`/card is the card, /ca the issuer, /anchors.pem its root and /issuers.pem its issuing CAs.
    """

    def __init__(self, directory: Path, *, environment: str, order: CardOrder | None = None) -> None:
        """Open the kit in `directory`, or make one there, with a card as `order` says.

        Raises `SithsError` VIRTUAL_CARD_REFUSED in production, CARD_DATA_INVALID if the card is damaged, and
        `OSError` if the issuer's port is taken: its certificates name it.
        """
        refuse_in_production(environment)
        self.directory = directory
        self.card_directory = directory / "card"
        self.server = CaServer(self._port_of_before())
        try:
            self.pki = VirtualPki(directory / "ca", base_url=self.server.url, environment=environment)
            self.server.pki = self.pki
            self.card = self._card(environment, order)
            self._write_certificates()
        except BaseException:
            self.server.close()
            raise

    @property
    def anchors(self) -> Path:
        """PEM file with the root."""
        return self.directory / "anchors.pem"

    @property
    def issuers(self) -> Path:
        """PEM file with the issuing CAs."""
        return self.directory / "issuers.pem"

    def close(self) -> None:
        """Stop the issuer's server."""
        self.server.close()

    def __enter__(self) -> VirtualKit:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _port_of_before(self) -> int:
        path = self.directory / "ca-address"
        return urlsplit(path.read_text()).port or 0 if path.exists() else 0

    def _card(self, environment: str, order: CardOrder | None) -> VirtualCard:
        if self.card_directory.exists():
            return VirtualCard.open(self.card_directory, environment=environment)
        return new_card(self.card_directory, self.pki, order, environment=environment)

    def _write_certificates(self) -> None:
        issuers = [self.pki.issuer(profile).certificate for profile in IssuerProfile]
        self.anchors.write_bytes(self.pki.root.certificate.public_bytes(Encoding.PEM))
        self.issuers.write_bytes(b"".join(issuer.public_bytes(Encoding.PEM) for issuer in issuers))
        (self.directory / "ca-address").write_text(self.server.url)
