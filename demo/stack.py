# SPDX-License-Identifier: EUPL-1.2
"""Everything that the main job needs, in one temporary directory: card, issuer, reader, service, settings.

The processes of the demo find it through their environment: XDG directories of the demo's own, and the socket of
a reader service of its own. Nothing of the person's own settings, readers or default programs is touched.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from authservice.demo import DemoBackend, DemoOptions, start_demo
from sithsapp.card.virtual import pcscd
from sithsapp.card.virtual.card import Latency
from sithsapp.card.virtual.kit import VirtualKit
from sithsapp.card.virtual.personalise import CardOrder
from sithsapp.card.virtual.vpcd import VpcdCard

_XDG_DIRECTORIES = ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR")


class Stack:
    """The running parts, from `with` to its end.

    `kit` is the virtual card and its issuer, `backend` the service and relying party, `reader` the card in its PC/SC
    reader, or None where a private reader service cannot run (`why_no_reader`) and the app has the card in process.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        card: CardOrder | None = None,
        latency: Latency | None = None,
        in_process: bool = False,
    ) -> None:
        """Prepare.

        `environment` is what the demo's processes get besides (this process's own), `card` what is on the card,
        `latency` slows it down, and `in_process` does without PC/SC even where it could run.
        """
        self._order = card
        self._latency = latency
        self._parts = ExitStack()
        self.why_no_reader = "asked for" if in_process else pcscd.unavailable()
        self.pcscd: pcscd.PrivatePcscd | None = None
        self.reader: VpcdCard | None = None
        self.environment = dict(os.environ if environment is None else environment)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._parts.close()

    @property
    def events(self) -> Path:
        """File with one line of JSON for each thing that the relying party saw."""
        return self.directory / "events.jsonl"

    def xdg(self, name: str) -> Path:
        """Return one of the demo's XDG directories, e.g. `CONFIG_HOME`."""
        return self.directory / name.lower().replace("_", "-")

    def _start(self) -> None:
        self.directory = Path(self._parts.enter_context(tempfile.TemporaryDirectory(prefix="siths-demo-")))
        self._make_environment()
        self.kit = self._parts.enter_context(
            VirtualKit(self.directory / "kit", environment="demo", order=self._order)
        )
        if self._latency is not None:
            self.kit.card.latency = self._latency
        if self.why_no_reader is None:
            self._start_reader()
        self.backend: DemoBackend = self._parts.enter_context(start_demo(self._demo_options()))
        self._write_settings()

    def _make_environment(self) -> None:
        self._keep_wayland()
        for name in _XDG_DIRECTORIES:
            self.xdg(name).mkdir(mode=0o700)
            self.environment[f"XDG_{name}"] = str(self.xdg(name))

    def _keep_wayland(self) -> None:
        """Name the Wayland socket by its full path, as it is looked for in the runtime directory otherwise."""
        runtime, display = self.environment.get("XDG_RUNTIME_DIR"), self.environment.get("WAYLAND_DISPLAY")
        if runtime and display:
            self.environment["WAYLAND_DISPLAY"] = str(Path(runtime) / display)

    def _start_reader(self) -> None:
        self.pcscd = pcscd.PrivatePcscd()
        self._parts.callback(self.pcscd.stop)
        self.pcscd.start()
        self.environment.update(self.pcscd.environment)
        self.reader = self._parts.enter_context(VpcdCard(self.kit.card, self.pcscd.port()))

    def _demo_options(self) -> DemoOptions:
        state = self.directory / "service"
        state.mkdir()
        return DemoOptions(
            anchors=self.kit.anchors, state_directory=state, intermediates=self.kit.issuers, events=self.events
        )

    def _write_settings(self) -> None:
        trust = json.loads(self.backend.trust_configuration.read_bytes())
        settings = {"environment": "demo", "services": trust["services"], "pkcs11": False}
        if self.reader is None:
            settings["virtual_card"] = str(self.kit.card_directory)
        directory = self.xdg("CONFIG_HOME") / "sithsapp"
        directory.mkdir()
        (directory / "settings.json").write_text(json.dumps(settings, indent=2))
