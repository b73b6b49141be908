# SPDX-License-Identifier: EUPL-1.2
"""The API that relying parties call (protocol section B5)."""
