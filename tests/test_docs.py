# SPDX-License-Identifier: EUPL-1.2
"""The documentation's links lead somewhere, and its pictures are those that the script draws today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"""\]\(([^)\s]+)\)|src="([^"]+)\"""")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_CHANGE = 40
"""How many pixels a picture may differ: fonts are not the same everywhere."""


def _targets(page: Path) -> list[str]:
    found = _LINK.findall(_CODE.sub("", page.read_text("utf-8")))
    return [
        one or other for one, other in found if "://" not in (one or other) and not (one or other).startswith("#")
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = [target for target in _targets(page) if not (page.parent / target.partition("#")[0]).exists()]
    assert missing == []


def test_every_page_for_users_can_be_found() -> None:
    pages = {path.name for path in (ROOT / "docs" / "user").glob("*.md")} - {"README.md"}
    assert pages - set(_targets(ROOT / "docs" / "user" / "README.md")) == set()


_DRAW = """
import sys
from pathlib import Path
from PySide6.QtGui import QImage
import docs.screenshots as made
sys.argv[1:] = [sys.argv[1]]
assert made.main() == 0
for name in sorted(made.names()):
    size = QImage(str(Path(sys.argv[1]) / f"{name}.png")).size()
    print(name, size.width(), size.height())
"""


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """Draw all pictures anew and return their sizes."""
    target = tmp_path_factory.mktemp("images")
    command = [sys.executable, "-c", _DRAW, str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    return {name: (int(width), int(height)) for name, width, height in rows}


def test_the_script_draws_every_picture(sizes: dict[str, tuple[int, int]]) -> None:
    assert set(sizes) == {path.stem for path in IMAGES.glob("*.png")}
    used = {Path(target).stem for page in PAGES for target in _targets(page) if target.endswith(".png")}
    assert used <= set(sizes)


def test_the_pictures_are_not_old(sizes: dict[str, tuple[int, int]]) -> None:
    kept = {path.stem: _png_size(path) for path in IMAGES.glob("*.png")}
    old = {
        name: (kept[name], size)
        for name, size in sizes.items()
        if any(abs(one - other) > _CHANGE for one, other in zip(kept[name], size, strict=True))
    }
    assert old == {}, "draw them anew: python -m docs.screenshots"


def _png_size(path: Path) -> tuple[int, int]:
    header = path.read_bytes()[16:24]
    return int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
