"""Files that SciPy writes are whole; what would end the program is refused before."""

import io
import struct
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from utils.matlab_structure import check_matlab5

HEAD = 128


def everything() -> dict:
    struct_array = np.zeros((1, 2), [("a", object), ("b", object)])
    struct_array[0, 0] = (np.ones(3), np.zeros((0, 0)))
    struct_array[0, 1] = (np.array([[1, "x"]], object), "text")
    return {
        "numbers": np.arange(24.0).reshape(2, 3, 4),
        "bytes": np.arange(5, dtype=np.uint8),
        "complex": np.array([[1 + 2j, 3]]),
        "texts": np.array(["one", "three"]),
        "struct": struct_array,
        "cells": np.array([[np.eye(2), "é"]], object),
        "sparse": scipy.sparse.csc_matrix(np.eye(3)),
        "empty": np.zeros((0, 4)),
    }


def saved(content: dict, do_compression: bool = False) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, content, do_compression=do_compression)
    return buffer.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_all_that_scipy_writes_is_whole(compressed: bool) -> None:
    check_matlab5(saved(everything(), do_compression=compressed))


@pytest.mark.parametrize(("place", "usual", "other"), [(24, 5, 6), (40, 1, 16)])
def test_sides_without_sign_and_names_in_utf8_are_read(place: int, usual: int, other: int) -> None:
    """Where programs other than MATLAB and SciPy write another type than they do."""
    data = bytearray(saved({"numbers": np.arange(4.0)}))
    assert struct.unpack_from("<I", data, HEAD + place) == (usual,)
    struct.pack_into("<I", data, HEAD + place, other)
    check_matlab5(bytes(data))
    assert scipy.io.loadmat(io.BytesIO(data))["numbers"].tolist() == [[0, 1, 2, 3]]
    struct.pack_into("<I", data, HEAD + place, 9)
    with pytest.raises(ValueError, match="of type 9 where something else should be"):
        check_matlab5(bytes(data))


@pytest.mark.parametrize("kind", [0, 8, 10, 11, 19, 20, 255])
def test_types_that_do_not_exist_are_refused(kind: int) -> None:
    """The numbers are the last element: its type stands eight bytes before them."""
    data = bytearray(saved({"a": np.array([1.5])}))
    struct.pack_into("<I", data, len(data) - 16, kind)
    with pytest.raises(ValueError, match=f"of type {kind}"):
        check_matlab5(bytes(data))


@pytest.mark.parametrize("place", [HEAD + 4, HEAD + 12])
def test_what_is_longer_than_what_it_is_in_is_refused(place: int) -> None:
    data = bytearray(saved({"a": np.arange(9.0)}))
    struct.pack_into("<I", data, place, 1 << 30)
    with pytest.raises(ValueError, match="longer than what it is in"):
        check_matlab5(bytes(data))


def test_cut_anywhere_within_a_variable_it_is_refused() -> None:
    data = saved({"struct": everything()["struct"]})
    for place in np.random.default_rng(0).integers(HEAD + 1, len(data), 100):
        with pytest.raises(ValueError):
            check_matlab5(data[:place])


def test_matrices_within_matrices_end_somewhere() -> None:
    inner = np.zeros((1, 1), object)
    for _ in range(40):
        outer = np.zeros((1, 1), object)
        outer[0, 0], inner = inner, outer
    with pytest.raises(ValueError, match="without end"):
        check_matlab5(saved({"a": inner}))


def test_a_damaged_or_unfinished_compressed_variable_is_refused() -> None:
    data = saved({"a": np.arange(999.0)}, do_compression=True)
    content = data[HEAD + 8 :]
    assert zlib.decompress(content)
    for damaged in (content[:-20], content[:40] + b"\0\0\0\0" + content[44:]):
        head = data[: HEAD + 4] + struct.pack("<I", len(damaged))
        with pytest.raises(ValueError, match="a compressed variable"):
            check_matlab5(head + damaged)
