# SPDX-License-Identifier: EUPL-1.2
"""Smart cards: APDUs, PC/SC, the IDPrime 940 driver, a virtual card and the card service. No Qt, no network."""
