# SPDX-License-Identifier: EUPL-1.2
"""A test PKI for the whole session, with answers that can be spoilt for each CA."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual import ca_status
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.ca_status import StatusMode
from sithsapp.card.virtual.keys import KeyKind, PrivateKey, generate_key
from sithsapp.pki.fetching import FetchError

BASE = "http://status.test"


class StatusNetwork:
    """Answers for the PKI as its server would; `ocsp` and `crl` hold the modes of CAs by slug."""

    def __init__(self, pki: VirtualPki) -> None:
        self.pki = pki
        self.ocsp: dict[str, StatusMode] = {}
        self.crl: dict[str, StatusMode] = {}
        self.calls: list[str] = []

    def __call__(self, url: str, body: bytes | None, timeout: float) -> bytes:
        self.calls.append(url)
        kind, slug = url.removeprefix(BASE + "/").split("/")
        mode = (self.ocsp if kind == "ocsp" else self.crl).get(slug, StatusMode.NORMAL)
        authority = self.pki.authority(slug)
        if mode is StatusMode.DOWN or authority is None or (kind == "crl" and mode is StatusMode.UNKNOWN):
            raise FetchError("down")
        if mode is StatusMode.GARBAGE:
            return b"garbage"
        if kind == "ocsp":
            return ca_status.ocsp_response(self.pki, authority, body or b"", mode)
        return ca_status.crl(self.pki, authority, mode)


class People:
    """Issues certificates over one key."""

    def __init__(self, pki: VirtualPki) -> None:
        self.pki = pki
        self.key: PrivateKey = generate_key(KeyKind.P_256)

    def issue(
        self,
        profile: IssuerProfile = IssuerProfile.HSA_ID_3,
        purpose: KeyPurpose = KeyPurpose.AUTH,
        variant: LeafVariant = LeafVariant.NORMAL,
    ) -> list[bytes]:
        """Return leaf and issuing CA in DER."""
        leaf = self.pki.issue(LeafRequest(profile, purpose, DEFAULT_PERSON, self.key.public_key(), variant))
        return [certificate.public_bytes(Encoding.DER) for certificate in self.pki.chain(leaf)[:2]]


def _p256(_kind: KeyKind) -> PrivateKey:
    return generate_key(KeyKind.P_256)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> VirtualPki:
    directory: Path = tmp_path_factory.mktemp("pki")
    return VirtualPki(directory, base_url=BASE, environment="test", make_key=_p256)


@pytest.fixture(scope="session")
def people(pki: VirtualPki) -> People:
    return People(pki)


@pytest.fixture
def network(pki: VirtualPki) -> StatusNetwork:
    return StatusNetwork(pki)
