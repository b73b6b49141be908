# SPDX-License-Identifier: EUPL-1.2
"""Fixtures for tests with several programs; kept apart as they bring a browser's driver along."""

from __future__ import annotations

from tests.parts.desk import person_at_desk

__all__ = ["person_at_desk"]
