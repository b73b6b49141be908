# SPDX-License-Identifier: EUPL-1.2
"""What an operator configures, read strictly from one JSON file."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sithsapp.oob.protocol.encoding import Malformed, parse_json
from sithsapp.oob.protocol.jwk import EcJwk
from sithsapp.oob.protocol.messages import Version
from sithsapp.oob.protocol.order import Binding, Flow, HttpsOrigin, KeyUse, whole

ServiceId = Annotated[str, whole(r"[a-z0-9]{1,12}")]
PartyId = Annotated[str, whole(r"[a-z0-9][a-z0-9-]{0,63}")]


class Environment(Enum):
    """Which world the service belongs to. `DEMO` alone allows http on localhost."""

    PRODUCTION = "production"
    QA = "qa"
    TEST = "test"
    DEMO = "demo"


class _Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the configuration's structs: unknown members are refused."""


class DisplayName(_Settings, frozen=True, kw_only=True):
    """The service's name as the app shows it."""

    sv: str
    en: str


class Registration(_Settings, frozen=True, kw_only=True):
    """A relying party that the operator has registered (protocol section B5).

    `keys` are the public keys of its client assertions. `loa_ceiling` is the highest level of assurance, 1-4, that
    it may ask for. `code_networks` are the networks from which binding `code` is allowed although the browser's
    and the app's addresses differ. `per_minute` and `burst` limit its order creations.
    """

    id: PartyId
    name: str
    origins: Annotated[list[HttpsOrigin], Meta(min_length=1, max_length=16)]
    client_keys: Annotated[list[EcJwk], Meta(min_length=1, max_length=4)]
    flows: list[Flow] = msgspec.field(default_factory=lambda: [Flow.SAME])
    bindings: list[Binding] = msgspec.field(default_factory=lambda: [Binding.RETURN])
    keys: list[KeyUse] = msgspec.field(default_factory=lambda: [KeyUse.AUTH])
    may_act_for: dict[PartyId, str] = msgspec.field(default_factory=dict)
    loa_ceiling: Annotated[int, Meta(ge=1, le=4)] = 3
    code_networks: list[str] = msgspec.field(default_factory=list)
    per_minute: Annotated[int, Meta(ge=1)] = 6_000
    burst: Annotated[int, Meta(ge=1)] = 500


class ServiceConfig(_Settings, frozen=True, kw_only=True):
    """The authentication service. `anchors` and `state_directory` are paths, relative to the file's own place.

    `min_app` holds the lowest app version for `windows`, `macos` and `linux`, `advised_app` the one below which apps
    are told that there is a newer one. `intermediates` is
    an optional PEM file of issuing CAs that help to build paths. TLS ends at a reverse proxy in front; from the
    addresses in `trusted_proxies` its `X-Forwarded-For` is believed. The limits per address are wide, as a whole
    hospital may stand behind one.
    """

    id: ServiceId
    origin: HttpsOrigin
    display_name: DisplayName
    environment: Environment
    anchors: Path
    state_directory: Path
    relying_parties: list[Registration]
    intermediates: Path | None = None
    min_app: dict[str, Version] = msgspec.field(default_factory=dict)
    advised_app: dict[str, Version] = msgspec.field(default_factory=dict)
    scheme: Annotated[str, whole(r"[a-z][a-z0-9+.-]{0,31}")] = "siths"
    host: str = "127.0.0.1"
    trusted_proxies: list[str] = msgspec.field(default_factory=list)
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8443
    per_address_per_minute: Annotated[int, Meta(ge=1)] = 12_000
    per_address_burst: Annotated[int, Meta(ge=1)] = 1_000


def load_config(path: Path) -> ServiceConfig:
    """Read the configuration in `path`; raises ValueError that names the member at fault."""
    try:
        config = msgspec.convert(parse_json(path.read_bytes()), ServiceConfig, dec_hook=_decode_path)
    except (Malformed, msgspec.ValidationError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    here = path.parent
    return msgspec.structs.replace(
        config,
        anchors=here / config.anchors,
        state_directory=here / config.state_directory,
        intermediates=None if config.intermediates is None else here / config.intermediates,
    )


def _decode_path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
