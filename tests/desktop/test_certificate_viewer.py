# SPDX-License-Identifier: EUPL-1.2
"""The system's viewer gets a private file that goes with the app; programs of our own stand in for viewers."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from sithsapp.desktop import certificate_viewer as module
from sithsapp.desktop.certificate_viewer import (
    CertificateFiles,
    LinuxViewer,
    MacViewer,
    WindowsViewer,
    show_certificate,
)
from sithsapp.failures import Failure, SithsError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs of Unix")

DER = b"\x30\x03\x02\x01\x05"


class Script:
    """A viewer that copies the file it is given, or ends with an error."""

    def __init__(self, directory: Path, then: str = "exit 0") -> None:
        self.copy = directory / "copy"
        self.path = directory / "viewer"
        self.path.write_text(f'#!/bin/sh\ncp "$1" {shlex.quote(str(self.copy))}\n{then}\n')
        self.path.chmod(0o700)
        self.file: Path | None = None

    def command(self, file: Path) -> list[str]:
        self.file = file
        return [str(self.path), str(file)]


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateFiles:
    files = CertificateFiles(tmp_path)
    monkeypatch.setattr(module, "_files", files)
    return files


def test_the_viewer_gets_the_certificate_in_a_private_file(tmp_path: Path) -> None:
    viewer = Script(tmp_path)
    show_certificate(DER, viewer)
    assert viewer.copy.read_bytes() == DER
    assert viewer.file is not None
    assert viewer.file.suffix == ".cer"
    assert stat.S_IMODE(viewer.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(viewer.file.parent.stat().st_mode) == 0o700


def test_a_viewer_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(SithsError) as caught:
        show_certificate(DER, Script(tmp_path, "exit 3"))
    assert caught.value.failure is Failure.VIEWER_NOT_OPENED


def test_files_do_not_pile_up_and_go_at_the_end(tmp_path: Path, own_files: CertificateFiles) -> None:
    for number in range(20):
        own_files.put(bytes([number]))
    (directory,) = [each for each in tmp_path.iterdir() if each.is_dir()]
    assert len(list(directory.iterdir())) == 8
    own_files.close()
    assert not directory.exists()


def test_files_go_with_the_process(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import sys; from sithsapp.desktop.certificate_viewer import CertificateFiles; "
        "files = CertificateFiles(Path(sys.argv[1])); print(files.put(b'x').exists())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=30)
    assert (done.stdout.strip(), done.stderr) == ("True", "")
    assert len([each for each in tmp_path.iterdir() if each.is_dir()]) == 1  # this test's own


def test_a_link_in_the_place_of_the_directory_is_no_way_in(tmp_path: Path, own_files: CertificateFiles) -> None:
    file = own_files.put(DER)
    assert not file.is_symlink()
    assert file.stat().st_uid == os.getuid()


def test_commands_of_other_systems() -> None:
    file = Path("/tmp/x.cer")
    assert MacViewer().command(file) == ["/usr/bin/qlmanage", "-p", str(file)]
    program, library, _ = WindowsViewer("C:\\Windows").command(file)
    assert PureWindowsPath(program) == PureWindowsPath("C:/Windows/System32/rundll32.exe")
    assert library == "C:\\Windows\\System32\\cryptext.dll,CryptExtOpenCER"


def test_a_desktop_without_opener(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sithsapp.desktop.open_url._XDG_OPEN", (Path("/nonexistent/xdg-open"),))
    if sys.platform == "linux":
        with pytest.raises(SithsError) as caught:
            LinuxViewer().command(Path("/tmp/x.cer"))
        assert caught.value.failure is Failure.VIEWER_NOT_OPENED
