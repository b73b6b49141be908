# SPDX-License-Identifier: EUPL-1.2
"""The licences of what the app is made of, to be read without a network.

A package is built with `python -m sithsapp.support.licences FILE`, which puts `licences.json` beside this module:
programs without Python's own package data have that file alone. Elsewhere the installed packages are asked.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec

from sithsapp.support.safe_file import read_small

_FILE = Path(__file__).with_name("licences.json")
_COMMON = Path("/usr/share/common-licenses")
_MAX_FILE = 8 * 1024 * 1024
_MAX_TEXT = 200_000
_NAMES = re.compile(r"(?i)(licen[sc]e|copying|notice|authors|lgpl|gpl)[^/]*$")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ROOTS = ("PySide6-Essentials", "cryptography", "msgspec", "pyscard", "python-pkcs11")


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part: its name and version, its licence's name, and the licence's texts as they came with it."""

    name: str
    version: str
    licence: str
    text: str


def licences() -> tuple[Licence, ...]:
    """Return the licences that the package was built with, or those of the installed packages."""
    try:
        return msgspec.json.decode(read_small(_FILE, _MAX_FILE), type=tuple[Licence, ...])
    except (OSError, msgspec.DecodeError):
        return collect()


def collect() -> tuple[Licence, ...]:
    """Return the licences of the app, of Python and of every package that the app needs, by name."""
    found = {name: _of(metadata.distribution(name)) for name in _needed()}
    return (_own(), _python(), *(found[name] for name in sorted(found, key=str.lower)))


def _needed() -> set[str]:
    """Return the distributions below the app's own requirements that are installed here."""
    names: set[str] = set()
    waiting = list(_ROOTS)
    while waiting:
        try:
            distribution = metadata.distribution(waiting.pop())
        except metadata.PackageNotFoundError:  # not needed on this platform
            continue
        if distribution.name not in names:
            names.add(distribution.name)
            waiting += [name for line in distribution.requires or () if (name := _requirement(line))]
    return names


def _requirement(line: str) -> str:
    match = _REQUIREMENT.match(line)
    return match[0] if match is not None and "extra ==" not in line else ""


def _of(distribution: metadata.Distribution) -> Licence:
    about = distribution.metadata
    named = next((about[key] for key in ("License-Expression", "License") if about[key]), "")
    named = (named or "; ".join(_classified(about))).strip().split("\n")[0][:200]
    text = "\n\n".join(_texts(distribution)) or "\n\n".join(_common(named))
    return Licence(distribution.name, distribution.version, named, text[:_MAX_TEXT])


def _common(named: str) -> Iterator[str]:
    """Return the texts that Debian keeps once for all, for packages that come without theirs."""
    for name, file in (("LGPL-3", "LGPL-3"), ("LGPL-3", "GPL-3"), ("Apache-2", "Apache-2.0")):
        path = _COMMON / file
        if named.startswith(name) and path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace").strip()


def _classified(about: metadata.PackageMetadata) -> Iterator[str]:
    for line in about.get_all("Classifier") or ():
        if line.startswith("License ::"):
            yield line.rsplit("::", 1)[1].strip()


def _texts(distribution: metadata.Distribution) -> Iterator[str]:
    for file in sorted(distribution.files or (), key=str):
        if ".dist-info" in str(file) and _NAMES.search(file.name):
            path = Path(str(file.locate()))
            try:
                yield path.read_text(encoding="utf-8", errors="replace").strip()
            except OSError:
                continue


def _own() -> Licence:
    from sithsapp import __version__

    places = (Path(__file__).parents[2] / "LICENSE", Path(__file__).with_name("LICENSE"))
    text = next((place.read_text(encoding="utf-8") for place in places if place.is_file()), "")
    return Licence("SITHS eID-app", __version__, "EUPL-1.2", text.strip())


def _python() -> Licence:
    import platform
    import sysconfig

    place = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    text = place.read_text(encoding="utf-8", errors="replace").strip() if place.is_file() else sys.copyright
    return Licence("Python", platform.python_version(), "PSF-2.0", text[:_MAX_TEXT])


def main() -> int:
    """Write the collected licences to the file that is named, for a package."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m sithsapp.support.licences FILE\n")
        return 2
    Path(sys.argv[1]).write_text(json.dumps(msgspec.to_builtins(collect()), ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
