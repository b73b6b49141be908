# SPDX-License-Identifier: EUPL-1.2
"""Out-of-band log-in and signature: the app's side of the protocol."""
