# SPDX-License-Identifier: EUPL-1.2
"""What a module's return values mean: one closed table; all else is the card's fault and never the code's.

The names are those of python-pkcs11's exceptions, one for each CKR value that it knows, and of our own.
"""

from __future__ import annotations

from typing import Final

from sithsapp.card.pkcs11.messages import Failed
from sithsapp.failures import Failure

_FAILURES: Final = {
    "PinIncorrect": Failure.PIN_WRONG,
    "PinLocked": Failure.PIN_LOCKED,
    "PinLenRange": Failure.PIN_FORMAT,
    "PinInvalid": Failure.PIN_FORMAT,
    "PinExpired": Failure.PIN_MUST_BE_CHANGED,
    "PinTooWeak": Failure.NEW_PIN_REFUSED,
    "DeviceRemoved": Failure.CARD_REMOVED,
    "TokenNotPresent": Failure.CARD_REMOVED,
    "AnotherToken": Failure.CARD_CHANGED,
    "DeletionRefused": Failure.CERTIFICATE_NOT_DELETABLE,
    "NoSuchCertificate": Failure.CERTIFICATE_NOT_FOUND,
    "MechanismInvalid": Failure.ALGORITHM_NOT_SUPPORTED,
    "MechanismParamInvalid": Failure.ALGORITHM_NOT_SUPPORTED,
}
_AFTER_LOGIN: Final = {
    # The code was accepted: what the module complains of is the new one, or not a code at all.
    "PinIncorrect": Failure.CARD_ERROR,
    "PinLocked": Failure.CARD_ERROR,
    "PinLenRange": Failure.NEW_PIN_REFUSED,
    "PinInvalid": Failure.NEW_PIN_REFUSED,
}
_OF_THE_PUK: Final = {Failure.PIN_WRONG: Failure.PUK_WRONG, Failure.PIN_LOCKED: Failure.PUK_LOCKED}


def failure_of(failed: Failed, *, puk: bool = False) -> Failure:
    """Return what a module's answer means; `puk`: the code that was sent is the PUK."""
    known = {**_FAILURES, **_AFTER_LOGIN} if failed.logged_in else _FAILURES
    failure = known.get(failed.reason, Failure.CARD_ERROR)
    return _OF_THE_PUK.get(failure, failure) if puk else failure


NOTHING_VERIFIED: Final = frozenset(
    {Failure.PIN_WRONG, Failure.PIN_LOCKED, Failure.PUK_WRONG, Failure.PUK_LOCKED, Failure.PIN_FORMAT}
)
"""Refusals after which no code can be verified, so that nobody needs to be logged out."""
