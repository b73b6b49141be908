# SPDX-License-Identifier: EUPL-1.2
"""The local mTLS helper: programs reach services that ask for a client certificate, with the card's key."""
