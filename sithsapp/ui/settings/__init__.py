# SPDX-License-Identifier: EUPL-1.2
"""The settings page: what a person may choose, and what the organisation has decided."""
