# SPDX-License-Identifier: EUPL-1.2
"""The settings, typed and bounded. Every source is checked against this one schema."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


def _whole(pattern: str) -> Meta:
    """Return the constraint that all of a value matches; a bare `$` would let a line feed follow."""
    return Meta(pattern=f"^(?:{pattern})$(?!\\n)")


EnvironmentName = Literal["production", "qa", "test", "demo"]
ServiceId = Annotated[str, _whole(r"[a-z0-9]{1,12}")]
Origin = Annotated[str, _whole(r"https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?")]
Coordinate = Annotated[str, _whole(r"[A-Za-z0-9_-]{43}")]
ModulePath = Annotated[str, _whole(r"([A-Za-z]:)?[/\\][^\x00-\x1f]{1,4090}")]
FilePath = Annotated[str, Meta(min_length=1, max_length=4096)]


class _Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every part of the settings: unknown members are refused."""


class DisplayName(_Section, frozen=True):
    """A name in both languages."""

    sv: Annotated[str, Meta(min_length=1, max_length=64)]
    en: Annotated[str, Meta(min_length=1, max_length=64)]


class OrderKey(_Section, frozen=True):
    """A service's order-signing key: a P-256 public key as JWK (RFC 7517), pinned."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    kid: Annotated[str, _whole(r"[A-Za-z0-9._-]{1,64}")]
    x: Coordinate
    y: Coordinate


class TrustedService(_Section, frozen=True):
    """An authentication service that the app may contact; it contacts nobody else (protocol section B1)."""

    id: ServiceId
    origin: Origin
    display_name: DisplayName
    environment: EnvironmentName
    order_keys: Annotated[tuple[OrderKey, ...], Meta(min_length=1, max_length=8)]


class Settings(_Section, frozen=True):
    """All settings with their defaults.

    `environment`      which services and cards are used; anything but production is always shown.
    `services`         the authentication services that the app trusts.
    `extra_ca`         PEM files with further CAs for TLS, besides the operating system's.
    `virtual_card`     directory of a virtual card that sits in a reader of its own; refused in production.
    `pkcs11`           whether cards that the app does not know by itself are read through vendors' PKCS#11 modules.
    `pkcs11_modules`   absolute paths of the modules to use; without any, those in the vendors' known places are used.
    `language`, `theme` `system` follows the operating system.
    `allow_show_pin`   whether a person may look at the code while typing.
    `done_seconds`     how long the "done" page stays; 0 keeps it.
    `log_level`        how much the log tells; no level tells secrets.
    """

    environment: EnvironmentName = "production"
    services: Annotated[tuple[TrustedService, ...], Meta(max_length=32)] = ()
    extra_ca: Annotated[tuple[FilePath, ...], Meta(max_length=16)] = ()
    virtual_card: FilePath | None = None
    pkcs11: bool = True
    pkcs11_modules: Annotated[tuple[ModulePath, ...], Meta(max_length=8)] = ()
    language: Literal["system", "sv", "en"] = "system"
    theme: Literal["system", "light", "dark"] = "system"
    allow_show_pin: bool = True
    done_seconds: Annotated[int, Meta(ge=0, le=60)] = 3
    log_level: Literal["error", "warning", "info", "debug"] = "info"

    def service(self, service_id: str) -> TrustedService | None:
        """Return the trusted service with that id in the chosen environment, or None."""
        return next((s for s in self.services if s.id == service_id and s.environment == self.environment), None)
