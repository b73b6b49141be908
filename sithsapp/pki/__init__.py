# SPDX-License-Identifier: EUPL-1.2
"""Certificates as people and services need them: fields, trust anchors, chain, revocation, purpose."""
