"""Files of other projects: PyTorch checkpoints of any age, .npz files with objects, pickles.

Reading them runs no code of theirs: see `utils/restricted_pickle.py`. Tensors, NumPy arrays and
scalars and builtin containers are made; everything else is an inert placeholder.
"""

import io
import lzma
import math
import mmap
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from utils.errors import UserError
from utils.restricted_pickle import Global, Machine

LARGEST = 4 << 30
"""Bytes that a compressed file may unpack to."""

_LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
_LEGACY_PROTOCOL = 1001
_DAMAGE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    EOFError,
    NotImplementedError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
_STORAGES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
    "ComplexFloat": torch.complex64,
    "ComplexDouble": torch.complex128,
}


def read_foreign(path: str | Path) -> Any:
    """The object in a file made by torch.save (zip or legacy format), np.savez, np.save or pickle.

    A .npz gives a dict of arrays. Raises UserError if the file cannot be read, is damaged, is of
    another format or declares more data than it holds.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if file.seek(0, io.SEEK_END) == 0:
                raise UserError(f"{path} is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _read(file, content, path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise UserError(f"{path} is damaged or of an unknown format: {reason}") from error


def _read(file: IO[bytes], content: mmap.mmap, path: Path) -> Any:
    if content[:2] == b"PK":
        with zipfile.ZipFile(file) as archive:
            if any(name.endswith(".npy") for name in archive.namelist()):
                return _read_npz(archive)
            return _read_torch_zip(archive, len(content))
    if content[: len(_LEGACY_MAGIC)] == _LEGACY_MAGIC:
        return _read_torch_legacy(content)
    if content[:6] == b"\x93NUMPY":
        return _read_npy(io.BytesIO(content[:]))
    if content[257:262] == b"ustar":
        raise UserError(f"{path} is a tar file; checkpoints older than PyTorch 0.2 can't be read")
    return _machine(_no_persistent).run(content)  # pyright: ignore[reportArgumentType]


def _no_persistent(_: Any) -> Any:
    raise ValueError("a reference to data outside the file")


def _machine(persistent: Callable[[Any], Any]) -> Machine:
    return Machine(_BUILDERS, _set_state, persistent)


# --- PyTorch -----------------------------------------------------------------------------------


class _Storages:
    """Flat tensors by storage key; together they may not be larger than the file."""

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.flat: dict[str, Tensor] = {}

    def get(self, identity: Any) -> Tensor:
        """Flat tensor of a persistent id ("storage", type, key, place, number of elements, ...)."""
        kind, storage_type, key, _, count, *view = identity
        match = re.fullmatch(r"torch(?:\.cuda)?\.(\w+)Storage", storage_type.name)
        if kind != "storage" or match is None or match[1] not in _STORAGES:
            raise ValueError(f"unknown data {storage_type}")
        dtype = _STORAGES[match[1]]
        if key not in self.flat:
            self.left -= count * dtype.itemsize
            if count < 0 or self.left < 0:
                raise ValueError("it declares more data than it holds")
            self.flat[key] = torch.zeros(count, dtype=dtype)
        flat = self.flat[key]
        if flat.dtype != dtype or len(flat) != count:
            raise ValueError(f"two descriptions of data {key}")
        if view and view[0] is not None:
            _, offset, size = view[0]
            return flat.narrow(0, offset, size)
        return flat

    def fill(self, key: str, data: Any) -> None:
        """Copy raw little-endian bytes into a flat tensor."""
        flat = self.flat[key]
        if len(data) != len(flat) * flat.itemsize:
            raise ValueError(f"data {key} is of another size than declared")
        if len(data):
            flat.copy_(torch.frombuffer(bytearray(data), dtype=flat.dtype))


def _rebuild_tensor(flat: Tensor, offset: int, size: Any, stride: Any, *_: Any) -> Tensor:
    if math.prod(size) > len(flat):
        raise ValueError("it declares more data than it holds")
    return flat.as_strided(tuple(size), tuple(stride), flat.storage_offset() + offset)


def _read_torch_zip(archive: zipfile.ZipFile, size: int) -> Any:
    names = [name for name in archive.namelist() if name.split("/")[1:] == ["data.pkl"]]
    if len(names) != 1:
        raise ValueError("a zip file that is neither of torch.save nor of np.savez")
    root = names[0].split("/")[0]

    def content(name: str) -> bytes:
        entry = archive.getinfo(f"{root}/{name}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size:
            raise ValueError("a compressed entry")
        return archive.read(entry)

    if f"{root}/byteorder" in archive.namelist() and content("byteorder") != b"little":
        raise ValueError("it was written on a big-endian machine")
    storages = _Storages(size)
    result = _machine(storages.get).run(io.BytesIO(content("data.pkl")))
    for key in storages.flat:
        storages.fill(key, content(f"data/{key}"))
    return result


def _read_torch_legacy(content: mmap.mmap) -> Any:
    content.seek(len(_LEGACY_MAGIC))
    storages = _Storages(len(content))

    def pickled() -> Any:
        return _machine(storages.get).run(content)  # pyright: ignore[reportArgumentType]

    if pickled() != _LEGACY_PROTOCOL or not pickled()["little_endian"]:
        raise ValueError("an unknown version, or written on a big-endian machine")
    result = pickled()
    for key in pickled():
        flat = storages.flat[key]
        (count,) = struct.unpack("<q", content.read(8))
        if count != len(flat):
            raise ValueError(f"data {key} is of another size than declared")
        storages.fill(key, content.read(count * flat.itemsize))
    return result


# --- NumPy -------------------------------------------------------------------------------------


def _dtype(described: Any) -> np.dtype:
    """The dtype of what a pickle says of one: numpy.dtype(code, ...) with a byte order as state."""
    code = described.arguments[0]
    if described.made_by != Global("numpy.dtype") or not re.fullmatch(r"[biufcSUO?]\d*", code):
        raise ValueError(f"arrays of {code}")
    order = described.state[1] if described.state else "|"
    if order not in ("<", ">", "=", "|"):
        raise ValueError(f"byte order {order}")
    return np.dtype(code).newbyteorder(order)


def _raw(data: Any) -> bytes:
    """Bytes that Python 2 wrote as a string are the same."""
    return data.encode("latin1") if isinstance(data, str) else bytes(memoryview(data))


def _scalar(described: Any, data: Any) -> Any:
    dtype, raw = _dtype(described), _raw(data)
    if dtype.hasobject or len(raw) != dtype.itemsize:
        raise ValueError("a scalar of another size than declared")
    return np.frombuffer(raw, dtype)[0]


def _from_buffer(data: Any, described: Any, shape: Any, order: Any) -> np.ndarray:
    dtype = _dtype(described)
    if dtype.hasobject:
        raise ValueError("objects in a buffer")
    return np.frombuffer(_raw(data), dtype).reshape(shape, order=order).copy(order="K")


def _set_state(value: Any, state: Any) -> bool:
    """Fill an array with (version, shape, dtype, Fortran order, data), checked first."""
    if not isinstance(value, np.ndarray):
        return False
    _, shape, described, fortran, data = state
    dtype, count = _dtype(described), math.prod(shape)
    objects = dtype.hasobject
    data = data if objects else _raw(data)
    size = len(data) if objects else len(data) / max(dtype.itemsize, 1)
    if min(shape, default=0) < 0 or size != count or (objects and not isinstance(data, list)):
        raise ValueError("an array of another size than declared")
    checked: Any = (1, tuple(shape), dtype, bool(fortran), data)
    value.__setstate__(checked)
    return True


def _read_npy(file: IO[bytes]) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f".npy version {version}")
    header = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        header = np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if dtype.hasobject:
        array = _machine(_no_persistent).run(file)
        if not isinstance(array, np.ndarray):
            raise ValueError("objects that are no array")
        return array
    data = file.read()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError("an array of another size than declared")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").copy(order="K")


def _read_npz(archive: zipfile.ZipFile) -> dict[str, np.ndarray]:
    if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
        raise ValueError(f"it unpacks to more than {LARGEST >> 30} GiB")
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    return {name[:-4]: _read_npy(io.BytesIO(archive.read(name))) for name in names}


_BUILDERS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    "torch._utils._rebuild_parameter_with_state": lambda tensor, *_: tensor,
    "torch.nn.parameter.Parameter": lambda tensor, *_: tensor,
    "torch.Size": lambda sizes: tuple(sizes),
}
for _core in ("numpy.core", "numpy._core"):
    _BUILDERS[f"{_core}.multiarray._reconstruct"] = lambda *_: np.empty(0, np.uint8)
    _BUILDERS[f"{_core}.multiarray.scalar"] = _scalar
    _BUILDERS[f"{_core}.numeric._frombuffer"] = _from_buffer


# --- What is inside ----------------------------------------------------------------------------

_WEIGHT_KEYS = ("state_dict", "model_state_dict", "model_pos", "model")


def without_module_prefix(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict without the "module." that nn.DataParallel puts before every key."""
    if not all(name.startswith("module.") for name in state_dict):
        return dict(state_dict)
    return {name.removeprefix("module."): tensor for name, tensor in state_dict.items()}


def foreign_weights(content: Any, source: str | Path) -> dict[str, Tensor]:
    """The state dict in a foreign checkpoint: itself one, or a dict with one under a usual name.

    Names lose the "module." of nn.DataParallel. Raises UserError where there is none.
    """
    found = content
    if isinstance(content, dict):
        found = next((content[key] for key in _WEIGHT_KEYS if key in content), content)
    if not isinstance(found, dict) or not found:
        raise UserError(f"{source} holds no weights (no state dict)")
    if not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in found.items()):
        raise UserError(f"{source} holds no weights (its state dict is not of tensors by name)")
    return without_module_prefix(found)
