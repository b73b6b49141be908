# SPDX-License-Identifier: EUPL-1.2
"""Help and logs: self-test, error report, log, versions, accessibility and licences."""
