# SPDX-License-Identifier: EUPL-1.2
"""The error report: parts that a person reads first, without secrets, saved as one file and sent by nobody."""
