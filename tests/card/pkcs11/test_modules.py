# SPDX-License-Identifier: EUPL-1.2
"""Which files are loaded as modules: never one that somebody else may have put there."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from sithsapp.card.backends import token_source
from sithsapp.card.model import CardsState
from sithsapp.card.pkcs11 import modules
from sithsapp.card.pkcs11.modules import Module, check_module, find_modules, known_places
from sithsapp.card.pkcs11.source import Pkcs11Tokens
from sithsapp.failures import Failure, SithsError
from sithsapp.settings.load import load
from sithsapp.settings.schema import Settings
from sithsapp.settings.sources import Authority, JsonFile

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
SOMEBODY = 12345


@pytest.fixture
def module(tmp_path: Path) -> Path:
    directory = tmp_path / "vendor"
    directory.mkdir(mode=0o755)
    file = directory / "libvendor.so"
    file.write_bytes(b"module")
    file.chmod(0o644)
    return file.resolve()


def refused(place: str | Path) -> str:
    with pytest.raises(SithsError) as caught:
        check_module(place)
    assert caught.value.failure is Failure.SETTINGS_INVALID
    return caught.value.detail


@posix
class TestChecks:
    def test_a_file_of_ours_is_taken(self, module: Path) -> None:
        assert check_module(module) == module
        assert find_modules([str(module)]) == (Module(module, readers_only=False),)

    def test_only_absolute_paths(self, module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(module.parent)
        monkeypatch.setenv("PATH", str(module.parent))
        monkeypatch.setenv("LD_LIBRARY_PATH", str(module.parent))
        assert "not absolute" in refused(module.name)
        assert "not absolute" in refused("./" + module.name)
        assert find_modules([module.name]) == ()

    @pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
    def test_a_file_that_others_may_write(self, module: Path, mode: int) -> None:
        os.chmod(module, mode)
        if mode == 0o664:
            _other_group(module)
        assert "others may write" in refused(module)

    def test_planted_in_a_directory_that_others_may_write(self, module: Path) -> None:
        module.parent.chmod(0o777)
        assert "others may write" in refused(module)
        module.parent.chmod(0o1777)
        assert check_module(module) == module

    @pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
    def test_planted_by_another_user(self, module: Path) -> None:
        os.chown(module, SOMEBODY, -1)
        module.parent.chmod(0o1777)
        assert "belongs to another user" in refused(module)

    def test_a_link_is_judged_by_what_it_leads_to(self, module: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.so"
        link.symlink_to(module)
        assert check_module(link) == module
        module.chmod(0o666)
        assert "others may write" in refused(link)

    def test_no_file_and_no_regular_file(self, module: Path) -> None:
        assert refused(module.with_name("missing.so"))
        assert "no regular file" in refused(module.parent)

    def test_it_is_checked_again_before_it_is_loaded(self, module: Path) -> None:
        tokens = Pkcs11Tokens(find_modules([str(module)]))
        module.chmod(0o666)
        assert tokens.wait(None).readers == ()
        with pytest.raises(SithsError, match="others may write"):
            tokens.open("reader", b"", lambda: None, CardsState())


class TestPlaces:
    @pytest.mark.parametrize(("platform", "kind"), [("linux", PurePosixPath), ("darwin", PurePosixPath)])
    def test_all_are_absolute(self, platform: str, kind: type[PurePosixPath]) -> None:
        assert all(kind(place).is_absolute() for place in known_places(platform))

    def test_on_windows_all_are_protected(self) -> None:
        for place in known_places("win32"):
            assert any(PureWindowsPath(place).is_relative_to(root) for root in modules._WINDOWS_PROTECTED)

    def test_every_vendor_is_known(self) -> None:
        for platform in ("linux", "darwin", "win32"):
            names = " ".join(known_places(platform)).lower()
            assert all(vendor in names for vendor in ("etpkcs11", "idprimepkcs11", "iidp11", "opensc", "softhsm"))

    @posix
    def test_vendors_that_serve_readers_alone(self, module: Path) -> None:
        for name in ("libeTPkcs11.so", "libIDPrimePKCS11.so", "libiidp11.so", "opensc-pkcs11.so"):
            file = module.with_name(name)
            file.hardlink_to(module)
            assert find_modules([str(file)]) == (Module(file, readers_only=True),)

    @posix
    def test_without_settings_the_known_places(self, module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(modules, "known_places", lambda: (str(module), "/nowhere/vendor.so"))
        assert [found.path for found in find_modules()] == [module]
        other = module.with_name("other.so")
        other.write_bytes(b"module")
        other.chmod(0o644)
        assert [found.path for found in find_modules([str(other)])] == [other]


class TestSettings:
    @posix
    def test_they_name_modules_or_forbid_them(self, module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert token_source(Settings(pkcs11_modules=(str(module),))) is not None
        assert token_source(Settings(pkcs11=False, pkcs11_modules=(str(module),))) is None
        monkeypatch.setattr(modules, "known_places", tuple)
        assert token_source(Settings()) is None

    @pytest.mark.parametrize("path", ["libvendor.so", "./libvendor.so", "", "C:vendor.dll", "/a\n"])
    def test_paths_that_are_not_absolute_are_refused(self, tmp_path: Path, path: str) -> None:
        file = tmp_path / "settings.json"
        file.write_bytes(json.dumps({"pkcs11_modules": [path]}).encode())
        file.chmod(0o600)
        problems = load([JsonFile(Authority.USER, file, owner=None)]).problems
        assert [problem.failure for problem in problems] == [Failure.SETTINGS_INVALID]


def _other_group(file: Path) -> None:
    """Give the file a group that is not root's, where the test's user is root."""
    if os.getuid() == 0:
        os.chown(file, -1, SOMEBODY)
