# SPDX-License-Identifier: EUPL-1.2
"""OOB-eID v1, pure: messages, signatures, launch URL, QR frames and text rules. Shared with `authservice`.

Nothing here does I/O or knows of cards, settings or windows.
"""
