# SPDX-License-Identifier: EUPL-1.2
"""The digest is SHA-256, and getting it loads no OpenSSL."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from sithsapp.pki.lean_sha256 import lean_sha256


@pytest.mark.parametrize("data", [b"", b"abc", bytes(1000)])
def test_it_is_sha256(data: bytes) -> None:
    assert lean_sha256(data) == hashlib.sha256(data).digest()


def test_it_falls_back_on_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_sha2", "_sha256"):
        monkeypatch.setitem(sys.modules, name, None)
    assert lean_sha256(b"abc") == hashlib.sha256(b"abc").digest()


def test_a_certificate_is_read_without_openssl() -> None:
    code = "import sys, sithsapp.card.idprime.session, sithsapp.pki.lean_sha256 as lean; lean.lean_sha256(b''); "
    code += "assert '_hashlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
