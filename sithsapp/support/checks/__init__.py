# SPDX-License-Identifier: EUPL-1.2
"""Self-tests: one small class each, with one interface, run side by side and never for long."""
