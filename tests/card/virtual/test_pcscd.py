# SPDX-License-Identifier: EUPL-1.2
"""The private pcscd: it starts, comes back, stays private and dies with its program (Linux)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from smartcard import scard

from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual import pcscd
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.pcscd import PrivatePcscd
from sithsapp.failures import Failure, SithsError
from tests.card.virtual.terminal import SELECT
from tests.parts.pcscd import PcscSlots, wait_for_presence
from tests.parts.virtual_card import CardFactory

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")]

DEADLINE = 15.0


def _require() -> None:
    reason = pcscd.unavailable()
    if reason is not None:
        pytest.skip(reason)


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def _is_running(pid: int) -> bool:
    """A process that is dead but not yet collected by its new parent counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def service() -> Iterator[PrivatePcscd]:
    """A service of the test's own. This process cannot speak to it: see `tests.parts.pcscd`."""
    _require()
    with PrivatePcscd() as running:
        yield running


def _connect(reader: str, protocol: int) -> tuple[int, int, int]:
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert result == scard.SCARD_S_SUCCESS
    result, handle, active = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, protocol)
    assert result == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result)
    return context, handle, active


@pytest.mark.parametrize(
    ("kind", "expected"), [(CardProtocol.T0, scard.SCARD_PROTOCOL_T0), (CardProtocol.T1, scard.SCARD_PROTOCOL_T1)]
)
def test_a_card_by_pcsc(pcsc_slots: PcscSlots, make_card: CardFactory, kind: CardProtocol, expected: int) -> None:
    card = make_card(protocol=kind)
    reader = pcsc_slots.insert(card)
    context, handle, active = _connect(reader, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1)
    assert active == expected
    assert bytes(scard.SCardStatus(handle)[4]) == card.atr
    result, answer = scard.SCardTransmit(handle, active, list(bytes.fromhex(SELECT)))
    assert (result, bytes(answer)) == (scard.SCARD_S_SUCCESS, b"\x90\x00")
    scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)


def test_two_slots(pcsc_slots: PcscSlots, make_card: CardFactory) -> None:
    first, second = pcsc_slots.insert(make_card(), 0), pcsc_slots.insert(make_card(), 1)
    assert first != second
    pcsc_slots.remove(0)
    wait_for_presence(second, present=True)


def test_it_comes_back_on_the_same_ports_and_so_does_the_card(pcsc_slots: PcscSlots, card: VirtualCard) -> None:
    service = pcsc_slots.service
    pid, port = service.pid, service.port()
    reader = pcsc_slots.insert(card)
    service.kill()
    service.restart()
    wait_for_presence(reader, present=True)
    assert service.port() == port
    assert service.pid != pid


def test_ports_are_below_those_of_outgoing_connections(service: PrivatePcscd) -> None:
    assert service.port() + pcscd.SLOTS <= 32768


def test_two_services_do_not_meet(service: PrivatePcscd) -> None:
    with PrivatePcscd() as other:
        assert other.socket_path != service.socket_path
        assert {other.port(), other.port(1)}.isdisjoint({service.port(), service.port(1)})


def test_stop_leaves_nothing() -> None:
    _require()
    service = PrivatePcscd()
    service.start()
    pid, path = service.pid, service.socket_path
    service.stop()
    service.stop()
    assert not _is_running(pid)
    assert not path.parent.exists()
    with pytest.raises(RuntimeError):
        _ = service.pid


def test_it_dies_with_its_program(tmp_path: Path) -> None:
    _require()
    program = (
        "import sys, threading; from pathlib import Path; from sithsapp.card.virtual.pcscd import PrivatePcscd\n"
        "service = PrivatePcscd(Path(sys.argv[1]))\n"
        "starter = threading.Thread(target=service.start); starter.start(); starter.join()\n"
        "print(service.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert _is_running(pid)
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE)
        assert _until(lambda: not _is_running(pid))


def test_ports_that_are_taken_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    _require()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        real = pcscd._free_port
        choices = [port]
        monkeypatch.setattr(pcscd, "_free_port", lambda: choices.pop() if choices else real())
        monkeypatch.setattr(pcscd, "_START_SECONDS", 1.0)
        with PrivatePcscd() as service:
            assert service.port() != port


def test_the_reason_is_told_where_it_cannot_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pcscd, "_SEARCH", str(tmp_path))
    monkeypatch.setattr(pcscd, "_DRIVER_DIRECTORIES", (str(tmp_path),))
    assert pcscd.unavailable() == "not installed: pcscd, unshare, mount, setpriv, sh, libifdvpcd.so"
    with pytest.raises(SithsError) as caught:
        PrivatePcscd(tmp_path).start()
    assert caught.value.failure is Failure.NO_READER_SERVICE


def test_the_reason_where_namespaces_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    _require()
    monkeypatch.setattr(pcscd, "_unshare", lambda: ["/bin/false"])
    assert pcscd.unavailable() == "this user may not make a mount namespace"
