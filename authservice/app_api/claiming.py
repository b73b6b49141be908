# SPDX-License-Identifier: EUPL-1.2
"""Claiming an order: once, by a token or a fresh QR frame (protocol sections B3, B4 and B6)."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from authservice.app_api.caller import AppCaller, version_number
from authservice.context import ServiceContext
from authservice.orders import machine
from authservice.orders.book import NoSuchOrderError, OrderGoneError
from authservice.orders.record import Claim, OrderRecord, State
from authservice.orders.secrets import token_hash
from authservice.registry import RegisteredParty
from authservice.web import RefusedError
from sithsapp.oob.protocol.messages import ClaimAnswer, ClaimByLaunch, ClaimRequest
from sithsapp.oob.protocol.order import Binding, Flow
from sithsapp.oob.protocol.problems import Hint, ProblemCode
from sithsapp.oob.protocol.qr import is_fresh, verify_mac

logger = logging.getLogger(__name__)

_CLAIMABLE: Final = (State.OUTSTANDING, State.CLAIMED)


async def claim_order(service: ServiceContext, caller: AppCaller, request: ClaimRequest) -> ClaimAnswer:
    """Bind an order to the caller's key and return the signed document.

    Unknown, expired and used tokens, and bad frames, get the same `claimRefused`; a used one also ends its order.
    """
    old_app = _is_older(caller, service.config.min_app.get(caller.system))
    found = await _find(service, request)
    party = None if found is None else service.registry.get(found.rp_id)
    if found is None or party is None:
        raise _too_old() if old_app else _claim_refused()
    if old_app or _is_older(caller, found.request.req.min_app):
        await _fail(service, found, Hint.CLIENT_TOO_OLD)
        raise _too_old()
    flow = Flow.SAME if isinstance(request, ClaimByLaunch) else Flow.OTHER
    record = await _bind(service, caller, found, party, flow)
    if record.state is not State.CLAIMED or record.claim is None or record.claim.jkt != caller.jkt:
        _raise_alarm(record)
        raise _claim_refused()
    return ClaimAnswer(
        order_jws=record.claim.order_jws,
        expires_in=int(record.deadline - service.clock.now()),
        tries_left=machine.MAX_WRONG_CERTIFICATES,
        update_advised=_is_older(caller, service.config.advised_app.get(caller.system)),
    )


async def _find(service: ServiceContext, request: ClaimRequest) -> OrderRecord | None:
    token = request.token if isinstance(request, ClaimByLaunch) else request.qt
    record = await service.book.find_by_token(token_hash(token))
    if record is None or record.state not in _CLAIMABLE:
        return None
    if isinstance(request, ClaimByLaunch):
        return record
    secret = service.secrets_of(record.seed).qr_secret
    genuine = verify_mac(secret, service.config.id, request.qt, request.t, request.mac)
    fresh = is_fresh(request.t, int(service.clock.now() - record.created))
    return record if genuine and fresh else None


async def _bind(
    service: ServiceContext, caller: AppCaller, found: OrderRecord, party: RegisteredParty, flow: Flow
) -> OrderRecord:
    holder = await service.book.find_by_token(caller.key_hash)
    if holder is not None and holder.key != found.key:
        raise _claim_refused()
    ip_match = found.request.end_user_ip == caller.address
    secrets = service.secrets_of(found.seed)

    def change(record: OrderRecord, now: float) -> OrderRecord:
        document = service.issuer.sign(record, party, flow, secrets, now)
        claim = Claim(flow=flow, jkt=caller.jkt, order_jws=document, ip_match=ip_match)
        claimed = machine.claim(record, claim, caller.key_hash, now)
        if claimed.binding is Binding.CODE and not (ip_match or party.network_allows_code(caller.address)):
            # A code can be talked out of somebody, so both must be in one place unless the party says otherwise.
            return machine.fail(record, Hint.BINDING_FAILED, now)
        return claimed

    try:
        return await service.book.change(found.key, change)
    except (machine.TransitionRefusedError, NoSuchOrderError, OrderGoneError):
        raise _claim_refused() from None


async def _fail(service: ServiceContext, found: OrderRecord, hint: Hint) -> None:
    with contextlib.suppress(machine.TransitionRefusedError, NoSuchOrderError, OrderGoneError):
        await service.book.change(found.key, lambda record, now: machine.fail(record, hint, now))


def _raise_alarm(record: OrderRecord) -> None:
    if record.hint is Hint.DOUBLE_CLAIM:
        logger.warning("order %s: claimed twice; another program may handle the launch link", record.order_id)


def _is_older(caller: AppCaller, minimum: str | None) -> bool:
    return minimum is not None and caller.version < version_number(minimum)


def _claim_refused() -> RefusedError:
    return RefusedError(ProblemCode.CLAIM_REFUSED, "claim refused")


def _too_old() -> RefusedError:
    return RefusedError(ProblemCode.CLIENT_TOO_OLD, "app is older than the service allows")
