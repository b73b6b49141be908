# SPDX-License-Identifier: EUPL-1.2
"""What the app asks the operating system about itself, for self-tests and reports: one interface, three systems."""
