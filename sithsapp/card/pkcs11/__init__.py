# SPDX-License-Identifier: EUPL-1.2
"""Cards and tokens that vendors' PKCS#11 modules serve. A module runs in a child process that may crash or hang."""
