# SPDX-License-Identifier: EUPL-1.2
"""SITHS eID-app: a desktop eID client for smart cards in Swedish healthcare."""

__version__ = "0.1.0"
