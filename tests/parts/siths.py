# SPDX-License-Identifier: EUPL-1.2
"""`siths` as a process of its own over one virtual card in a reader in that process: no service, no network."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sithsapp.card.virtual.card import VirtualCard

_SECONDS = 30.0
_COMMAND = (sys.executable, "-m", "sithsapp.cli.main")


@dataclass(frozen=True)
class Result:
    """What a command wrote, and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """Standard output as one JSON object."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def number(self) -> str:
        """The failure's number: from the JSON object, or the first one that a person was told."""
        if self.out.startswith("{"):
            return str(self.data["error"]["number"])
        found = re.search(r"^[RCPNSA]\d{3}", self.err, re.MULTILINE)
        assert found, self.err
        return found[0]


class Siths:
    """Runs commands on the card in one directory."""

    def __init__(self, card: Path, home: Path, *, pcsc_socket: str | None = None) -> None:
        """Keep everything in `home`; other cards are seen only through `pcsc_socket`."""
        self._card = card
        places = {name: str(home / name) for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
        configuration = home / "XDG_CONFIG_HOME" / "sithsapp"
        configuration.mkdir(parents=True)
        (configuration / "settings.json").write_text(
            json.dumps(
                {"environment": "test", "pkcs11": False}
                | ({"virtual_card": str(card)} if pcsc_socket is None else {})
            )
        )
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
        socket = pcsc_socket or str(home / "no-service")
        self.environment = {**kept, **places, "HOME": str(home), "LANG": "C.UTF-8", "PCSCLITE_CSOCK_NAME": socket}

    def card(self) -> VirtualCard:
        """Return the card as the last command left it."""
        return VirtualCard.open(self._card, environment="test")

    def run(self, *arguments: str, codes: dict[str, str] | None = None, **environment: str) -> Result:
        """Run to the end; `codes` maps options such as `--pin-fd` to what comes through a pipe."""
        command, pipes = [*_COMMAND, *arguments], []
        for option, code in (codes or {}).items():
            read, write = os.pipe()
            os.write(write, code.encode())
            os.close(write)
            pipes.append(read)
            command += [option, str(read)]
        try:
            done = subprocess.run(
                command,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                pass_fds=pipes,
                check=False,
            )
        finally:
            for pipe in pipes:
                os.close(pipe)
        result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
        for code in (codes or {}).values():
            assert not code.strip() or code.strip() not in result.out + result.err
        return result

    def at_terminal(self, *arguments: str, answers: list[tuple[str, str]]) -> Result:
        """Run at a pseudo-terminal; each answer is typed once its question was shown and keys are awaited."""
        master, slave = pty.openpty()
        program = subprocess.Popen(
            [*_COMMAND, *arguments],
            env=self.environment,
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        shown = bytearray()
        try:
            for question, answer in answers:
                _await(program, shown, question, slave, raw=not answer.endswith("\n"))
                os.write(master, answer.encode())
            out, err = program.communicate(timeout=_SECONDS)
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()
            os.close(master)
            os.close(slave)
        return Result(program.returncode, out.decode(), (bytes(shown) + err).decode())


def _await(program: subprocess.Popen[bytes], shown: bytearray, question: str, slave: int, *, raw: bool) -> None:
    """Read what is shown until a new question stands there and the terminal is in the mode for the answer."""
    assert program.stderr is not None
    deadline, begun = time.monotonic() + _SECONDS, len(shown)
    while question.encode() not in shown[begun:]:
        assert time.monotonic() < deadline, shown.decode()
        if select.select([program.stderr], [], [], 0.1)[0]:
            part = os.read(program.stderr.fileno(), 4096)
            assert part, shown.decode()
            shown += part
    while raw and termios.tcgetattr(slave)[3] & termios.ICANON:
        assert time.monotonic() < deadline
        select.select([], [], [], 0.005)
