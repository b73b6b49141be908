# SPDX-License-Identifier: EUPL-1.2
"""A web address leaves the app as one argument of one program, or not at all."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from sithsapp.desktop import open_url as module
from sithsapp.desktop.open_url import is_openable, open_url
from sithsapp.failures import Failure, SithsError

ADDRESS = "https://idp.example.org/oob/return?n=abc&oob_verifier=xyz"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="another way on Windows")


@pytest.fixture
def opener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that takes the place of xdg-open and writes down its arguments."""
    path = tmp_path / "opener"
    monkeypatch.setattr(module, "opener", lambda _failure: path)
    return path


def write_opener(path: Path, then: str) -> Path:
    seen = path.parent / "seen"
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$@" > {shlex.quote(str(seen))}\n{then}\n')
    path.chmod(0o700)
    return seen


def test_the_address_is_one_argument(opener: Path) -> None:
    seen = write_opener(opener, "exit 0")
    open_url(ADDRESS)
    assert seen.read_text().splitlines() == ["1", ADDRESS]


def test_an_opener_that_fails_is_told(opener: Path) -> None:
    write_opener(opener, "exit 3")
    with pytest.raises(SithsError, match="ended with 3") as caught:
        open_url(ADDRESS)
    assert caught.value.failure is Failure.BROWSER_NOT_OPENED
    assert "verifier" not in str(caught.value)


def test_an_opener_that_is_not_there_is_told(opener: Path) -> None:
    with pytest.raises(SithsError) as caught:
        open_url(ADDRESS)
    assert caught.value.failure is Failure.BROWSER_NOT_OPENED


def test_an_opener_that_becomes_the_browser_is_left_alone(opener: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EARLY_SECONDS", 0.05)
    write_opener(opener, "sleep 1")
    open_url(ADDRESS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://idp.example.org/",
        "https://user@idp.example.org/",
        "https://idp.example.org\\@evil.example/",
        "https://idp.example.org/ --new-window",
        "https://idp.example.org/\n",
        "https://IDP.example.org/",
        "https://åäö.example/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "--version",
        "http://localhost:1/",
        "https://idp.example.org/" + "a" * 4096,
    ],
)
def test_nothing_else_is_opened(opener: Path, address: str) -> None:
    seen = write_opener(opener, "exit 0")
    with pytest.raises(SithsError) as caught:
        open_url(address)
    assert caught.value.failure is Failure.RETURN_ADDRESS_REFUSED
    assert not seen.exists()


def test_the_demo_may_open_this_computer_alone() -> None:
    assert is_openable("http://localhost:8080/x?y=1", allow_local=True)
    assert not is_openable("http://localhost.example.org/", allow_local=True)
    assert not is_openable("http://127.0.0.1/", allow_local=True)
