"""Files taken apart and put together again, so that damage reaches what checksums would hide."""

import io
import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
import torch
from hypothesis import reject
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

from tests.fuzz.damage import (
    BYTES,
    NUMBERED,
    TEXT,
    TREE,
    VALUES,
    WORDS,
    Edits,
    damage_tree,
    damaged_bytes,
    damaged_text,
    places,
)


@dataclass(frozen=True)
class Form:
    """What a file is seen as while it is damaged: `take` apart, `change`, `put` together."""

    edits: st.SearchStrategy[Edits]
    take: Callable[[Path], Any]
    change: Callable[[Any, Edits], Any]
    put: Callable[[Any], bytes]


def _changed_tree(tree: Any, edits: Edits) -> Any:
    root = {"root": deepcopy(tree)}
    damage_tree(root, edits)
    return root.get("root")


def _tree(take: Callable[[Path], Any], put: Callable[[Any], bytes]) -> Form:
    return Form(TREE, take, _changed_tree, put)


def _nested(content: Any) -> Any:
    """A dictionary or list within an array of one object as itself, and so down to the leaves."""
    if isinstance(content, np.ndarray) and content.dtype == object and content.shape == ():
        content = content[()]
    if isinstance(content, dict):
        return {key: _nested(value) for key, value in content.items()}
    return [_nested(value) for value in content] if isinstance(content, list) else content


def _take_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=True) as content:
        return {name: _nested(content[name]) for name in content.files}


def _put_npz(tree: Any) -> bytes:
    buffer = io.BytesIO()
    arrays: Any = {str(name): _array(value) for name, value in tree.items()}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _array(value: Any) -> np.ndarray:
    if isinstance(value, dict | list):
        array = np.empty((), object)
        array[()] = value
        return array
    return np.asarray(value)


def _put_npy(tree: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(tree))
    return buffer.getvalue()


def _take_matlab(path: Path) -> dict[str, Any]:
    content = scipy.io.loadmat(path, simplify_cells=False)
    return {name: value for name, value in content.items() if not name.startswith("__")}


def _put_matlab(tree: Any) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, tree)
    return buffer.getvalue()


def _take_hdf5(path: Path) -> dict[str, Any]:
    def group(one: Any) -> Any:
        return {k: group(v) for k, v in one.items()} if isinstance(one, h5py.Group) else one[()]

    with h5py.File(path) as file:
        return group(file)


def _put_hdf5(tree: Any) -> bytes:
    def fill(group: Any, content: Any) -> None:
        for name, value in content.items():
            if isinstance(value, dict):
                fill(group.create_group(name), value)
            else:
                group[name] = value

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file, tree)
    return buffer.getvalue()


def _take_safetensors(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="np") as file:
        texts = {key: json.loads(text) for key, text in (file.metadata() or {}).items()}
        return {"metadata": texts, "tensors": {k: file.get_tensor(k) for k in file.keys()}}  # noqa: SIM118


def _put_safetensors(tree: Any) -> bytes:
    texts = {str(key): json.dumps(value) for key, value in tree["metadata"].items()}
    return save(tree["tensors"], metadata=texts)


def _arrays(nest: Any) -> Any:
    """Tensors of a nest as arrays."""
    if isinstance(nest, dict):
        return {key: _arrays(value) for key, value in nest.items()}
    if isinstance(nest, list | tuple):
        return [_arrays(value) for value in nest]
    return nest.numpy() if isinstance(nest, torch.Tensor) else nest


def _tensors(nest: Any) -> Any:
    if isinstance(nest, dict):
        return {key: _tensors(value) for key, value in nest.items()}
    if isinstance(nest, list):
        return [_tensors(value) for value in nest]
    return torch.from_numpy(np.array(nest)) if isinstance(nest, np.ndarray) else nest


def _put_torch(tree: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(_tensors(tree), buffer)
    return buffer.getvalue()


def _take_torch(path: Path) -> Any:
    return _arrays(torch.load(path, map_location="cpu", weights_only=False))


AS_BYTES = Form(BYTES, Path.read_bytes, damaged_bytes, lambda data: data)
AS_TEXT = Form(
    TEXT,
    lambda path: path.read_text("latin-1"),
    damaged_text,
    lambda text: text.encode("latin-1", "replace"),
)
AS_JSON = _tree(lambda path: json.loads(path.read_bytes()), lambda tree: json.dumps(tree).encode())
AS_NPZ = _tree(_take_npz, _put_npz)
AS_NPY = _tree(np.load, _put_npy)
AS_MATLAB = _tree(_take_matlab, _put_matlab)
AS_HDF5 = _tree(_take_hdf5, _put_hdf5)
AS_SAFETENSORS = _tree(_take_safetensors, _put_safetensors)
AS_TORCH = _tree(_take_torch, _put_torch)
AS_PICKLE = _tree(lambda path: pickle.loads(path.read_bytes()), pickle.dumps)


def text_forms(forms: tuple[Form, ...]) -> list[Form]:
    """Those that words or values of JSON can be changed in."""
    return [form for form in forms if form in (AS_TEXT, AS_JSON)]


def single_edits(form: Form, content: Any, values: Sequence[Any] = VALUES) -> Iterator[Edits]:
    """Each odd word of WORDS in each place of a text, or each of the values in each of JSON."""
    is_text = form is AS_TEXT
    count = len(content.split()) if is_text else len(places({"root": content}))
    for place in range(min(count, NUMBERED)):
        for odd in WORDS if is_text else values:
            yield [(odd, place, 0)]


def damaged(form: Form, content: Any, edits: Edits) -> bytes:
    """The bytes of a damaged file; what the format itself cannot hold is no case."""
    try:
        return form.put(form.change(content, edits))
    except Exception:  # whatever the writing library finds wrong with it
        reject()
