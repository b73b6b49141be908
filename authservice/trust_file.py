# SPDX-License-Identifier: EUPL-1.2
"""The app's trust configuration for a service (protocol section B1)."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from authservice.config import DisplayName, ServiceConfig
from sithsapp.oob.protocol.jwk import EcJwk


class TrustedService(Struct, frozen=True, kw_only=True):
    """One entry of `services`."""

    id: str
    origin: str
    display_name: DisplayName
    environment: str
    order_keys: list[EcJwk]


class TrustConfiguration(Struct, frozen=True):
    """The whole file."""

    services: list[TrustedService]


def trust_configuration(config: ServiceConfig, key: EcJwk) -> TrustConfiguration:
    """Return what an app must hold to use the service."""
    entry = TrustedService(
        id=config.id,
        origin=config.origin,
        display_name=config.display_name,
        environment=config.environment.value,
        order_keys=[key],
    )
    return TrustConfiguration([entry])


def write_trust_configuration(path: Path, config: ServiceConfig, key: EcJwk) -> None:
    """Write the configuration as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(trust_configuration(config, key)), indent=2) + b"\n")
