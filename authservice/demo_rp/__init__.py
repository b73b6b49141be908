# SPDX-License-Identifier: EUPL-1.2
"""A small demonstration relying party: the fictional web service "Journalsystem Exempel"."""
