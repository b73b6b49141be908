# SPDX-License-Identifier: EUPL-1.2
"""Qt: tray, windows, presenters, widgets, style. The only package that imports QtWidgets."""
