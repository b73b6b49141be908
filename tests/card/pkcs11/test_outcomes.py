# SPDX-License-Identifier: EUPL-1.2
"""Every value that a module can return, and what a person is told: only the code's own fault is called that."""

from __future__ import annotations

import inspect

import pytest
from pkcs11 import exceptions

from sithsapp.card.pkcs11.messages import Failed
from sithsapp.card.pkcs11.outcomes import NOTHING_VERIFIED, failure_of
from sithsapp.failures import Failure

CODE_FAILURES = {
    "PinIncorrect": Failure.PIN_WRONG,
    "PinLocked": Failure.PIN_LOCKED,
    "PinLenRange": Failure.PIN_FORMAT,
    "PinInvalid": Failure.PIN_FORMAT,
    "PinExpired": Failure.PIN_MUST_BE_CHANGED,
    "PinTooWeak": Failure.NEW_PIN_REFUSED,
}
GONE = {
    "DeviceRemoved": Failure.CARD_REMOVED,
    "TokenNotPresent": Failure.CARD_REMOVED,
    "AnotherToken": Failure.CARD_CHANGED,
}
NOT_OFFERED = {
    "MechanismInvalid": Failure.ALGORITHM_NOT_SUPPORTED,
    "MechanismParamInvalid": Failure.ALGORITHM_NOT_SUPPORTED,
}
DELETION = {
    "DeletionRefused": Failure.CERTIFICATE_NOT_DELETABLE,
    "NoSuchCertificate": Failure.CERTIFICATE_NOT_FOUND,
}
ALL_NAMES = sorted(
    {
        name
        for name, kind in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(kind, exceptions.PKCS11Error)
    }
    | {"AnotherToken", "MemoryError", "Whatever", *DELETION}
)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_before_the_code_was_accepted(name: str) -> None:
    expected = {**CODE_FAILURES, **GONE, **NOT_OFFERED, **DELETION}.get(name, Failure.CARD_ERROR)
    assert failure_of(Failed(name)) is expected


@pytest.mark.parametrize("name", ALL_NAMES)
def test_after_it_was_accepted_no_code_is_wrong(name: str) -> None:
    failure = failure_of(Failed(name, logged_in=True))
    assert failure not in NOTHING_VERIFIED
    if name in ("PinLenRange", "PinInvalid", "PinTooWeak"):
        assert failure is Failure.NEW_PIN_REFUSED


def test_of_the_puk() -> None:
    assert failure_of(Failed("PinIncorrect"), puk=True) is Failure.PUK_WRONG
    assert failure_of(Failed("PinLocked"), puk=True) is Failure.PUK_LOCKED
    assert failure_of(Failed("FunctionFailed"), puk=True) is Failure.CARD_ERROR


def test_the_names_are_those_of_the_library() -> None:
    named = {*CODE_FAILURES, *GONE, *NOT_OFFERED} - {"AnotherToken"}
    assert named <= set(ALL_NAMES)
