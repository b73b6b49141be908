# SPDX-License-Identifier: EUPL-1.2
"""The icon in the notification area."""
