# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: SoftHSM with tokens and a configuration of its own, and modules around it that misbehave."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sithsapp.card.pkcs11.modules import Module
from sithsapp.card.pkcs11.source import Pkcs11Tokens
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.personalise import HSA_ID_PAIRS, CardOrder, Pair, card_spec
from sithsapp.card.virtual.spec import CardSpec, ContainerSpec
from tests.parts.virtual_card import CardFactory, KeyPool

USER_PIN = DEMO_CODES.pin1
SO_PIN = DEMO_CODES.puk
LABEL = "SITHS soft token"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_WRAPPER = Path(__file__).with_name("softhsm_wrapper.c")
_TIMEOUT = 20


@dataclass(frozen=True)
class SoftHsm:
    """One directory of tokens."""

    directory: Path
    module: Path

    @property
    def environment(self) -> dict[str, str]:
        """What leads SoftHSM to these tokens."""
        return {"SOFTHSM2_CONF": str(self.directory / "softhsm2.conf")}

    def tokens(self, module: Path | None = None, *, may_delete: bool = False) -> Pkcs11Tokens:
        """Return the source of these tokens, through SoftHSM or a module around it."""
        found = Module((module or self.module).resolve(), readers_only=False)
        return Pkcs11Tokens([found], self.environment, may_delete=may_delete)

    def remove(self) -> None:
        """Take all tokens away."""
        shutil.rmtree(self.directory / "tokens")
        (self.directory / "tokens").mkdir()

    def personalise(self, spec: CardSpec, *, always_authenticate: bool = False) -> None:
        """Make a token with the keys and certificates of `spec`."""
        self._run("softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", USER_PIN, "--so-pin", SO_PIN)
        for container in spec.containers:
            self._store(container, always_authenticate=always_authenticate)

    def initialise(self, label: str) -> None:
        """Make a token with codes and nothing else."""
        codes = ("--pin", USER_PIN, "--so-pin", SO_PIN)
        self._run("softhsm2-util", "--init-token", "--free", "--label", label, *codes)

    def _store(self, container: ContainerSpec, *, always_authenticate: bool) -> None:
        file = self.directory / "object.der"
        common = (
            "--module",
            self.module,
            "--token-label",
            LABEL,
            "--login",
            "--pin",
            USER_PIN,
            "--write-object",
            file,
        )
        name = ("--id", f"{container.number + 1:02x}", "--label", f"key {container.number}")
        assert container.private_key is not None
        assert container.certificate is not None
        file.write_bytes(container.private_key)
        consent = ["--always-auth"] if always_authenticate else []
        self._run("pkcs11-tool", *common, "--type", "privkey", "--usage-sign", *name, *consent)
        file.write_bytes(container.certificate)
        self._run("pkcs11-tool", *common, "--type", "cert", *name)
        file.unlink()

    def _run(self, tool: str, *arguments: str | Path) -> None:
        subprocess.run(
            [tool, *map(str, arguments)],
            env={**os.environ, **self.environment},
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
        )


def _empty(directory: Path) -> SoftHsm:
    module = next((Path(path) for path in _MODULES if Path(path).exists()), None)
    missing = [tool for tool in ("softhsm2-util", "pkcs11-tool") if shutil.which(tool) is None]
    if module is None or missing:
        pytest.skip("not installed: softhsm2 or opensc")
    (directory / "tokens").mkdir(parents=True)
    (directory / "softhsm2.conf").write_text(
        f"directories.tokendir = {directory / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    return SoftHsm(directory, module)


SoftHsmFactory = Callable[..., SoftHsm]
_Templates = dict[tuple[tuple[Pair, ...], bool], SoftHsm]


@pytest.fixture(scope="session")
def softhsm_templates() -> _Templates:
    """Tokens that were made in this session; tests work on copies."""
    return {}


@pytest.fixture
def make_softhsm(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make_card: CardFactory,
    key_pool: KeyPool,
    softhsm_templates: _Templates,
) -> SoftHsmFactory:
    """Makes SoftHSM directories with one token each."""
    made: list[SoftHsm] = []

    def make(pairs: tuple[Pair, ...] = HSA_ID_PAIRS[:1], *, always_authenticate: bool = False) -> SoftHsm:
        template = softhsm_templates.get((pairs, always_authenticate))
        if template is None:
            template = _empty(tmp_path_factory.mktemp("softhsm") / "template")
            spec = card_spec(make_card.pki, CardOrder(pairs=pairs), key_pool.maker("token"))
            template.personalise(spec, always_authenticate=always_authenticate)
            softhsm_templates[pairs, always_authenticate] = template
        hsm = _empty(tmp_path / f"softhsm-{len(made)}")
        made.append(hsm)
        shutil.copytree(template.directory / "tokens", hsm.directory / "tokens", dirs_exist_ok=True)
        return hsm

    return make


@pytest.fixture
def softhsm(make_softhsm: SoftHsmFactory) -> SoftHsm:
    """A token with one RSA key for log-in and its certificate."""
    return make_softhsm()


@dataclass(frozen=True)
class Wrapper:
    """Builds modules that pass every call on to SoftHSM but those that a test wants changed."""

    directory: Path
    real: Path

    def build(self, **definitions: str | int) -> Path:
        """Compile the module with `definitions` for its source and return its path."""
        target = self.directory / f"module-{len(list(self.directory.glob('module-*')))}.so"
        defined = [f"-D{name}={value}" for name, value in definitions.items()]
        command = ["gcc", "-shared", "-fPIC", "-o", str(target), f'-DREAL="{self.real}"', *defined, str(_WRAPPER)]
        subprocess.run([*command, "-ldl"], capture_output=True, timeout=_TIMEOUT, check=True)
        target.chmod(0o755)
        return target


@pytest.fixture
def wrapper(tmp_path: Path, softhsm: SoftHsm) -> Wrapper:
    """Builds modules around the SoftHSM of `softhsm`."""
    if shutil.which("gcc") is None:
        pytest.skip("not installed: gcc")
    return Wrapper(tmp_path, softhsm.module)


def module_processes() -> list[int]:
    """Return the processes with modules that this one started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status, command = (entry / "status").read_text(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if f"PPid:\t{os.getpid()}\n" in status and b"sithsapp.card.pkcs11.child" in command:
                found.append(int(entry.name))
    return found
