# SPDX-License-Identifier: EUPL-1.2
"""The main job on one machine: virtual card, authentication service, relying party and app together."""
