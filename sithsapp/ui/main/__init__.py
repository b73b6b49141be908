# SPDX-License-Identifier: EUPL-1.2
"""The main window: a navigation column, and the pages that are chosen in it."""
