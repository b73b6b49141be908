# SPDX-License-Identifier: EUPL-1.2
"""Whether the person is at the screen: locked, asleep, disconnected, back again."""
