# SPDX-License-Identifier: EUPL-1.2
"""`siths`, the command line: everything the windows can do, with `--json`."""
