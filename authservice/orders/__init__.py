# SPDX-License-Identifier: EUPL-1.2
"""Orders: the record, the life cycle and the store (protocol section B4)."""
