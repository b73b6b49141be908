# SPDX-License-Identifier: EUPL-1.2
"""A real web server that knows the root CA alone, with the key on a virtual card in process and behind real pcscd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sithsapp.card.service import CardService
from sithsapp.card.transport import ReaderBackend
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import Pair
from sithsapp.card.virtual.reader import VirtualReaders
from tests.mtls.desk import WRONG, Desk, fetch, port_of, together
from tests.mtls.parts import ServerFiles, eventually
from tests.parts.nginx import Nginx
from tests.parts.pcscd import PcscSlots
from tests.parts.virtual_card import CardFactory

pytestmark = pytest.mark.e2e


def serve(files: ServerFiles, directory: Path, protocol: str = "TLSv1.2 TLSv1.3") -> Nginx:
    return Nginx(directory / "nginx", files.certificate, files.key, files.client_cas, protocol)


def started(backend: ReaderBackend, files: ServerFiles, issuers: Path) -> Desk:
    service = CardService([backend])
    service.start()
    eventually(lambda: bool(service.state.cards))
    return Desk(service, files, issuers)


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, KeyKind.P_256, KeyKind.P_384])
def test_nginx_verifies_the_card_and_resumes(
    make_card: CardFactory, kind: KeyKind, protocol: str, server_files: ServerFiles, issuers: Path, tmp_path: Path
) -> None:
    card = make_card(pairs=(Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, kind),))
    readers = VirtualReaders()
    readers.insert(card)
    desk = started(readers, server_files, issuers)
    with serve(server_files, tmp_path, protocol) as nginx:
        helper = desk.helper(nginx.port)
        answers = together(6, lambda: fetch(helper))
        assert len(desk.person.requests) == 1
        desk.close()
    desk.service.close()
    assert {status for status, _ in answers} == {200}
    assert all(f"serialNumber={DEFAULT_PERSON.hsa_id}" in text and f"|{protocol}|" in text for _, text in answers)
    assert sorted(text.split("|")[2] for _, text in answers) == ["."] + ["r"] * 5


def test_the_key_behind_real_pcscd(
    pcsc_slots: PcscSlots, card: VirtualCard, server_files: ServerFiles, issuers: Path, tmp_path: Path
) -> None:
    from sithsapp.card.pcsc import PcscReaders

    pcsc_slots.insert(card)
    desk = started(PcscReaders(), server_files, issuers)
    desk.person.answers = [WRONG]
    try:
        with serve(server_files, tmp_path) as nginx:
            helper = desk.helper(nginx.port)
            assert [status for status, _ in together(6, lambda: fetch(helper))] == [200] * 6
            assert [request.pin.tries_left for request in desk.person.requests] == [3, 2]
            pcsc_slots.remove()
            eventually(lambda: not desk.service.state.cards)
            status, text = fetch(helper)
            assert (status, text[:4]) == (502, "R105")
            pcsc_slots.insert(card)
            eventually(lambda: bool(desk.service.state.cards))
            desk.person.before = pcsc_slots.remove
            status, text = fetch(helper)
            assert (status, text[:4]) == (502, "C203")
    finally:
        desk.close()
        desk.service.close()


def test_curl_uses_a_forward(desk: Desk, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    with serve(desk.files, tmp_path) as nginx:
        (nginx.directory / "files" / "large").write_bytes(bytes(5_000_000))
        url = f"http://127.0.0.1:{port_of(desk.helper(nginx.port))}"
        command = [curl, "--silent", "--noproxy", "*", "--fail", f"{url}/", f"{url}/files/large"]
        done = subprocess.run(command, capture_output=True, timeout=20, check=True)
    first, _, rest = done.stdout.partition(b"\n")
    assert DEFAULT_PERSON.hsa_id.encode() in first
    assert len(rest) == 5_000_000
