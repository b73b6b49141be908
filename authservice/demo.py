# SPDX-License-Identifier: EUPL-1.2
"""The demonstration back end: service and relying party on loopback ports, and the app's trust configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from authservice.app import create_app, make_context
from authservice.certificates import AnchoredJudge
from authservice.clock import SteadyClock
from authservice.config import DisplayName, Environment, Registration, ServiceConfig
from authservice.context import ServiceContext
from authservice.demo_rp.app import DemoSettings, create_demo_rp
from authservice.keys import load_or_create_key
from authservice.rp.checking import Trust
from authservice.rp.http import ServiceClient
from authservice.rp.relying_party import RelyingParty
from authservice.server import ServerThread, bind, port_of
from authservice.trust_file import write_trust_configuration
from sithsapp.oob.protocol.jwk import jwk_of
from sithsapp.oob.protocol.order import Binding, Flow, KeyUse
from sithsapp.oob.protocol.order import RelyingParty as Party

SERVICE_ID: Final = "demo"
RP_ID: Final = "journal"
RP_NAME: Final = "Journalsystem Exempel"
POLICIES: Final = ("1.2.752.74.8.503", "1.2.752.74.8.501")
"""Placeholders for the policies of personal certificates at level 3 (protocol section B7)."""

_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How to run the demonstration.

    `anchors` is a PEM file with the roots to trust; `state_directory` keeps keys and gets `services.json`; port 0
    lets the system choose; `events` is a file that gets a line of JSON for what the relying party sees, with names.
    """

    anchors: Path
    state_directory: Path
    service_port: int = 0
    rp_port: int = 0
    intermediates: Path | None = None
    events: Path | None = None
    policies: tuple[str, ...] = POLICIES
    scheme: str = "siths"


class DemoBackend:
    """The running service and relying party. `trust_configuration` is the JSON of protocol section B1 for the app."""

    def __init__(self, options: DemoOptions) -> None:
        """Start both servers. Raises `OSError` if a port is taken, ValueError for anchors that cannot be read."""
        service_socket = bind(_HOST, options.service_port)
        rp_socket = bind(_HOST, options.rp_port)
        self.service_origin = f"http://localhost:{port_of(service_socket)}"
        self.rp_origin = f"http://localhost:{port_of(rp_socket)}"
        rp_key = load_or_create_key(options.state_directory / "rp-key.pem")
        config = _config(options, self.service_origin, _registration(rp_key, self.rp_origin))
        judge = AnchoredJudge.from_files(options.anchors, options.intermediates, SteadyClock())
        self.context: ServiceContext = make_context(config, judge)
        self.trust_configuration = options.state_directory / "services.json"
        write_trust_configuration(self.trust_configuration, config, self.context.issuer.jwk)
        self._http = httpx.Client(timeout=10, trust_env=False)
        client = ServiceClient(self.service_origin, RP_ID, rp_key, self._http)
        party = Party(id=RP_ID, name=RP_NAME, origin=self.rp_origin)
        relying_party = RelyingParty(client, Trust(self.service_origin, (self.context.issuer.jwk,), party, judge))
        settings = DemoSettings(
            name=RP_NAME,
            origin=self.rp_origin,
            service_id=SERVICE_ID,
            policies=options.policies,
            scheme=options.scheme,
            events=options.events,
        )
        self._service = ServerThread(create_app(self.context), service_socket, "authentication service")
        self._rp = ServerThread(create_demo_rp(settings, relying_party), rp_socket, "demo relying party")

    def close(self) -> None:
        """Stop both servers."""
        self._rp.close()
        self._service.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def start_demo(options: DemoOptions) -> DemoBackend:
    """Start the demonstration back end; close it when done."""
    return DemoBackend(options)


def _config(options: DemoOptions, service_origin: str, registration: Registration) -> ServiceConfig:
    return ServiceConfig(
        id=SERVICE_ID,
        origin=service_origin,
        display_name=DisplayName(sv="Exempeltjänst", en="Example service"),
        environment=Environment.DEMO,
        anchors=options.anchors,
        intermediates=options.intermediates,
        state_directory=options.state_directory,
        scheme=options.scheme,
        relying_parties=[registration],
    )


def _registration(key: ec.EllipticCurvePrivateKey, origin: str) -> Registration:
    return Registration(
        id=RP_ID,
        name=RP_NAME,
        origins=[origin],
        client_keys=[jwk_of(key.public_key())],
        flows=[Flow.SAME, Flow.OTHER],
        bindings=[Binding.RETURN, Binding.QR],
        keys=[KeyUse.AUTH, KeyUse.SIGN],
    )
