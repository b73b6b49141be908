# SPDX-License-Identifier: EUPL-1.2
"""What an order must be beyond its schema before a person sees it (protocol sections B7 and B11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, b64u_decode
from sithsapp.oob.protocol.order import Binding, Flow, Order, OrderType
from sithsapp.oob.protocol.returning import is_origin
from sithsapp.oob.protocol.text import MAX_AUTH_BODY, MAX_SIGN_BODY, TextFault, body_fault, name_fault

PRODUCTION: Final = "production"

_MAX_DOCUMENT_NAME: Final = 128
_BINDINGS: Final = {
    Flow.SAME: frozenset({Binding.RETURN, Binding.CODE, Binding.NONE}),
    Flow.OTHER: frozenset({Binding.QR, Binding.CODE, Binding.NONE}),
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the checker knows by itself: the configured origin and environment of the service, how it was started."""

    service_origin: str
    environment: str
    flow: Flow


def check_order(order: Order, situation: Situation) -> None:
    """Check an order whose signature has been verified.

    Raises `SithsError` with `ORDER_REFUSED`; its detail names the rule and holds none of the order.
    """
    for rule, holds in _RULES.items():
        if not holds(order, situation):
            raise SithsError(Failure.ORDER_REFUSED, f"rule broken: {rule}")
    for what, fault in text_faults(order):
        raise SithsError(Failure.ORDER_REFUSED, f"rule broken: {what}: {fault.value}")


def text_faults(order: Order) -> Iterator[tuple[str, TextFault]]:
    """Yield which of the order's names and texts break section B11, and how."""
    limit = MAX_AUTH_BODY if order.typ is OrderType.AUTH else MAX_SIGN_BODY
    fault = body_fault(order.text.body, max_length=limit)
    if fault is not None:
        yield "text body", fault
    for what, text, length in _names(order):
        fault = name_fault(text, max_length=length)
        if fault is not None:
            yield what, fault


def _names(order: Order) -> Iterator[tuple[str, str, int]]:
    yield "name of relying party", order.rp.name, 64
    if order.on_behalf_of is not None:
        yield "name of service behind", order.on_behalf_of.name, 64
    for document in order.docs or []:
        yield "document name", document.name, _MAX_DOCUMENT_NAME
        if document.type is not None:
            yield "document type", document.type, 100
    if order.context is not None:
        for shown in (order.context.browser, order.context.os, order.context.network):
            if shown is not None:
                yield "context", shown, 60


def _binding_is_agreed(order: Order, situation: Situation) -> bool:
    if order.binding is Binding.NONE and situation.environment == PRODUCTION:
        return False
    return order.binding in _BINDINGS[order.flow]


def _only_sign_orders_carry_data(order: Order, _situation: Situation) -> bool:
    return order.typ is OrderType.SIGN or (order.docs is None and order.ades is None and order.hidden_s256 is None)


def _digests_are_whole(order: Order, _situation: Situation) -> bool:
    digests = [order.nonce_rp, order.nonce_svc, order.ret_s256, order.hidden_s256, order.req.subject_hash]
    digests += [document.digest for document in order.docs or []]
    try:
        for digest in digests:
            b64u_decode(digest or "", length=None if digest is None else 32)
    except Malformed:
        return False
    return True


_RULES: Final[dict[str, Callable[[Order, Situation], bool]]] = {
    "svc is the service that was asked": lambda order, here: order.svc == here.service_origin,
    "flow is how the app was started": lambda order, here: order.flow is here.flow,
    "binding is allowed for flow and environment": _binding_is_agreed,
    "binding return has ret_s256": lambda order, _: order.binding is not Binding.RETURN or order.ret_s256 is not None,
    "auth orders carry no data": _only_sign_orders_carry_data,
    "key fits the order type": lambda order, _: order.req.key.value == order.typ.value,
    "origins are https": lambda order, here: (
        is_origin(order.svc, environment=here.environment)
        and is_origin(order.rp.origin, environment=here.environment)
    ),
    "digests and nonces are 32 octets": _digests_are_whole,
}
