# SPDX-License-Identifier: EUPL-1.2
"""An OpenSSL 3 provider made of Python functions: it lets `ssl` use a key that only a card can use.

A provider is nothing but tables of functions. This one decodes a PEM of our own that names a key of
`key_registry`, tells of its public half, and signs by calling `RegisteredKey.sign`. It is registered once and stays
until the process ends; its tables are kept for ever, as the library keeps their addresses.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Mapping
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_size_t, c_void_p
from typing import Any, Final

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import openssl, provider_keys, provider_signatures
from sithsapp.mtls.key_registry import note_error
from sithsapp.mtls.openssl import Algorithm, Dispatch, LibCrypto, Operation

NAME: Final = b"siths"
_PROPERTIES = b"provider=siths"
_BIO_READ = 42
_QUERY_OPERATION = 1027

_lock = threading.Lock()
_installed = False
_kept: list[Any] = []

_OBJECT = c_void_p
_INIT = CFUNCTYPE(c_int, c_void_p, POINTER(Dispatch), POINTER(c_void_p), POINTER(c_void_p))
_QUERY = CFUNCTYPE(c_void_p, c_void_p, c_int, POINTER(c_int))
_GIVE_LIST = CFUNCTYPE(c_void_p, c_void_p, c_void_p)
_DECODE = CFUNCTYPE(c_int, _OBJECT, c_void_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p)


def install() -> None:
    """Register the provider with the `ssl` module's library, once; raises `SithsError(MTLS_UNAVAILABLE)`.

    The library's own provider is loaded first and must go on answering for ordinary keys.
    """
    global _installed
    with _lock:
        if _installed:
            return
        library = openssl.load()
        entry = _INIT(_guarded(_initialise, 0))
        _kept.extend((library, entry))
        if not library.OSSL_PROVIDER_try_load(None, b"default", 1):
            raise SithsError(Failure.MTLS_UNAVAILABLE, "OpenSSL's default provider cannot be loaded")
        if not library.OSSL_PROVIDER_add_builtin(None, NAME, ctypes.cast(entry, c_void_p)):
            raise SithsError(Failure.MTLS_UNAVAILABLE, "OpenSSL does not take a provider")
        if not library.OSSL_PROVIDER_try_load(None, NAME, 1):
            raise SithsError(Failure.MTLS_UNAVAILABLE, "OpenSSL does not load the provider")
        _check_others_undisturbed(library)
        _installed = True


def _check_others_undisturbed(library: LibCrypto) -> None:
    operations = [
        *(
            (library.EVP_KEYMGMT_fetch, library.EVP_KEYMGMT_get0_provider, library.EVP_KEYMGMT_free, n)
            for n in (b"RSA", b"EC")
        ),
        *(
            (library.EVP_SIGNATURE_fetch, library.EVP_SIGNATURE_get0_provider, library.EVP_SIGNATURE_free, n)
            for n in (b"RSA", b"ECDSA")
        ),
    ]
    for fetch, provider_of, free, name in operations:
        found = fetch(None, name, None)
        if not found:
            raise SithsError(Failure.MTLS_UNAVAILABLE, f"OpenSSL has no {name.decode()}")
        provider = library.OSSL_PROVIDER_get0_name(provider_of(found))
        free(found)
        if provider == NAME:
            raise SithsError(Failure.MTLS_UNAVAILABLE, "the provider would be asked for ordinary keys")


def _guarded(function: Callable[..., Any], failed: Any) -> Callable[..., Any]:
    """Return `function` for the TLS library: what it raises is kept for the thread's caller, never passed on."""

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except BaseException as error:  # C code must not see it; `signing_errors` raises it again
            note_error(error)
            return failed

    return run


def _initialise(_handle: Any, core: Any, table: Any, context: Any) -> int:
    bio_read = _core_function(core, _BIO_READ)
    algorithms = {
        Operation.DECODER: _algorithms(_decoders(provider_keys.BioRead(bio_read)), _PROPERTIES + b",input=pem"),
        Operation.KEY_MANAGEMENT: _algorithms(_key_managements(), _PROPERTIES),
        Operation.SIGNATURE: _algorithms(_signatures(), _PROPERTIES),
    }

    def query(_provider: Any, operation: int, no_cache: Any) -> int | None:
        if no_cache:
            no_cache[0] = 0
        found = algorithms.get(operation)  # type: ignore[call-overload] # an int that may be no Operation
        return None if found is None else ctypes.addressof(found)

    own = _table({_QUERY_OPERATION: _QUERY(_guarded(query, None))})
    table[0] = ctypes.cast(own, c_void_p)
    context[0] = None
    return 1


