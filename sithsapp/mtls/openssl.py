# SPDX-License-Identifier: EUPL-1.2
"""The libcrypto that the `ssl` module uses, seen through ctypes: library, structures, function types.

Numbers and structures are those of OpenSSL 3's core.h and core_dispatch.h.
"""

from __future__ import annotations

import ctypes
import ssl
import sys
from ctypes import POINTER, Structure, c_char_p, c_int, c_size_t, c_uint, c_void_p
from enum import IntEnum
from typing import Any, Final, Protocol

from sithsapp.failures import Failure, SithsError

OLDEST_VERSION: Final = 0x30000000


class Operation(IntEnum):
    """Operation numbers (core_dispatch.h OSSL_OP_*)."""

    KEY_MANAGEMENT = 10
    SIGNATURE = 12
    DECODER = 21


class Dispatch(Structure):
    """OSSL_DISPATCH."""

    _fields_ = [("number", c_int), ("function", c_void_p)]


class Algorithm(Structure):
    """OSSL_ALGORITHM."""

    _fields_ = [
        ("names", c_char_p),
        ("properties", c_char_p),
        ("implementation", POINTER(Dispatch)),
        ("description", c_char_p),
    ]


class Param(Structure):
    """OSSL_PARAM. `key` is None at the end of a list."""

    _fields_ = [
        ("key", c_char_p),
        ("kind", c_uint),
        ("data", c_void_p),
        ("size", c_size_t),
        ("returned", c_size_t),
    ]


class ParamKind(IntEnum):
    """OSSL_PARAM_* data types."""

    INTEGER = 1
    UNSIGNED = 2
    TEXT = 4
    OCTETS = 5


class LibCrypto(Protocol):
    """The functions of libcrypto that we call, with their types set by `load`."""

    OSSL_PROVIDER_add_builtin: Any
    OSSL_PROVIDER_try_load: Any
    OSSL_PROVIDER_get0_name: Any
    EVP_KEYMGMT_fetch: Any
    EVP_KEYMGMT_free: Any
    EVP_KEYMGMT_get0_provider: Any
    EVP_SIGNATURE_fetch: Any
    EVP_SIGNATURE_free: Any
    EVP_SIGNATURE_get0_provider: Any
    OpenSSL_version_num: Any


_TYPES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "OSSL_PROVIDER_add_builtin": (c_int, [c_void_p, c_char_p, c_void_p]),
    "OSSL_PROVIDER_try_load": (c_void_p, [c_void_p, c_char_p, c_int]),
    "OSSL_PROVIDER_get0_name": (c_char_p, [c_void_p]),
    "EVP_KEYMGMT_fetch": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_KEYMGMT_free": (None, [c_void_p]),
    "EVP_KEYMGMT_get0_provider": (c_void_p, [c_void_p]),
    "EVP_SIGNATURE_fetch": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_SIGNATURE_free": (None, [c_void_p]),
    "EVP_SIGNATURE_get0_provider": (c_void_p, [c_void_p]),
}


def load() -> LibCrypto:
    """Return the library that the `ssl` module itself is linked to, never a second one.

    Raises `SithsError(MTLS_UNAVAILABLE)` where it cannot be reached, is another than `ssl` says, or too old.
    """
    library = ctypes.CDLL(library_path())
    try:
        library.OpenSSL_version_num.restype = ctypes.c_ulong
        library.OpenSSL_version_num.argtypes = []
        if library.OpenSSL_version_num() != ssl.OPENSSL_VERSION_NUMBER:
            raise SithsError(Failure.MTLS_UNAVAILABLE, "two versions of OpenSSL in one process")
        if ssl.OPENSSL_VERSION_NUMBER < OLDEST_VERSION:
            raise SithsError(Failure.MTLS_UNAVAILABLE, f"{ssl.OPENSSL_VERSION} is older than 3.0")
        for name, (result, arguments) in _TYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        raise SithsError(Failure.MTLS_UNAVAILABLE, f"OpenSSL lacks a function: {error}") from error
    return library


def library_path() -> str:
    """Return a file through which the symbols can be reached: a look-up in `_ssl` searches what it is linked to."""
    if sys.platform == "win32":
        from sithsapp.mtls.openssl_windows import loaded_libcrypto

        return loaded_libcrypto()
    import _ssl

    path = getattr(_ssl, "__file__", None)
    if path is None:
        raise SithsError(Failure.MTLS_UNAVAILABLE, "the interpreter has OpenSSL built in")
    return str(path)
