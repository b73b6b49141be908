# SPDX-License-Identifier: EUPL-1.2
"""Writes certificates to files that a person chooses."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from sithsapp.desktop.certificate_file import pem, write_file
from sithsapp.locale import tr

if TYPE_CHECKING:
    from sithsapp.ui.certificates.knowledge import Knowledge


class _Kind(NamedTuple):
    suffix: str
    ending: str


class Format(Enum):
    """How a certificate is written; the chain as PEM, the certificate first."""

    PEM = _Kind("pem", "")
    DER = _Kind("cer", "")
    CHAIN = _Kind("pem", "-chain")


ChooseFile = Callable[[QWidget, str, str, Callable[[str], None]], None]
"""Asks for a file: parent, suggested name, suffix, and what to call with the path. Asks before one is replaced."""


def content(der: bytes, knowledge: Knowledge | None, wanted: Format) -> bytes:
    """Return what is written of a certificate (DER); the chain as far as it is known."""
    if wanted is Format.DER:
        return der
    whole = knowledge.chain.certificates if knowledge is not None and wanted is Format.CHAIN else (der,)
    return b"".join(map(pem, whole))


def suggested_name(serial: str, wanted: Format) -> str:
    """Return a file name that names nobody."""
    return f"siths-{serial[-8:] or 'certificate'}{wanted.value.ending}.{wanted.value.suffix}"


def save(path: str, data: bytes) -> None:
    """Write the file the dialog gave, which has asked before one is replaced; raises FILE_NOT_WRITTEN."""
    write_file(path, data, replace=True)


def choose_file(parent: QWidget, name: str, suffix: str, chosen: Callable[[str], None]) -> None:
    """Ask in the system's own dialog, without holding up the app."""
    dialog = QFileDialog(parent, tr("Save the certificate"), str(Path.home() / name))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(name)
    dialog.fileSelected.connect(chosen)
    dialog.open()
