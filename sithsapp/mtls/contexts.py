# SPDX-License-Identifier: EUPL-1.2
"""TLS contexts whose client key is the card's."""

from __future__ import annotations

import ctypes
import os
import re
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sithsapp.card.model import SignatureScheme
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import openssl, provider
from sithsapp.mtls.key_registry import KEYS, RegisteredKey, Sign
from sithsapp.mtls.public_key import RsaPublicKey, public_key_of

PSS: Final = frozenset({SignatureScheme.PS256, SignatureScheme.PS384, SignatureScheme.PS512})
_PKCS1_ALGORITHMS: Final = {
    SignatureScheme.RS256: "RSA+SHA256",
    SignatureScheme.RS384: "RSA+SHA384",
    SignatureScheme.RS512: "RSA+SHA512",
}
NO_PSS: Final = "TLS 1.3 needs RSA-PSS signatures, which this card cannot make"
_SET_CLIENT_ALGORITHMS = 102
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A certificate chain (DER, the holder's first), what its key can sign, and who signs."""

    chain: tuple[bytes, ...]
    schemes: frozenset[SignatureScheme]
    sign: Sign


@dataclass(frozen=True, slots=True)
class Trust:
    """Which servers are believed: the operating system's CAs if `system`, and those in PEM `files`.

    `strict` demands that certificates keep to RFC 5280 in what many CAs neglect, such as key identifiers.
    """

    files: tuple[str, ...] = ()
    system: bool = True
    strict: bool = False


class ClientContext:
    """An `ssl.SSLContext` that signs by calling `ClientKey.sign`, until it is closed.

    Made in one thread, then shared between threads. `limited` says in words why TLS 1.3 is not offered.
    """

    def __init__(
        self,
        key: ClientKey,
        trust: Trust,
        *,
        alpn: Sequence[str] = (),
        oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        """Make the context.

        Raises `SithsError`: MTLS_UNAVAILABLE, CARD_DATA_INVALID, ALGORITHM_NOT_SUPPORTED, and SETTINGS_INVALID for a
        CA file that cannot be read.
        """
        provider.install()
        public = public_key_of(key.chain[0])
        self.ssl = _trusting(trust)
        self.limited: str | None = None
        if alpn:
            self.ssl.set_alpn_protocols(list(alpn))
        self.ssl.minimum_version, self.ssl.maximum_version = oldest, newest
        if isinstance(public, RsaPublicKey) and not key.schemes & PSS:
            self._without_pss(key)
        self._key = KEYS.add(public, key.schemes, key.sign)
        try:
            _load(self.ssl, key.chain, self._key)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Forget the key: no handshake can sign from now on. May be repeated."""
        KEYS.remove(self._key)

    def _without_pss(self, key: ClientKey) -> None:
        if self.ssl.minimum_version > ssl.TLSVersion.TLSv1_2:
            raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, NO_PSS)
        self.limited = NO_PSS
        self.ssl.maximum_version = ssl.TLSVersion.TLSv1_2
        algorithms = [name for scheme, name in _PKCS1_ALGORITHMS.items() if scheme in key.schemes]
        restrict_client_algorithms(self.ssl, ":".join(algorithms))


def _trusting(trust: Trust) -> ssl.SSLContext:
    """Return a context that verifies servers.

    Not `create_default_context`, which writes session secrets where SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.post_handshake_auth = True
    if trust.strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    if trust.system:
        _trust_system(context)
    for file in trust.files:
        try:
            context.load_verify_locations(cafile=file)
        except OSError as error:
            raise SithsError(Failure.SETTINGS_INVALID, f"{file}: no CA certificates can be read") from error
    return context


def _trust_system(context: ssl.SSLContext) -> None:
    """Believe the operating system's CAs, read as they are needed where the system keeps them so.

    Reading all of them takes some 50 ms and 2 MiB for each target. Where they are in a directory by the hashes of
    their names, and it holds no fewer than the file beside it, that is enough. Who names a file in the environment
    means that file.
    """
    paths = ssl.get_default_verify_paths()
    if paths.capath and not os.environ.get(paths.openssl_cafile_env) and _is_complete(paths):
        context.load_verify_locations(capath=paths.capath)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)


def _is_complete(paths: ssl.DefaultVerifyPaths) -> bool:
    try:
        hashed = sum(1 for name in os.listdir(paths.capath or "") if _HASHED.fullmatch(name))
        in_file = Path(paths.cafile).read_bytes().count(b"-----BEGIN ") if paths.cafile else 1
    except OSError:
        return False
    return hashed >= in_file


def _load(context: ssl.SSLContext, chain: Sequence[bytes], key: RegisteredKey) -> None:
    with private_file("".join(ssl.DER_cert_to_PEM_cert(each) for each in chain).encode() + key.pem) as path:
        try:
            context.load_cert_chain(path)
        except ssl.SSLError as error:
            raise SithsError(Failure.MTLS_UNAVAILABLE, f"the key is not taken: {error.reason}") from error


@contextmanager
def private_file(content: bytes) -> Iterator[Path]:
    """Lend a file that only this user can read; `load_cert_chain` takes nothing else. It holds no secret."""
    descriptor, name = tempfile.mkstemp(prefix="siths-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        Path(name).unlink()


def restrict_client_algorithms(context: ssl.SSLContext, algorithms: str) -> None:
    """Let the client sign with these algorithms only (OpenSSL's names, joined by colons).

    Before Python 3.15 there is no public way, so the library's own context is looked up behind the object's header
    and used only if it proves to be the right one. Raises `SithsError(MTLS_UNAVAILABLE)`.
    """
    if hasattr(context, "set_client_sigalgs"):
        context.set_client_sigalgs(algorithms)
        return
    library = ctypes.CDLL(openssl.library_path())
    library.SSL_CTX_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_char_p]
    library.SSL_CTX_ctrl.restype = ctypes.c_long
    address = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    if not _is_library_context(library, address, context):
        raise SithsError(Failure.MTLS_UNAVAILABLE, "the TLS context is laid out in an unknown way")
    if library.SSL_CTX_ctrl(address, _SET_CLIENT_ALGORITHMS, 0, algorithms.encode("ascii")) != 1:
        raise SithsError(Failure.MTLS_UNAVAILABLE, "signature algorithms cannot be restricted")


def _is_library_context(library: ctypes.CDLL, address: int | None, context: ssl.SSLContext) -> bool:
    library.SSL_CTX_get_options.argtypes = library.SSL_CTX_get_verify_mode.argtypes = [ctypes.c_void_p]
    library.SSL_CTX_get_options.restype = ctypes.c_uint64
    if not address:
        return False
    wanted = int(context.verify_mode is not ssl.CERT_NONE)
    same_options = library.SSL_CTX_get_options(address) & 0xFFFFFFFF == int(context.options) & 0xFFFFFFFF
    return bool(same_options and library.SSL_CTX_get_verify_mode(address) & 1 == wanted)
