# SPDX-License-Identifier: EUPL-1.2
"""Message catalogues and the one function that translates."""