def _core_function(core: Any, number: int) -> int:
    position = 0
    while core[position].number:
        if core[position].number == number:
            return int(core[position].function)
        position += 1
    raise SithsError(Failure.MTLS_UNAVAILABLE, f"OpenSSL gives no function {number}")


def _table(functions: Mapping[int, Any]) -> ctypes.Array[Dispatch]:
    table = (Dispatch * (len(functions) + 1))()
    for row, (number, function) in zip(table, functions.items(), strict=False):
        row.number = number
        row.function = function if isinstance(function, int) else ctypes.cast(function, c_void_p).value
    _kept.extend((table, functions))
    return table


def _algorithms(tables: Mapping[bytes, ctypes.Array[Dispatch]], properties: bytes) -> ctypes.Array[Algorithm]:
    algorithms = (Algorithm * (len(tables) + 1))()
    for row, (name, table) in zip(algorithms, tables.items(), strict=False):
        row.names, row.properties = name, properties
        row.implementation = ctypes.cast(table, POINTER(Dispatch))
    _kept.append(algorithms)
    return algorithms


def _free_nothing() -> int:
    """Return the address of a C function that does nothing, so that nothing calls Python at exit."""
    return ctypes.cast(ctypes.pythonapi.PyThread_get_thread_ident, c_void_p).value or 0


def _decoders(bio_read: Callable[..., int]) -> dict[bytes, ctypes.Array[Dispatch]]:
    new_context = CFUNCTYPE(c_void_p, c_void_p)(_guarded(lambda _provider: 1, None))
    selects = CFUNCTYPE(c_int, c_void_p, c_int)(_guarded(lambda _provider, _selection: 1, 0))

    def table(kind: str) -> ctypes.Array[Dispatch]:
        decode = _DECODE(_guarded(provider_keys.decoder(kind, bio_read), provider_keys.CARRY_ON))
        return _table({1: new_context, 2: _free_nothing(), 10: selects, 11: decode})

    return {kind.encode(): table(kind) for kind in provider_keys.KEY_TYPES}


def _key_managements() -> dict[bytes, ctypes.Array[Dispatch]]:
    load = CFUNCTYPE(c_void_p, c_void_p, c_size_t)(_guarded(provider_keys.load, None))
    get_params = CFUNCTYPE(c_int, _OBJECT, c_void_p)(_guarded(provider_keys.get_params, 0))
    has = CFUNCTYPE(c_int, _OBJECT, c_int)(_guarded(provider_keys.has, 0))
    export = CFUNCTYPE(c_int, _OBJECT, c_int, c_void_p, c_void_p)(_guarded(provider_keys.export, 0))

    def table(kind: str) -> ctypes.Array[Dispatch]:
        by_number = CFUNCTYPE(c_void_p, c_int)
        functions = {
            8: load,
            10: _free_nothing(),
            11: get_params,
            12: CFUNCTYPE(c_void_p, c_void_p)(_guarded(provider_keys.gettable(kind), None)),
            20: by_number(_guarded(provider_keys.operation_name(kind), None)),
            21: has,
            42: export,
            43: by_number(_guarded(provider_keys.export_types(kind), None)),
        }
        return _table(functions)

    return {kind.encode(): table(kind) for kind in provider_keys.KEY_TYPES}


def _signatures() -> dict[bytes, ctypes.Array[Dispatch]]:
    signatures = provider_signatures
    sign = CFUNCTYPE(c_int, _OBJECT, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t)
    functions = {
        1: CFUNCTYPE(c_void_p, c_void_p, c_void_p)(_guarded(signatures.new_context, None)),
        8: CFUNCTYPE(c_int, _OBJECT, c_char_p, c_void_p, c_void_p)(_guarded(signatures.begin, 0)),
        11: sign(_guarded(signatures.sign, 0)),
        16: signatures.free_context,
        20: CFUNCTYPE(c_int, _OBJECT, c_void_p)(_guarded(signatures.set_params, 0)),
        21: _GIVE_LIST(_guarded(signatures.settable, None)),
    }
    table = _table(functions)
    return dict.fromkeys(provider_keys.SIGNATURE_NAMES.values(), table)
