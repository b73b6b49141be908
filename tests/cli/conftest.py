# SPDX-License-Identifier: EUPL-1.2
"""Commands that ask Qt for the system's ways need no display."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
