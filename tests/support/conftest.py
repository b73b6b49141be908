# SPDX-License-Identifier: EUPL-1.2
"""Texts in English, whatever the machine speaks; Qt without a display."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sithsapp.locale import set_language

os.environ["QT_QPA_PLATFORM"] = "offscreen"


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("system")
