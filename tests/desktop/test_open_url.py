# SPDX-License-Identifier: EUPL-1.2
"""Only web addresses are opened, as one argument, by a program that we know the place of."""

from __future__ import annotations

from pathlib import Path

import pytest

from sithsapp.desktop import open_url as module
from sithsapp.desktop.open_url import is_openable, open_url
from sithsapp.failures import Failure, SithsError
from tests.parts.xvfb import wait_until


@pytest.mark.parametrize(
    "url",
    ["https://x.example.org", "https://x.example.org:8443/a?b=c&d=%20#e", "https://1.2.3.4/"],
)
def test_https_is_opened(url: str) -> None:
    assert is_openable(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x.example.org/",
        "http://localhost/",
        "HTTPS://x.example.org/",
        "https://user@x.example.org/",
        "https://x.example.org/ b",
        "https://x.example.org/\n",
        "https://x.example.org/å",
        "https:///x",
        "https://x.example.org:123456/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "--help",
        "https://" + "x" * 5000,
    ],
)
def test_other_things_are_refused(url: str) -> None:
    assert not is_openable(url)
    with pytest.raises(SithsError) as refused:
        open_url(url)
    assert refused.value.failure is Failure.RETURN_ADDRESS_REFUSED


def test_the_demo_may_use_this_computer() -> None:
    assert is_openable("http://localhost:8000/x?y=z", allow_local=True)
    assert not is_openable("http://localhost.example.org/", allow_local=True)
    assert not is_openable("http://localhost:8000@evil.example/", allow_local=True)


def test_the_address_is_one_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opener, seen = tmp_path / "xdg-open", tmp_path / "seen"
    opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$#" "$1" > {seen}.new\nmv {seen}.new {seen}\n')
    opener.chmod(0o755)
    monkeypatch.setattr(module, "_XDG_OPEN", (opener,))
    open_url("https://x.example.org/?a=1&b=$(id);c")
    wait_until(seen.exists)
    assert seen.read_text().split("\n")[:2] == ["1", "https://x.example.org/?a=1&b=$(id);c"]


def test_without_an_opener_there_is_a_numbered_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_XDG_OPEN", (tmp_path / "none",))
    with pytest.raises(SithsError):
        open_url("https://x.example.org/")
