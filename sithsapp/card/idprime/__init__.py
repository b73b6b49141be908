# SPDX-License-Identifier: EUPL-1.2
"""The driver of the IDPrime 940 family (fact sheet idprime940)."""
