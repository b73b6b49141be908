# SPDX-License-Identifier: EUPL-1.2
"""The operating system's desktop: paths, single instance, URL scheme, opening a browser."""
