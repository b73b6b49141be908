# SPDX-License-Identifier: EUPL-1.2
"""The state of readers and cards in one sentence, the card and its holder."""
