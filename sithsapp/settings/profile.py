# SPDX-License-Identifier: EUPL-1.2
"""Constants of this build. Packaging writes another copy of this module for each variant."""

from __future__ import annotations

URL_SCHEME = "siths"
"""The URL scheme that starts an order (protocol section B2)."""

ENVIRONMENTS = ("production", "qa", "test", "demo")
"""The environments that this variant may be switched to. The standard variant has `production` alone."""
