# SPDX-License-Identifier: EUPL-1.2
"""The service's own keys on disk: the order-signing key and the secret that tokens are made from."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRET_LENGTH = 32


def load_or_create_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key in `path` (PKCS#8 PEM), made and stored for the owner alone if there is none.

    Raises ValueError when the file holds anything else.
    """
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_private(path, encoded)
    loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or not isinstance(loaded.curve, ec.SECP256R1):
        raise ValueError(f"{path.name} does not hold a P-256 key")
    return loaded


def load_or_create_secret(path: Path) -> bytes:
    """Return the 32 bytes in `path`, made and stored for the owner alone if there are none.

    Raises ValueError when the file has another length.
    """
    if not path.exists():
        _write_private(path, secrets.token_bytes(SECRET_LENGTH))
    secret = path.read_bytes()
    if len(secret) != SECRET_LENGTH:
        raise ValueError(f"{path.name} does not hold {SECRET_LENGTH} bytes")
    return secret


def _write_private(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
