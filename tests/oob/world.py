# SPDX-License-Identifier: EUPL-1.2
"""The whole road in one process: real service, real card service on virtual readers, real HTTP, test CA, and a relay.

The relay is the network between app and service; it can alter, drop and record what passes.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from authservice.app import create_app, make_context
from authservice.certificates import AnchoredJudge
from authservice.clock import SteadyClock
from authservice.config import DisplayName as ServiceName
from authservice.config import Environment, Registration, ServiceConfig
from authservice.context import ServiceContext
from authservice.rp.checking import Trust
from authservice.rp.http import ServiceClient
from authservice.rp.principal import Principal
from authservice.rp.relying_party import Ask, RelyingParty
from authservice.rp.session import LoginSession, Pending
from authservice.server import ServerThread, bind, port_of
from sithsapp.card.model import PinRole
from sithsapp.card.pin import Pin
from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import DEMO_CODES, IssuerProfile
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.oob.client import http_clients, this_app
from sithsapp.oob.flow import OrderFlow
from sithsapp.oob.interaction import EnterPin, Finished, PinEntered
from sithsapp.oob.protocol.jwk import jwk_of
from sithsapp.oob.protocol.launch import parse_launch_url
from sithsapp.oob.protocol.order import Binding, CertIdentity, Flow, KeyUse, OrderType, PinEntryKind, Text
from sithsapp.oob.protocol.order import RelyingParty as Party
from sithsapp.oob.protocol.rp_messages import Bindings, OrderRequirements
from sithsapp.oob.qt_transport import QtTransports
from sithsapp.oob.work import FlowParts
from sithsapp.settings.schema import DisplayName, OrderKey, TrustedService
from tests.oob.fakes import Person
from tests.oob.servers import LoopbackServer, Seen, answer

RP_ORIGIN = "http://localhost:8009"
PIN1 = DEMO_CODES.pin1.encode()
PIN2 = DEMO_CODES.pin2.encode()
WRONG = b"999999"
Alter = Callable[[str, int, bytes], bytes]


@dataclass
class Relay:
    """Passes requests on to `port`; `down` holds paths that get no answer, `alter` changes answers' bodies."""

    port: int = 0
    down: set[str] = field(default_factory=set)
    lost_answers: set[str] = field(default_factory=set)
    alter: Alter = lambda path, status, body: body

    def __post_init__(self) -> None:
        self.server = LoopbackServer(self._pass_on)

    @property
    def paths(self) -> list[str]:
        """The app API's paths that were called, such as `/claim`."""
        paths = [urlsplit(seen.target).path for seen in self.server.seen]
        return [path.removeprefix("/app/v1") for path in paths if path.startswith("/app/v1")]

    def _pass_on(self, seen: Seen) -> bytes | None:
        path = urlsplit(seen.target).path.removeprefix("/app/v1")
        if path in self.down:
            return None
        onward = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            onward.request(seen.method, seen.target, seen.body or None, dict(seen.headers))
            reply = onward.getresponse()
            body = self.alter(path, reply.status, reply.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            onward.close()
        if path in self.lost_answers and reply.status == 200:
            self.lost_answers.discard(path)
            return None
        kept = ("content-type", "dpop-nonce", "retry-after", "etag")
        headers = {name: value for name in kept if (value := reply.headers.get(name)) is not None}
        return answer(reply.status, body, **headers)


class World:
    """A service, a relying party, a reader, and an app that is asked to log in."""

    def __init__(self, directory: Path, pki: VirtualPki) -> None:
        self.relay = Relay()
        self._key = ec.generate_private_key(ec.SECP256R1())
        clock = SteadyClock()
        config = self._config(directory, pki)
        self.context: ServiceContext = make_context(
            config, AnchoredJudge.from_files(config.anchors, config.intermediates, clock), clock=clock
        )
        bound = bind("127.0.0.1", 0)
        self.relay.port = port_of(bound)
        self.server = ServerThread(create_app(self.context), bound, "service")
        self._rp_http = httpx.Client()
        self._client = ServiceClient(self.relay.server.origin, "journal", self._key, self._rp_http)
        self.readers = VirtualReaders()
        self.cards = CardService([self.readers])
        self.cards.start()
        self.opened: list[str] = []
        self.order_key = self.context.issuer.jwk
        self.session = LoginSession()
        self.person = Person()

    def _config(self, directory: Path, pki: VirtualPki) -> ServiceConfig:
        anchors, issuers = directory / "anchors.pem", directory / "issuers.pem"
        anchors.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
        issuers.write_bytes(pki.issuer(IssuerProfile.HSA_ID_3).certificate.public_bytes(Encoding.PEM))
        registration = Registration(
            id="journal",
            name="Journalsystem Exempel",
            origins=[RP_ORIGIN],
            client_keys=[jwk_of(self._key.public_key())],
            flows=[Flow.SAME],
            bindings=[Binding.RETURN, Binding.CODE],
            keys=[KeyUse.AUTH, KeyUse.SIGN],
            per_minute=60_000,
            burst=10_000,
        )
        return ServiceConfig(
            id="demo",
            origin=self.relay.server.origin,
            display_name=ServiceName(sv="Exempel", en="Example"),
            environment=Environment.DEMO,
            anchors=anchors,
            intermediates=issuers,
            state_directory=directory / "state",
            relying_parties=[registration],
            per_address_per_minute=600_000,
            per_address_burst=100_000,
        )

    def close(self) -> None:
        """Stop everything."""
        self.cards.close()
        self.server.close()
        self.relay.server.close()
        self._rp_http.close()

    @property
    def trusted(self) -> TrustedService:
        """The service as the app's settings name it."""
        jwk = self.order_key
        key = OrderKey(kty="EC", crv="P-256", kid=jwk.kid or "", x=jwk.x, y=jwk.y)
        name = DisplayName(sv="Exempel", en="Example")
        origin = self.relay.server.origin
        return TrustedService(id="demo", origin=origin, display_name=name, environment="demo", order_keys=(key,))

    @property
    def relying_party(self) -> RelyingParty:
        """The relying party's library with the service's real key."""
        judge = self.context.judge
        party = Party(id="journal", name="Journalsystem Exempel", origin=RP_ORIGIN)
        trust = Trust(self.relay.server.origin, (self.context.issuer.jwk,), party, judge)
        return RelyingParty(self._client, trust)

    def ask(
        self,
        *,
        binding: Binding = Binding.RETURN,
        typ: OrderType = OrderType.AUTH,
        reader: PinEntryKind | None = None,
    ) -> Pending:
        """Let the relying party make an order."""
        key = KeyUse.AUTH if typ is OrderType.AUTH else KeyUse.SIGN
        requirements = OrderRequirements(
            key=key, policies=[IssuerProfile.HSA_ID_3.policy], cert_id=CertIdentity.HSAID, reader=reader
        )
        text = Text(fmt="plain", body="Logga in i Journalsystem Exempel", lang="sv")
        bindings = Bindings(same=binding)
        address = f"{RP_ORIGIN}/return"
        asked = Ask(typ, text, requirements, address, bindings, end_user_ip="127.0.0.1")
        return self.relying_party.start(self.session, asked)

    def flow(self, pending: Pending, person: Person | None = None) -> OrderFlow:
        """Make the app's flow for an order, not yet started."""
        parts = FlowParts(
            find_service=lambda service_id: self.trusted if service_id == "demo" else None,
            make_client=http_clients(QtTransports(), this_app("1.2.3")),
            cards=self.cards,
            open_url=self.opened.append,
            app=this_app("1.2.3"),
        )
        return OrderFlow(parse_launch_url("siths", pending.created.launch_url or ""), parts, person or self.person)

    def start(self, pending: Pending) -> OrderFlow:
        """Start the app with an order's link."""
        flow = self.flow(pending)
        flow.start()
        return flow

    def enter(self, flow: OrderFlow, code: bytes, shown: EnterPin, *, last_try_ok: bool = False) -> Pin:
        """Enter a code on the page that is shown."""
        pin = Pin(bytearray(code))
        flow.post(PinEntered(shown.card.id, shown.credential.id, pin, last_try_ok))
        return pin

    def end(self, flow: OrderFlow) -> Finished:
        """Wait for the end of the flow."""
        assert flow.join(20), self.person.views
        last = self.person.views[-1]
        assert isinstance(last, Finished)
        return last

    def follow_return(self) -> Principal:
        """Do what the browser and the relying party do with the address that the app opened."""
        (url,) = self.opened
        query = parse_qs(urlsplit(url).query)
        return self.relying_party.finish(self.session, return_nonce=query["n"][0], verifier=query["oob_verifier"][0])

    def tries(self, role: PinRole = PinRole.AUTH) -> int | None:
        """The tries left as the card tells now."""
        (card,) = self.cards.state.cards
        return self.cards.pin_state(card.id, role).result(10).tries_left


@contextmanager
def world(directory: Path, pki: VirtualPki, card: VirtualCard | None) -> Iterator[World]:
    """Run a `World` for a block, with `card` in its reader."""
    made = World(directory, pki)
    if card is not None:
        made.readers.insert(card)
    try:
        yield made
    finally:
        made.close()
