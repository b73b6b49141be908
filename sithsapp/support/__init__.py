# SPDX-License-Identifier: EUPL-1.2
"""Logging and what support asks for."""
