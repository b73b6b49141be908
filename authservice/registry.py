# SPDX-License-Identifier: EUPL-1.2
"""Registered relying parties: who may ask, for what, and where the browser may return to (sections B5 and B11)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from authservice.config import Environment, Registration
from authservice.limits import Rate
from sithsapp.oob.protocol.encoding import Malformed
from sithsapp.oob.protocol.jwk import EcJwk
from sithsapp.oob.protocol.order import Binding, Flow, KeyUse
from sithsapp.oob.protocol.returning import VERIFIER_PARAMETER, is_origin, origin_of
from sithsapp.oob.protocol.text import name_fault

_LONGEST_RETURN_URL: Final = 1024


class RegistrationError(ValueError):
    """A relying party cannot be registered; the message names the party and the rule."""


@dataclass(frozen=True, slots=True)
class RegisteredParty:
    """A relying party whose registration has been checked."""

    id: str
    name: str
    environment: Environment
    origins: tuple[str, ...]
    client_keys: tuple[EcJwk, ...]
    flows: frozenset[Flow]
    bindings: frozenset[Binding]
    keys: frozenset[KeyUse]
    names: dict[str, str]
    loa_ceiling: int
    code_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    rate: Rate

    def return_origin(self, url: str) -> str | None:
        """Return the registered origin that `url` lies under, or None when the URL may not be returned to.

        Nothing is resolved or fetched. Refused are other origins and everything that is not a plain web address, such
        as user information, fragments and backslashes, and a verifier that is already there (threat P26).
        """
        if len(url) > _LONGEST_RETURN_URL or VERIFIER_PARAMETER in url:
            return None
        try:
            origin = origin_of(url, environment=self.environment.value)
        except Malformed:
            return None
        return origin if origin in self.origins else None

    def network_allows_code(self, address: str) -> bool:
        """Tell whether binding `code` is allowed from this address of an app."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.code_networks)


class Registry:
    """The relying parties that the service serves."""

    def __init__(self, registrations: Iterable[Registration], environment: Environment) -> None:
        """Check every registration; raises `RegistrationError`."""
        self._parties: dict[str, RegisteredParty] = {}
        for registration in registrations:
            if registration.id in self._parties:
                raise RegistrationError(f"{registration.id}: registered twice")
            self._parties[registration.id] = _checked(registration, environment)

    def get(self, party_id: str) -> RegisteredParty | None:
        """Return the party with this id, or None."""
        return self._parties.get(party_id)


def _checked(registration: Registration, environment: Environment) -> RegisteredParty:
    _check_names(registration)
    for origin in registration.origins:
        if not is_origin(origin, environment=environment.value):
            raise RegistrationError(f"{registration.id}: an origin is not allowed in this environment")
    if Binding.NONE in registration.bindings and environment is Environment.PRODUCTION:
        raise RegistrationError(f"{registration.id}: binding none is not for production")
    try:
        networks = tuple(ipaddress.ip_network(network) for network in registration.code_networks)
        for key in registration.client_keys:
            key.public_key()
    except ValueError as error:
        raise RegistrationError(f"{registration.id}: {error}") from None
    return RegisteredParty(
        id=registration.id,
        name=registration.name,
        environment=environment,
        origins=tuple(registration.origins),
        client_keys=tuple(registration.client_keys),
        flows=frozenset(registration.flows),
        bindings=frozenset(registration.bindings),
        keys=frozenset(registration.keys),
        names=dict(registration.may_act_for),
        loa_ceiling=registration.loa_ceiling,
        code_networks=networks,
        rate=Rate(registration.per_minute / 60, registration.burst),
    )


def _check_names(registration: Registration) -> None:
    for name in (registration.name, *registration.may_act_for.values()):
        fault = name_fault(name)
        if fault is not None:
            raise RegistrationError(f"{registration.id}: a name is refused: {fault.value}")
