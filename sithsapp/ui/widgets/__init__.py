# SPDX-License-Identifier: EUPL-1.2
"""The parts that windows are made of. They draw and report; they decide nothing."""
