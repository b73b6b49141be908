# SPDX-License-Identifier: EUPL-1.2
"""The page of certificates: what they say, whether they hold, and what can be done with them."""
