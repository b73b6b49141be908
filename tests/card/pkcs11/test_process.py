# SPDX-License-Identifier: EUPL-1.2
"""The process with a module: what it gets, and what happens when it crashes, hangs, lies or is left alone."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp.card.pkcs11 import process as process_module
from sithsapp.card.pkcs11.messages import Contents, Done, HashName, Look, Padding, Read, Sign, Token, Tokens
from sithsapp.card.pkcs11.process import ModuleProcess, ModuleRefusal
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import eventually
from tests.parts.softhsm import USER_PIN, SoftHsm, Wrapper

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]
DIGEST = hashlib.sha256(b"m").digest()


class Processes:
    """Starts processes and ends those that are left."""

    def __init__(self, hsm: SoftHsm) -> None:
        self.hsm = hsm
        self.started: list[ModuleProcess] = []

    def start(self, module: Path | None = None) -> ModuleProcess:
        process = ModuleProcess(module or self.hsm.module, self.hsm.environment)
        self.started.append(process)
        return process


@pytest.fixture
def processes(softhsm: SoftHsm) -> Iterator[Processes]:
    found = Processes(softhsm)
    yield found
    for process in found.started:
        process.close()


def token_of(process: ModuleProcess) -> Token:
    (token,) = process.call(Look(), Tokens).tokens
    return token


def signing(token: Token) -> Sign:
    return Sign(token.slot, token.serial, b"\x01", Padding.PKCS1, HashName.SHA256, DIGEST)


def failure_of_call(process: ModuleProcess, seconds: float = 5.0) -> Failure:
    with pytest.raises(SithsError) as caught:
        process.call(Look(), Tokens, seconds=seconds)
    return caught.value.failure


def test_it_lists_and_signs(processes: Processes) -> None:
    process = processes.start()
    token = token_of(process)
    contents = process.call(Read(token.slot, token.serial), Contents)
    assert [stored.id for stored in contents.certificates] == [b"\x01"]
    assert contents.paddings == frozenset(Padding)
    assert process.call(signing(token), Done, bytearray(USER_PIN.encode())).signature


def test_a_refusal_leaves_it_alive(processes: Processes) -> None:
    process = processes.start()
    token = token_of(process)
    with pytest.raises(ModuleRefusal) as caught:
        process.call(signing(token), Done, bytearray(b"111111"))
    assert caught.value.failed.reason == "PinIncorrect"
    assert not caught.value.failed.logged_in
    assert process.running


def test_another_token_in_the_slot_is_told(processes: Processes) -> None:
    process = processes.start()
    with pytest.raises(ModuleRefusal, match="AnotherToken"):
        process.call(Read(token_of(process).slot, b"other"), Contents)


def test_a_file_that_is_no_module_is_told(processes: Processes, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.so"
    nothing.write_bytes(b"no module")
    with pytest.raises(ModuleRefusal):
        processes.start(nothing).call(Look(), Tokens)


def test_it_gets_a_minimal_environment_and_its_pipe_only(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    monkeypatch.setenv("MY_SECRET", "hunter2")
    readable, writable = os.pipe()
    os.set_inheritable(writable, True)
    process = processes.start()
    token_of(process)
    names = {line.split(b"=")[0].decode() for line in _proc(process, "environ").split(b"\0") if line}
    expected = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SOFTHSM2_CONF", *process_module._PASSED_ON}
    # The interpreter itself may set the locale for its own use.
    assert names <= expected | {"LC_CTYPE"}
    directory = Path(f"/proc/{process.pid}/fd")
    pipes = [link for link in (os.readlink(entry) for entry in directory.iterdir()) if link.startswith("pipe:")]
    assert os.readlink(f"/proc/self/fd/{writable}") not in pipes
    assert len(pipes) == 2
    assert Path(f"/proc/{process.pid}/cwd").resolve() == Path("/")
    os.close(readable)
    os.close(writable)


def test_no_code_is_in_its_arguments_or_environment(processes: Processes) -> None:
    process = processes.start()
    process.call(signing(token_of(process)), Done, bytearray(USER_PIN.encode()))
    assert USER_PIN.encode() not in _proc(process, "cmdline") + _proc(process, "environ")


def test_no_code_stays_in_its_memory_on_our_side_of_the_module(processes: Processes, wrapper: Wrapper) -> None:
    """The module here forgets the code at once: what remains would be ours."""
    process = processes.start(wrapper.build(IN_LOGIN="return 6"))
    token = token_of(process)
    code = b"73915048261537"
    with pytest.raises(ModuleRefusal, match="FunctionFailed"):
        process.call(signing(token), Done, bytearray(code))
    assert not any(code in part for part in _memory(process.pid))


def test_killed_while_idle_and_in_a_call(processes: Processes, wrapper: Wrapper) -> None:
    idle = processes.start()
    token_of(idle)
    os.kill(idle.pid, signal.SIGKILL)
    assert failure_of_call(idle) is Failure.CARD_ERROR
    busy = processes.start(wrapper.build(IN_LOGIN="for (;;) pause()"))
    token = token_of(busy)
    threading.Timer(0.2, os.kill, (busy.pid, signal.SIGKILL)).start()
    with pytest.raises(SithsError) as caught:
        busy.call(signing(token), Done, bytearray(USER_PIN.encode()))
    assert caught.value.failure is Failure.CARD_ERROR
    assert not busy.running


def test_a_module_that_crashes_takes_nobody_along(processes: Processes, wrapper: Wrapper) -> None:
    process = processes.start(wrapper.build(IN_INITIALIZE="raise(SIGSEGV)"))
    assert failure_of_call(process) is Failure.CARD_ERROR
    assert token_of(processes.start())


def test_a_module_that_hangs_is_killed_in_time(processes: Processes, wrapper: Wrapper) -> None:
    process = processes.start(wrapper.build(IN_INITIALIZE="for (;;) pause()"))
    began = time.monotonic()
    assert failure_of_call(process, seconds=1.0) is Failure.CARD_ERROR
    assert time.monotonic() - began < 3.0
    assert not process.running


def test_what_a_module_prints_never_reaches_the_pipe(processes: Processes, wrapper: Wrapper) -> None:
    process = processes.start(wrapper.build(IN_INITIALIZE='puts("hello"), fflush(stdout), write(1, "x", 1)'))
    assert token_of(process)


def test_garbage_on_the_pipe_ends_it(processes: Processes, wrapper: Wrapper) -> None:
    # A hostile module can find the pipe: it is the descriptor that follows the standard ones.
    everywhere = 'for (int fd = 3; fd < 9; fd++) write(fd, \\"\\\\377\\\\377\\\\377\\\\377garbage\\", 11)'
    process = processes.start(wrapper.build(IN_INITIALIZE=everywhere.replace('\\"', '"').replace("\\\\", "\\")))
    assert failure_of_call(process) is Failure.CARD_ERROR
    assert not process.running


def test_it_ends_with_its_parent(softhsm: SoftHsm, wrapper: Wrapper) -> None:
    """Even while the module hangs."""
    hanging = wrapper.build(IN_INITIALIZE="for (;;) pause()")
    script = (
        "import sys, threading\nfrom pathlib import Path\n"
        "from sithsapp.card.pkcs11.process import ModuleProcess\n"
        "from sithsapp.card.pkcs11.messages import Look, Tokens\n"
        "process = ModuleProcess(Path(sys.argv[1]), {})\n"
        "threading.Thread(target=process.call, args=(Look(), Tokens), daemon=True).start()\n"
        "print(process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(hanging)]
    environment = {**os.environ, "PYTHONPATH": str(Path(process_module.__file__).parents[3])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    eventually(lambda: not _alive(pid))


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _proc(process: ModuleProcess, name: str) -> bytes:
    return Path(f"/proc/{process.pid}/{name}").read_bytes()


def _memory(pid: int) -> Iterator[bytes]:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in span.split("-"))
            if "rw" not in rights or "[v" in line:
                continue
            memory.seek(begin)
            yield memory.read(end - begin)
