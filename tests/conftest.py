# SPDX-License-Identifier: EUPL-1.2
"""Makes the parts that tests share known to pytest."""

from __future__ import annotations

pytest_plugins = [
    "tests.parts.virtual_card",
    "tests.parts.pcscd",
    "tests.parts.opensc",
    "tests.parts.softhsm",
    "tests.parts.fault_matrix",
    "tests.parts.mtls_desk",
]
