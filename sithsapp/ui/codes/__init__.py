# SPDX-License-Identifier: EUPL-1.2
"""Changing a code, and unlocking one with the PUK code."""
