# SPDX-License-Identifier: EUPL-1.2
"""Reading and filling lists of OSSL_PARAM."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping
from ctypes import c_size_t
from typing import Final

from sithsapp.mtls.openssl import Param, ParamKind

Value = int | str | bytes

_UNSET: Final = c_size_t(-1).value
_MOST = 64
_KINDS: Final[dict[type, ParamKind]] = {int: ParamKind.UNSIGNED, str: ParamKind.TEXT, bytes: ParamKind.OCTETS}


def listed(address: int | None) -> Iterator[Param]:
    """Walk a list of parameters that the TLS library owns; nothing for NULL."""
    for position in range(_MOST if address else 0):
        param = Param.from_address((address or 0) + position * ctypes.sizeof(Param))
        if param.key is None:
            return
        yield param


def read(param: Param) -> int | str | None:
    """Return a number or a text; None for anything else."""
    if param.data is None:
        return None
    content = ctypes.string_at(param.data, param.size)
    if param.kind in (ParamKind.INTEGER, ParamKind.UNSIGNED):
        return int.from_bytes(content, sys.byteorder, signed=param.kind == ParamKind.INTEGER)
    if param.kind == ParamKind.TEXT:
        return content.split(b"\0")[0].decode("ascii", "replace")
    return None


def answer(param: Param, value: Value) -> bool:
    """Put `value` where the TLS library asked for it; tell whether it fits. Without a place, only the size."""
    if isinstance(value, int):
        return _answer_number(param, value)
    content = value if isinstance(value, bytes) else value.encode()
    param.returned = len(content)
    if param.data is None:
        return True
    if len(content) > param.size:
        return False
    end = b"\0" if isinstance(value, str) and len(content) < param.size else b""
    ctypes.memmove(param.data, content + end, len(content + end))
    return True


def _answer_number(param: Param, value: int) -> bool:
    needed = (value.bit_length() + 7) // 8 or 1
    if param.data is None:
        param.returned = needed
        return True
    if param.kind == ParamKind.INTEGER:
        needed = value.bit_length() // 8 + 1
    if param.size < needed:
        return False
    ctypes.memmove(param.data, value.to_bytes(param.size, sys.byteorder), param.size)
    param.returned = param.size
    return True


class ParamList:
    """A list of parameters that we own, for as long as this object lives."""

    def __init__(self, values: Mapping[bytes, Value]) -> None:
        """Make a list of `values`; a number becomes an unsigned one of just the size that it needs."""
        self._params = (Param * (len(values) + 1))()
        self._buffers: list[ctypes.Array[ctypes.c_char]] = []
        for param, (key, value) in zip(self._params, values.items(), strict=False):
            content = _content(value)
            buffer = ctypes.create_string_buffer(content, len(content) + 1)
            self._buffers.append(buffer)
            param.key, param.kind, param.returned = key, _KINDS[type(value)], _UNSET
            param.data, param.size = ctypes.addressof(buffer), len(content)

    @property
    def address(self) -> int:
        """Where the list begins."""
        return ctypes.addressof(self._params)


class ParamNames(ParamList):
    """A list that only names parameters and their kinds."""

    def __init__(self, names: Mapping[bytes, type]) -> None:
        super().__init__({name: kind() for name, kind in names.items()})
        for param in self._params[: len(names)]:
            param.data, param.size = None, 0


def _content(value: Value) -> bytes:
    if isinstance(value, int):
        return value.to_bytes((value.bit_length() + 7) // 8 or 1, sys.byteorder)
    return value.encode() if isinstance(value, str) else value
