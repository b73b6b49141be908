# SPDX-License-Identifier: EUPL-1.2
"""The way back to the browser, and the origins that it may lead to (protocol section B13)."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, equal, sha256_b64u
from sithsapp.oob.protocol.order import Order
from sithsapp.oob.protocol.secret import Secret

DEMO: Final = "demo"
"""The one environment whose origins may be `http://localhost`."""

MAX_URL: Final = 2048
VERIFIER_PARAMETER: Final = "oob_verifier"

# The path and query take the signs that RFC 3986 allows, without a fragment: no space, quote, backslash, bracket.
_URL: Final = re.compile(
    r"(?P<origin>(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?)"
    r"(?P<rest>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}


def origin_of(url: str, *, environment: str) -> str:
    """Return the origin of a web address, without a default port.

    https everywhere; http for localhost in the demo environment. Raises `Malformed` for anything else, such as user
    names, other schemes, upper case or international hosts, fragments.
    """
    form = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if form is None or int(form["port"] or 0) > 65535:
        raise Malformed("not a web address")
    if form["scheme"] == "http" and not (environment == DEMO and form["host"] == "localhost"):
        raise Malformed("not https")
    if form["port"] == _DEFAULT_PORTS[form["scheme"]]:
        return f"{form['scheme']}://{form['host']}"
    return form["origin"]


def is_origin(text: str, *, environment: str) -> bool:
    """Tell whether `text` is an origin in normal form: no default port, no path."""
    try:
        return origin_of(text, environment=environment) == text
    except Malformed:
        return False


def check_return_url(url: str, order: Order, *, environment: str) -> None:
    """Check the return address that the service gave against the order that the person approved.

    Raises `SithsError` with `RETURN_ADDRESS_REFUSED`; its detail never holds the address.
    """
    if order.ret_s256 is None or not equal(sha256_b64u(url), order.ret_s256):
        _refuse("address is not the signed one")
    try:
        origin = origin_of(url, environment=environment)
    except Malformed as error:
        _refuse(str(error))
    if origin != order.rp.origin:
        _refuse("origin is not the relying party's")
    if f"{VERIFIER_PARAMETER}=" in url:
        _refuse("address has a verifier already")


def return_address(url: str, verifier: Secret) -> str:
    """Return the address to open in the browser. The result is a secret: it is opened and nothing else."""
    return f"{url}{'&' if '?' in url else '?'}{VERIFIER_PARAMETER}={verifier.reveal()}"


def _refuse(detail: str) -> NoReturn:
    raise SithsError(Failure.RETURN_ADDRESS_REFUSED, detail) from None
