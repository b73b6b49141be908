# SPDX-License-Identifier: EUPL-1.2
"""Linux only: a private pcscd with a virtual reader, beside the system's own, as root or as an ordinary user.

It runs in a mount namespace of its own in which its socket directory is a directory of ours. Clients find it by
`PCSCLITE_CSOCK_NAME`; see `PrivatePcscd.environment`.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from sithsapp.failures import Failure, SithsError

READER_NAME = "SITHS Virtual Reader"
SLOTS = 2
"""vpcd listens on two ports that follow each other, one for each slot."""

_PORTS = range(20000, 32000)  # below the range that outgoing connections are given
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.01
_TRIAL_SECONDS = 10.0
_SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"
_DRIVER = "libifdvpcd.so"
_DRIVER_DIRECTORIES = (
    "/usr/lib/pcsc/drivers/serial",
    "/usr/lib64/pcsc/drivers/serial",
    "/usr/local/lib/pcsc/drivers/serial",
)
# The last argument but one is the directory that becomes /run/pcscd, the last one the configuration. `setpriv` ends
# the service when the program that started it dies.
_SCRIPT = (
    '"$1" -t tmpfs tmpfs /run && mkdir /run/pcscd && "$1" --bind "$2" /run/pcscd && '
    'exec "$3" --pdeathsig TERM "$4" --foreground --config "$5"'
)


def unavailable() -> str | None:
    """Return why a private pcscd cannot run here, in English for a log, or None if it can."""
    missing = [tool for tool in ("pcscd", "unshare", "mount", "setpriv", "sh") if _tool(tool) is None]
    if driver() is None:
        missing.append(_DRIVER)
    if missing:
        return "not installed: " + ", ".join(missing)
    trial = subprocess.run(  # noqa: S603 - fixed absolute paths
        [*_unshare(), "/bin/sh", "-c", "mount -t tmpfs tmpfs /run"],
        capture_output=True,
        timeout=_TRIAL_SECONDS,
        check=False,
    )
    return None if trial.returncode == 0 else "this user may not make a mount namespace"


class PrivatePcscd:
    """One private service with one virtual reader of two slots.

    It ends with `stop`, and when this program dies. The directory must not be under /run, and its path must be short
    enough for a socket.
    """

    def __init__(self, directory: Path | None = None, *, driver: Path | None = None) -> None:
        """Keep everything in `directory`, or in one of its own. A `driver` may stand before vpcd's."""
        self._reader_driver = driver
        self._own_directory = directory is None
        self._directory = directory or Path(tempfile.mkdtemp(prefix="siths-pcscd-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def socket_path(self) -> Path:
        """The service's socket."""
        return self._directory / "run" / "pcscd.comm"

    @property
    def environment(self) -> dict[str, str]:
        """What a PC/SC client needs in its environment before its first call: libpcsclite looks once."""
        return {"PCSCLITE_CSOCK_NAME": str(self.socket_path)}

    @property
    def pid(self) -> int:
        """The process id; raises `RuntimeError` if it does not run."""
        if self._process is None:
            raise RuntimeError("pcscd does not run")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the service lives."""
        return self._process is not None and self._process.poll() is None

    def port(self, slot: int = 0) -> int:
        """Return the port at which `VpcdCard` reaches a slot (0 or 1)."""
        return self._port + slot

    def reader(self, slot: int = 0) -> str:
        """Return the PC/SC name of a slot's reader."""
        return f"{READER_NAME} 00 {slot:02X}"

    def start(self) -> None:
        """Start and wait until it answers; raises `SithsError(NO_READER_SERVICE)` with the reason if it cannot."""
        reason = unavailable()
        if reason is not None:
            raise SithsError(Failure.NO_READER_SERVICE, reason)
        for _ in range(3):  # another program may take the ports between the choice and the start
            self._port = _free_port()
            if self._launch():
                return
            self._end()
        raise SithsError(Failure.NO_READER_SERVICE, "private pcscd does not answer: " + self._last_words())

    def restart(self) -> None:
        """Start again on the same ports after `kill`; raises as `start` does."""
        self._end()
        if not self._launch():
            raise SithsError(Failure.NO_READER_SERVICE, "private pcscd does not come back: " + self._last_words())

    def kill(self) -> None:
        """End it the hard way, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it and remove what it left. Harmless when repeated."""
        self._end()
        if self._own_directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> PrivatePcscd:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> bool:
        run, configuration = self._directory / "run", self._directory / "conf"
        for directory in (run, configuration):
            directory.mkdir(parents=True, exist_ok=True)
        for leftover in ("pcscd.comm", "pcscd.pid"):
            (run / leftover).unlink(missing_ok=True)
        (configuration / "virtual").write_text(
            _reader_configuration(self._port, self._reader_driver or driver()), "ascii"
        )
        command = [*_unshare(), "/bin/sh", "-c", _SCRIPT, "-", *_arguments(run, configuration)]
        self._process = _spawn(command, self._directory / "log")
        return self._wait_until_ready()

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        pause = threading.Event()
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            if _answers(self.socket_path) and _listens(self.pid, self._port) and _listens(self.pid, self._port + 1):
                return True
            pause.wait(_POLL_SECONDS)
        return False

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        log = self._directory / "log"
        return log.read_text("utf-8", "replace")[-300:].strip() if log.exists() else ""


def _spawn(command: list[str], log_path: Path) -> subprocess.Popen[bytes]:
    """Start a process in a thread that lives as long as it does: its death signal follows that thread."""
    started: Future[subprocess.Popen[bytes]] = Future()

    def keep() -> None:
        try:
            with log_path.open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 - absolute paths
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(process)
        process.wait()

    threading.Thread(target=keep, name="private pcscd", daemon=True).start()
    return started.result()


def _tool(name: str) -> str | None:
    return shutil.which(name, path=_SEARCH)


def driver() -> Path | None:
    """Return vpcd's driver, None where it is not installed."""
    return next((Path(d) / _DRIVER for d in _DRIVER_DIRECTORIES if (Path(d) / _DRIVER).exists()), None)


def _unshare() -> list[str]:
    tool = _tool("unshare") or "unshare"
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [tool, *user, "--mount", "--propagation", "private"]


def _arguments(run: Path, configuration: Path) -> list[str]:
    tools = {name: _tool(name) or name for name in ("mount", "setpriv", "pcscd")}
    return [tools["mount"], str(run), tools["setpriv"], tools["pcscd"], str(configuration)]


def _reader_configuration(port: int, library: Path | None) -> str:
    lines = (
        f'FRIENDLYNAME "{READER_NAME}"',
        f"DEVICENAME /dev/null:0x{port:04X}",
        f"LIBPATH {library}",
        f"CHANNELID 0x{port:04X}",
    )
    return "\n".join(lines) + "\n"


def _free_port() -> int:
    """Return a port that is free and has a free one after it."""
    for _ in range(100):
        port = random.choice(_PORTS)  # noqa: S311 - no secret
        if all(_is_free(candidate) for candidate in range(port, port + SLOTS)):
            return port
    raise SithsError(Failure.NO_READER_SERVICE, "no free ports for a virtual reader")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _listens(pid: int, port: int) -> bool:
    """Tell whether that very process listens on the port, by the kernel's table of sockets."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return any(link in inodes for link in _open_files(pid))


def _open_files(pid: int) -> list[str]:
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue  # closed in between
    return links
