"""Damage: what bytes, words and values of a good file are changed, for hypothesis to choose.

A strategy draws a list of edits, which are applied one after the other. Places are shares of a
65,536th of the whole, so that an edit means something for a file of any length, and a shorter list
is a simpler case.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from hypothesis import strategies as st

PLACES = 1 << 16
NUMBERED = 401
"""So many places are told by their numbers."""
WORDS = [
    *("nan", "inf", "-1", "0", "1e999", "9" * 400, "9" * 5000, "99999999999", "9" * 25),
    *("", "x", "{", "}", "[" * 2000, "\0", "é"),
]
VALUES: list[Any] = [
    *(None, True, -1, 0, 1.5, 2**63, -(2**70), 10**400, float("nan"), float("inf"), 1e308),
    *("", "x", "é\0", "../../x", [], {}, [[]], [1, [2]], {"x": {}}, [None], "9" * 5000),
]
ARRAYS: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda array: array[:0],
    lambda array: array[:-1],
    lambda array: array[..., :1],
    lambda array: array[None],
    lambda array: array.T,
    lambda array: array.ravel(),
    lambda array: np.concatenate([array, array]),
    lambda array: np.full(array.shape, np.nan),
    lambda array: np.full(array.shape, np.inf),
    lambda array: np.full(array.shape, -1e300),
    lambda array: np.full(array.shape, 2**62),
    lambda array: -array,
    lambda array: array.astype(np.complex128),
    lambda array: array.astype(np.int8),
    lambda array: array.astype(bool),
    lambda array: array.astype(str),
    lambda array: array.astype("S"),
    lambda array: array.astype(object),
    lambda array: np.zeros(array.shape, "datetime64[s]"),
    lambda array: np.zeros(array.shape, [("x", float)]),
]

Edits = list[tuple[Any, ...]]
_place = st.one_of(st.integers(0, NUMBERED - 1), st.integers(0, PLACES - 1))


def edits(kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Edits]:
    """Up to five edits."""
    return st.lists(st.tuples(kinds, _place, st.integers(0, 999)), min_size=1, max_size=5)


BYTES = edits(
    st.one_of(
        st.sampled_from(["cut", "copy", "end", "flip"]),
        st.binary(min_size=1, max_size=8),
        st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0" * 8]),
    )
)
"""Edits of bytes: those to write at a place, or what is done there."""
TEXT = edits(st.one_of(st.sampled_from(["cut", "copy", "end"]), st.sampled_from(WORDS)))
"""Edits of words: one to write in place of another, or what is done with a line."""
TREE = edits(
    st.one_of(
        st.sampled_from(["cut", "copy"]), st.integers(0, len(ARRAYS) - 1), st.sampled_from(VALUES)
    )
)
"""Edits of values in dictionaries, lists and arrays."""


def _at(place: int, length: int) -> int:
    """A place in so many things: the first ones by number, all by their share."""
    return place if place < min(length, NUMBERED) else place * length // PLACES


def damaged_bytes(data: bytes, changes: Edits) -> bytes:
    """The bytes with changes of `BYTES`."""
    for what, place, number in changes:
        start = _at(place, len(data))
        if what == "cut":
            data = data[:start] + data[start + number :]
        elif what == "copy":
            data = data[: start + number] + data[start:]
        elif what == "end":
            data = data[:start]
        elif what == "flip":
            data = data[:start] + bytes(b ^ (1 << number % 8) for b in data[start : start + 1])
        else:
            data = data[:start] + what + data[start + len(what) :]
    return data


def damaged_text(text: str, changes: Edits) -> str:
    """The text with changes of `TEXT`."""
    for what, place, number in changes:
        lines = text.splitlines(keepends=True)
        words = list(re.finditer(r"\S+", text))
        if not words:
            return text
        line = _at(place, len(lines))
        if what == "cut":
            text = "".join(lines[:line] + lines[line + 1 + number % 3 :])
        elif what == "copy":
            text = "".join(lines[: line + 1 + number % 3] + lines[line:])
        elif what == "end":
            text = text[: _at(place, len(text))]
        else:
            word = words[_at(place, len(words))]
            text = text[: word.start()] + what + text[word.end() :]
    return text


def places(tree: Any) -> list[tuple[Any, Any]]:
    """(container, key) of a tree of dictionaries and lists; of a long list, the first ones."""
    found: list[tuple[Any, Any]] = []
    left = [tree]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            keys = list(one) if isinstance(one, dict) else range(min(len(one), 20))
            found += [(one, key) for key in keys]
            left += [one[key] for key in keys]
    return found


def damage_tree(tree: Any, changes: Edits) -> None:
    """Change values of a tree in place, with changes of `TREE`."""
    for what, place, number in changes:
        where = places(tree)
        if not where:
            return
        container, key = where[_at(place, len(where))]
        value = container[key]
        if what == "cut":
            del container[key]
        elif what == "copy":
            if isinstance(container, list):
                container.insert(key, value)
            else:
                container[str(number)] = value
        elif isinstance(what, int) and isinstance(value, np.ndarray) and value.size:
            container[key] = ARRAYS[what % len(ARRAYS)](value)
        else:
            container[key] = deepcopy(what)
