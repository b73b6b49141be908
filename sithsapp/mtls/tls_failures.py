# SPDX-License-Identifier: EUPL-1.2
"""What a failed TLS connection means for a person."""

from __future__ import annotations

import ssl
from typing import Final

from sithsapp.failures import Failure, SithsError

_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_ABOUT_US: Final = ("BAD_CERTIFICATE", "CERTIFICATE_REQUIRED", "UNKNOWN_CA", "ACCESS_DENIED", "CERTIFICATE_UNKNOWN")
_ABOUT_US_TOO: Final = ("CERTIFICATE_EXPIRED", "CERTIFICATE_REVOKED", "UNSUPPORTED_CERTIFICATE")


def as_failure(error: OSError) -> SithsError:
    """Return the failure behind what a socket or the TLS library raised."""
    if isinstance(error, ssl.SSLCertVerificationError):
        clock = error.verify_code in (_NOT_YET_VALID, _EXPIRED)
        return SithsError(Failure.CLOCK_WRONG if clock else Failure.TLS_FAILED, error.verify_message)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or type(error).__name__
        refused = "ALERT" in reason and reason.endswith((*_ABOUT_US, *_ABOUT_US_TOO))
        return SithsError(Failure.CERTIFICATE_NOT_ACCEPTED if refused else Failure.TLS_FAILED, reason)
    return SithsError(Failure.TARGET_UNREACHABLE, type(error).__name__)
