# SPDX-License-Identifier: EUPL-1.2
"""Who calls the RP API: an interface, and bearer tokens got with `private_key_jwt`.

Section B5 names mutual TLS as the other way; it would be a second `ClientAuthenticator` that reads the TLS
terminator's certificate, and is not built yet.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal, Protocol

from msgspec import Struct
from starlette.requests import Request

from authservice.clock import Clock
from authservice.orders.secrets import token_hash
from authservice.orders.store import OrderStore
from authservice.registry import RegisteredParty, Registry
from authservice.rp_api.assertion import CLOCK_TOLERANCE, MAX_LIFE, check_assertion, claimed_client
from authservice.web import RefusedError
from sithsapp.oob.protocol.encoding import Malformed
from sithsapp.oob.protocol.problems import ProblemCode

TOKEN_LIFE: Final = 300
"""Seconds for which a bearer token is good."""


class ClientAuthenticator(Protocol):
    """Tells which registered relying party sent a request."""

    async def authenticate(self, request: Request) -> RegisteredParty:
        """Return the caller; raises `RefusedError` with `unauthorized`."""


class TokenAnswer(Struct, frozen=True, kw_only=True):
    """The answer of the token endpoint (RFC 6749 section 5.1). `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the scheme, no secret


class BearerTokens:
    """Issues bearer tokens for client assertions and recognises them. Only hashes are kept."""

    def __init__(self, registry: Registry, store: OrderStore, clock: Clock, token_endpoint: str) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._token_endpoint = token_endpoint

    async def issue(self, assertion: str) -> TokenAnswer:
        """Trade a client assertion, usable once, for a token; raises `RefusedError`."""
        now = self._clock.now()
        try:
            party = self._registry.get(claimed_client(assertion))
            if party is None:
                raise Malformed("assertion is from an unregistered client")
            claims = check_assertion(assertion, party.id, self._token_endpoint, party.client_keys, now)
        except Malformed as error:
            raise _unauthorized(str(error)) from None
        note = f"assertion:{party.id}:{token_hash(claims.jti)}"
        if await self._store.put_if_absent(note, "used", now + MAX_LIFE + 2 * CLOCK_TOLERANCE) is not None:
            raise _unauthorized("assertion was used before")
        token = secrets.token_urlsafe(32)
        await self._store.put_if_absent(f"bearer:{token_hash(token)}", party.id, now + TOKEN_LIFE)
        return TokenAnswer(access_token=token, expires_in=TOKEN_LIFE)

    async def authenticate(self, request: Request) -> RegisteredParty:
        """Return the party whose token is in `Authorization`; raises `RefusedError`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        party_id = await self._store.read_note(f"bearer:{token_hash(token)}") if scheme.lower() == "bearer" else None
        party = None if party_id is None else self._registry.get(party_id)
        if party is None:
            raise _unauthorized("no valid bearer token")
        return party


def _unauthorized(detail: str) -> RefusedError:
    return RefusedError(ProblemCode.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})
