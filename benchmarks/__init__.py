# SPDX-License-Identifier: EUPL-1.2
"""Benchmarks: each prints our figure beside its reference, measured in the same run."""
