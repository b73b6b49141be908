# SPDX-License-Identifier: EUPL-1.2
"""The authentication service: orders, RP API, app API, and the library that relying parties use."""
