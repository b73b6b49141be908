# SPDX-License-Identifier: EUPL-1.2
"""The card for other programs: the question before it signs for one, and who uses it now."""
