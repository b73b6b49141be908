# SPDX-License-Identifier: EUPL-1.2
"""A helper with a card in process, a server that knows the card's CA, and a person who answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import IssuerProfile
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import VirtualReaders
from tests.mtls.desk import Desk
from tests.mtls.parts import ServerFiles, eventually


@pytest.fixture
def server_files(tmp_path: Path, shared_ca: CaServer) -> ServerFiles:
    """Files of a server that accepts certificates under the test root."""
    assert shared_ca.pki is not None
    return ServerFiles(tmp_path, shared_ca.pki.root.certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def issuers(tmp_path: Path, shared_ca: CaServer) -> Path:
    """The issuing CAs' certificates."""
    assert shared_ca.pki is not None
    file = tmp_path / "issuers.pem"
    file.write_bytes(
        b"".join(shared_ca.pki.issuer(each).certificate.public_bytes(Encoding.PEM) for each in IssuerProfile)
    )
    return file


@pytest.fixture
def desk(card: VirtualCard, server_files: ServerFiles, issuers: Path) -> Iterator[Desk]:
    """The default card in a reader in process, and all that stands around it."""
    readers = VirtualReaders()
    service = CardService([readers])
    service.start()
    readers.insert(card)
    eventually(lambda: bool(service.state.cards))
    desk = Desk(service, server_files, issuers, readers, card)
    yield desk
    desk.close()
    service.close()
