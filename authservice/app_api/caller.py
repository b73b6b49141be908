# SPDX-License-Identifier: EUPL-1.2
"""Who calls the app API: the DPoP proof, and the app's name and version (protocol section B6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from authservice.app_api.nonces import REMEMBER_PROOFS
from authservice.context import ServiceContext
from authservice.orders.secrets import token_hash
from authservice.web import RefusedError, client_address
from sithsapp.oob.protocol.dpop import verify_proof
from sithsapp.oob.protocol.messages import APP_CLIENT_HEADER
from sithsapp.oob.protocol.problems import ProblemCode

_APP_CLIENT: Final = re.compile(
    r"[a-z0-9.-]{1,32}/(?P<version>[0-9]{1,5}(?:\.[0-9]{1,5}){0,3}) \((?P<os>[a-z]{1,16}); [a-z0-9_-]{1,16}\)"
)


@dataclass(frozen=True, slots=True)
class AppCaller:
    """A call of an app: its key's thumbprint, version and operating system, and network address."""

    jkt: str
    version: tuple[int, ...]
    system: str
    address: str

    @property
    def key_hash(self) -> str:
        """What the app's order is found by."""
        return token_hash("jkt:" + self.jkt)


async def identify(service: ServiceContext, request: Request) -> AppCaller:
    """Check the proof and the client header of a call.

    The proof's address is compared with the configured origin, never with the `Host` header. Raises
    `ProtocolViolation`: `slowDown`, `invalidRequest`, `invalidDpop`.
    """
    address = client_address(request)
    service.limit_address(address)
    client = _APP_CLIENT.fullmatch(request.headers.get(APP_CLIENT_HEADER, ""))
    if client is None:
        raise RefusedError(ProblemCode.INVALID_REQUEST, "App-Client is missing or malformed")
    proof = verify_proof(
        request.headers.get("dpop", ""),
        method=request.method,
        url=service.config.origin + request.url.path,
        nonces=service.nonces.good(),
    )
    note = f"proof:{token_hash(proof.jkt + proof.jti)}"
    if await service.store.put_if_absent(note, "used", service.clock.now() + REMEMBER_PROOFS) is not None:
        raise RefusedError(ProblemCode.INVALID_DPOP, "proof was used before")
    return AppCaller(proof.jkt, version_number(client["version"]), client["os"], address)


def version_number(text: str) -> tuple[int, ...]:
    """Return a version of numbers and dots in a form that compares: 1.2 equals 1.2.0."""
    numbers = [int(part) for part in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
