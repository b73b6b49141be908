# SPDX-License-Identifier: EUPL-1.2
"""The API that the app calls (protocol section B6)."""
