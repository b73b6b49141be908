# SPDX-License-Identifier: EUPL-1.2
"""The order window: who asks, the code, and how it ended."""
