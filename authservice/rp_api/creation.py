# SPDX-License-Identifier: EUPL-1.2
"""Making orders: what a relying party may ask for, and idempotent creation (protocol section B5)."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Final

from authservice.context import ServiceContext
from authservice.levels import policy_level
from authservice.orders.machine import CLAIM_WITHIN
from authservice.orders.record import OrderRecord, State, binding_for
from authservice.orders.secrets import OrderSecrets, new_seed, token_hash
from authservice.registry import RegisteredParty
from authservice.web import RefusedError
from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.launch import LaunchUrl, format_launch_url
from sithsapp.oob.protocol.messages import decode_request
from sithsapp.oob.protocol.order import Binding, Flow
from sithsapp.oob.protocol.problems import ProblemCode
from sithsapp.oob.protocol.qr import SHOWN_FOR
from sithsapp.oob.protocol.rp_messages import CreateOrder, OrderCreated, QrStart
from sithsapp.oob.protocol.secret import Secret

IDEMPOTENT_FOR: Final = 600.0
"""Seconds for which the same idempotency key gives the same order."""

_MAX_KEY: Final = 128


async def create_order(
    service: ServiceContext, party: RegisteredParty, body: bytes, idempotency_key: str
) -> OrderCreated:
    """Make an order, or find the one that the same key and body made within ten minutes.

    Raises `ProtocolViolation`: `invalidRequest`, `badText`, `notAllowed`, `idempotencyMismatch`.
    """
    if not 1 <= len(idempotency_key) <= _MAX_KEY:
        raise RefusedError(ProblemCode.INVALID_REQUEST, "Idempotency-Key is missing or too long")
    request = decode_request(body, CreateOrder)
    check_request(service, party, request)
    now = service.clock.now()
    record = _new_record(service, party, request, now)
    note = f"idempotency:{party.id}:{token_hash(idempotency_key)}"
    value = f"{hashlib.sha256(body).hexdigest()}:{record.key}"
    earlier = await service.store.put_if_absent(note, value, now + IDEMPOTENT_FOR)
    if earlier is None:
        await service.book.add(record)
    else:
        record = await _earlier_order(service, earlier, value)
    return _answer(service, record)


def check_request(service: ServiceContext, party: RegisteredParty, request: CreateOrder) -> None:
    """Hold a request against the party's registration and the protocol's rules. Raises `ProtocolViolation`."""
    _check_permissions(party, request)
    _check_on_behalf_of(party, request)
    if request.ades is not None:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "this service does not offer ades orders")
    if request.end_user_ip is not None and not _is_address(request.end_user_ip):
        raise RefusedError(ProblemCode.INVALID_REQUEST, "end_user_ip is not an address")
    for flow in request.flows:
        service.issuer.check(request, party, flow)


def _check_permissions(party: RegisteredParty, request: CreateOrder) -> None:
    bindings = {binding_for(request, flow) for flow in request.flows}
    if None in bindings or len(set(request.flows)) != len(request.flows):
        raise RefusedError(ProblemCode.INVALID_REQUEST, "flows and bindings do not fit")
    if not party.flows.issuperset(request.flows) or not bindings <= party.bindings:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "flow or binding is not registered")
    if request.req.key not in party.keys:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "key is not registered")
    if any(policy_level(policy) > party.loa_ceiling for policy in request.req.policies):
        raise RefusedError(ProblemCode.NOT_ALLOWED, "level of assurance is above the party's ceiling")
    if Binding.RETURN in bindings and request.return_url is None:
        raise RefusedError(ProblemCode.INVALID_REQUEST, "binding return needs return_url")


def _check_on_behalf_of(party: RegisteredParty, request: CreateOrder) -> None:
    other = request.on_behalf_of
    if other is not None and party.names.get(other.id) != other.name:
        raise RefusedError(ProblemCode.NOT_ALLOWED, "on_behalf_of is not registered")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _new_record(service: ServiceContext, party: RegisteredParty, request: CreateOrder, now: float) -> OrderRecord:
    seed = new_seed()
    secrets = service.secrets_of(seed)
    tokens = {Flow.SAME: secrets.launch_token, Flow.OTHER: secrets.qr_token}
    return OrderRecord(
        key=token_hash(secrets.order_ref),
        order_id=secrets.order_id,
        rp_id=party.id,
        seed=seed,
        token_hashes=tuple(token_hash(tokens[flow]) for flow in request.flows),
        request=request,
        created=now,
        deadline=now + CLAIM_WITHIN,
    )


async def _earlier_order(service: ServiceContext, earlier: str, value: str) -> OrderRecord:
    digest, _, key = earlier.partition(":")
    if digest != value.partition(":")[0]:
        raise RefusedError(ProblemCode.IDEMPOTENCY_MISMATCH, "same key, other body")
    return await service.book.read(key)


def _answer(service: ServiceContext, record: OrderRecord) -> OrderCreated:
    secrets = service.secrets_of(record.seed)
    flows = record.request.flows
    remaining = max(0, int(record.deadline - service.clock.now()))
    outstanding = record.state is State.OUTSTANDING
    return OrderCreated(
        order_ref=secrets.order_ref,
        order=record.order_id,
        claim_within=remaining if outstanding else 0,
        expires_in=remaining + (record.request.life if outstanding else 0),
        launch_url=_launch_url(service, secrets) if Flow.SAME in flows else None,
        qr=_qr_start(secrets, record.created) if Flow.OTHER in flows else None,
    )


def _launch_url(service: ServiceContext, secrets: OrderSecrets) -> str:
    launch = LaunchUrl(service.config.id, Secret(secrets.launch_token))
    return format_launch_url(service.config.scheme, launch)


def _qr_start(secrets: OrderSecrets, created: float) -> QrStart:
    return QrStart(
        token=secrets.qr_token,
        secret=b64u(secrets.qr_secret),
        start_ms=int(created * 1000),
        until_s=SHOWN_FOR,
    )
