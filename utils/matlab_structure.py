"""Whether a MATLAB version 5 file is whole, before SciPy reads it.

SciPy's reader takes what a file says of itself for granted, and ends the whole program where that
is wrong; its documentation says as much. The layout: MathWorks, "MAT-File Format", chapter 1.
"""

import struct
import zlib
from collections.abc import Iterator

LARGEST = 4 << 30
"""Bytes that a compressed variable may unpack to."""

_HEAD = 128
_DEEPEST = 32
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED, _UTF8 = 1, 5, 6, 14, 15, 16
# What other programs than MATLAB write where it writes the first of the two; SciPy reads both.
_NAMES = {_INT8, _UTF8}
_WHOLE = {_INT32, _UINT32}
_TEXTS = {1, 2, 3, 4, 16, 17, 18}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
"""Bytes of a number by its type."""
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE = 1, 2, 3, 4, 5
_NUMBERS = range(6, 16)
_COMPLEX = 0x800

Element = tuple[int, memoryview]
"""Type and content."""


def check_matlab5(data: bytes) -> None:
    """ValueError if something in the content of a file of version 5 is not as it must be."""
    orders = {b"IM": "<", b"MI": ">"}
    order = orders.get(data[126:128])
    if order is None:
        raise ValueError("its head does not tell the order of bytes")
    for kind, content in _elements(memoryview(data)[_HEAD:], order):
        if kind == _COMPRESSED:
            for inner in _elements(memoryview(_unpacked(content)), order):
                _check_matrix(inner, order, 0)
        else:
            _check_matrix((kind, content), order, 0)


def _unpacked(content: memoryview) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(content, LARGEST)
    except zlib.error as error:
        raise ValueError(f"a compressed variable is damaged: {error}") from error
    if not unpacker.eof:
        raise ValueError("a compressed variable is cut short, or larger than 4 GB")
    return data


def _elements(data: memoryview, order: str) -> Iterator[Element]:
    """What stands one after the other."""
    place = 0
    while place < len(data):
        if len(data) - place < 8:
            raise ValueError("it is cut short")
        kind, size = struct.unpack_from(f"{order}II", data, place)
        start = place + 8
        if kind >> 16:  # a small one: its size and content are within the eight bytes
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
            if size > 4:
                raise ValueError(f"a small element of {size} bytes")
        if size > len(data) - start:
            raise ValueError("an element is longer than what it is in")
        yield kind, data[start : start + size]
        padded = start + size if kind == _COMPRESSED else -(-(start + size) // 8) * 8
        place = max(padded, place + 8)


def _check_matrix(element: Element, order: str, depth: int) -> None:
    kind, content = element
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind} where a matrix should be")
    if depth > _DEEPEST:
        raise ValueError("matrices within matrices without end")
    if not len(content):
        return
    parts = _elements(content, order)
    (flags,) = struct.unpack_from(f"{order}I", _part(parts, {_UINT32}, least=8))
    sizes = _part(parts, _WHOLE, least=8)
    dimensions = struct.unpack_from(f"{order}{len(sizes) // 4}i", sizes)
    if min(dimensions) < 0:
        raise ValueError("a matrix with sides below zero")
    count = 1
    for side in dimensions:
        count *= side
    _part(parts, _NAMES)
    kind = flags & 0xFF
    if kind in (_CELL, _STRUCT, _OBJECT):
        count *= _fields(parts, kind, order)
        _check_matrices(parts, count, order, depth)
    else:
        _check_values(parts, kind, bool(flags & _COMPLEX), count)


def _fields(parts: Iterator[Element], kind: int, order: str) -> int:
    """Matrices for each entry of a cell array, a struct or an object."""
    if kind == _CELL:
        return 1
    if kind == _OBJECT:
        _part(parts, _NAMES)
    (length,) = struct.unpack_from(f"{order}i", _part(parts, _WHOLE, least=4))
    names = _part(parts, _NAMES)
    if length < 1 or len(names) % length:
        raise ValueError("names of fields that are cut short")
    return len(names) // length


def _check_matrices(parts: Iterator[Element], count: int, order: str, depth: int) -> None:
    found = 0
    for part in parts:
        _check_matrix(part, order, depth + 1)
        found += 1
    if found != count:
        raise ValueError(f"{found} matrices where there should be {count}")


def _check_values(parts: Iterator[Element], kind: int, is_complex: bool, count: int) -> None:
    """Of a matrix of numbers or letters, whose sizes SciPy compares with the matrix's itself."""
    if kind == _CHAR:
        _part(parts, _TEXTS)
    elif kind in _NUMBERS:
        for _ in range(1 + is_complex):
            _numbers(parts, count)
    elif kind == _SPARSE:
        for _ in range(3 + is_complex):
            _part(parts, _SIZES)
    else:
        raise ValueError("it holds objects or functions of MATLAB's")


def _numbers(parts: Iterator[Element], count: int) -> None:
    kind, content = next(parts, (0, memoryview(b"")))
    if kind not in _SIZES or len(content) != count * _SIZES[kind]:
        raise ValueError(f"{len(content)} bytes of type {kind} for {count} numbers")


def _part(parts: Iterator[Element], kinds: set[int] | dict[int, int], least: int = 0) -> memoryview:
    """The next element's content, which must be of one of these types."""
    kind, content = next(parts, (0, memoryview(b"")))
    if kind not in kinds or len(content) < least:
        raise ValueError(f"{len(content)} bytes of type {kind} where something else should be")
    return content
