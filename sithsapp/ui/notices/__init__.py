# SPDX-License-Identifier: EUPL-1.2
"""What the desktop is asked to tell: few things, none of which names a person."""
