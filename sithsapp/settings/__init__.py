# SPDX-License-Identifier: EUPL-1.2
"""One typed settings schema, read from policy, machine and user sources in that order of authority."""
