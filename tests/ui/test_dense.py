# SPDX-License-Identifier: EUPL-1.2
"""On screens with more pixels, in whole and in broken ratios, windows look as they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("factor", [1.25, 1.5, 2.0, 2.5])
def test_a_dense_screen(tmp_path: Path, factor: float) -> None:
    command = [sys.executable, "-m", "tests.ui.dense", str(factor), str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=100)
    assert done.stdout == "", done.stdout
    assert done.returncode == 0, done.stderr
