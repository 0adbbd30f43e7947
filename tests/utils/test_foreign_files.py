import builtins
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from utils.errors import UserError
from utils.foreign_files import foreign_weights, read_foreign, without_module_prefix
from utils.restricted_pickle import Global, Placeholder

FORMATS = {"zip": True, "legacy": False}


def saved(content, path: Path, kind: str) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=FORMATS[kind])
    return path


@pytest.fixture(params=list(FORMATS))
def kind(request) -> str:
    return request.param


def many_tensors() -> dict[str, torch.Tensor]:
    base = torch.arange(24.0).reshape(4, 6)
    tensors = {
        "base": base,
        "row": base[2],
        "columns": base[:, 1:4],
        "transposed": base.T,
        "every_second": base[::2, ::3],
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "parameter": nn.Parameter(torch.randn(3)),
        "bool": torch.tensor([True, False]),
        "complex": torch.tensor([1 + 2j]),
    }
    for dtype in ("float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"):
        tensors[dtype] = torch.arange(5).to(getattr(torch, dtype))
    return tensors


def test_tensors_of_every_kind_come_back(tmp_path, kind):
    tensors = many_tensors()
    found = read_foreign(saved(tensors, tmp_path / "a.pth.tar", kind))
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype and found[name].stride() == tensor.stride(), name
        assert found[name].equal(tensor.detach()), name
    found["base"].zero_()
    for name in ("row", "columns", "transposed", "every_second"):
        assert not found[name].any(), f"{name} does not share its storage"


def test_containers_and_primitives_come_back(tmp_path, kind):
    content = {
        "epoch": 7,
        "big": 2**80,
        "lr": 1e-3,
        "none": None,
        "flags": [True, False],
        "pair": (1, (2, "drei"), b"\x00\xff"),
        "set": {1, 2},
        "frozen": frozenset({3}),
        "ordered": OrderedDict(b=1, a=2),
        "default": defaultdict(list, x=[1]),
        5: "number as key",
        ("a", 0): "pair as key",
        "size": torch.Size([2, 3]),
        "array": np.arange(6, dtype=">i4").reshape(2, 3, order="F"),
        "numbers": [np.float64(2.5), np.int32(-3), np.bool_(True)],
        "text": np.array(["ab", "c"]),
        "objects": np.array([{"x": np.ones(2)}, None], dtype=object),
    }
    found = read_foreign(saved(content, tmp_path / "a.bin", kind))
    array, objects, text = (found.pop(key) for key in ("array", "objects", "text"))
    assert array.dtype == np.int32 and (array == content.pop("array")).all()
    assert objects.shape == (2,) and objects[1] is None and (objects[0]["x"] == 1).all()
    assert text.tolist() == ["ab", "c"]
    del content["objects"], content["text"]
    content["size"] = (2, 3)
    assert found == content
    assert list(found["ordered"]) == ["b", "a"]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickles_of_every_protocol(tmp_path, protocol):
    content = {"a": [1, 2.5, "x", b"y", None, True], "b": np.arange(4.0), "c": bytearray(b"z")}
    shared = [1]
    content["shared"] = [shared, shared]
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    found = read_foreign(path)
    assert found["a"] == content["a"] and (found["b"] == content["b"]).all()
    assert found["c"] == b"z" and found["shared"][0] is found["shared"][1]


def test_a_videopose3d_like_checkpoint_loads(tmp_path, kind):
    model = nn.DataParallel(nn.Conv1d(34, 8, 3))
    optimizer = torch.optim.Adam(model.parameters(), amsgrad=True)
    model.module(torch.randn(1, 34, 5)).sum().backward()
    optimizer.step()
    content = {
        "epoch": 80,
        "lr": 1e-3,
        "random_state": np.random.RandomState(1234),
        "optimizer": optimizer.state_dict(),
        "model_pos": model.state_dict(),
        "model_traj": None,
    }
    path = saved(content, tmp_path / "epoch_80.bin", kind)
    found = read_foreign(path)
    assert found["epoch"] == 80 and found["model_traj"] is None
    assert isinstance(found["random_state"], Placeholder)
    weights = foreign_weights(found, path)
    assert list(weights) == ["weight", "bias"]
    assert weights["weight"].equal(model.module.weight.detach())
    moment = optimizer.state_dict()["state"][0]["max_exp_avg_sq"]
    assert found["optimizer"]["state"][0]["max_exp_avg_sq"].equal(moment)


def test_npz_with_objects_inside(tmp_path):
    poses: Any = {"S1": {"Walking 1": [np.random.rand(5, 17, 2).astype(np.float32)]}}
    metadata: Any = {"layout_name": "h36m", "keypoints_symmetry": [[4, 5], [1, 2]]}
    path = tmp_path / "data_2d.npz"
    plain = np.asfortranarray(np.random.rand(3, 4))
    np.savez_compressed(path, positions_2d=poses, metadata=metadata, plain=plain)
    found = read_foreign(path)
    array = found["positions_2d"].item()["S1"]["Walking 1"][0]
    assert array.dtype == np.float32 and (array == poses["S1"]["Walking 1"][0]).all()
    assert found["metadata"].item() == metadata
    assert (found["plain"] == plain).all() and found["plain"].flags.f_contiguous
    np.save(tmp_path / "a.npy", np.array([poses], dtype=object), allow_pickle=True)
    assert read_foreign(tmp_path / "a.npy")[0]["S1"].keys() == {"Walking 1"}


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments) -> None:
        self.parts = (function, arguments)

    def __reduce__(self):
        return self.parts


class Thing:
    """An object of a class of another project."""

    def __init__(self) -> None:
        self.name = "thing"


HOSTILE = {
    "system": lambda: Call(os.system, "touch executed"),
    "eval": lambda: Call(eval, "open('executed', 'w')"),
    "exec": lambda: Call(exec, "open('executed', 'w')"),
    "nested": lambda: Call(getattr, Call(builtins.__import__, "os"), "system"),
    "called": lambda: [
        Call(map, os.system, ["touch executed"]),
        Call(list, Call(open, "executed", "w")),
    ],
    "in an array": lambda: np.array([Call(os.system, "touch executed")], dtype=object),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_pickles_run_nothing(tmp_path, monkeypatch, kind, name):
    monkeypatch.chdir(tmp_path)
    path = saved({"weights": torch.ones(2), "x": HOSTILE[name]()}, tmp_path / "a.pth", kind)
    (tmp_path / "executed").unlink(missing_ok=True)  # a file opened while it was pickled
    try:
        found = read_foreign(path)
    except UserError:
        found = {"weights": torch.ones(2)}  # refused as a whole is as good
    assert found["weights"].equal(torch.ones(2))
    assert not (tmp_path / "executed").exists()


def test_hostile_opcodes_run_nothing(tmp_path, monkeypatch):
    """Every way a pickle can call something: REDUCE, INST, OBJ, NEWOBJ, BUILD, persistent ids."""
    monkeypatch.chdir(tmp_path)
    argument = b"V" + b"touch executed\n"
    for content in (
        b"cos\nsystem\n(" + argument + b"tR.",
        b"(" + argument + b"ios\nsystem\n.",
        b"(cos\nsystem\n" + argument + b"o.",
        b"\x80\x02cos\nsystem\n(" + argument + b"t\x81.",
        b"\x80\x02\x8c\x02os\x8c\x06system\x93(" + argument + b"tR.",
        b"cbuiltins\neval\n(Vopen('executed', 'w')\ntR.",
        b"cutils.restricted_pickle\nMachine\n}V__call__\ncos\nsystem\nsb.",
        b"c__main__\nx\n(" + argument + b"tRcos\nsystem\nb.",
        b"Pos.system\n.",
        b"\x82\x01.",
    ):
        (tmp_path / "a.pkl").write_bytes(content)
        try:
            found = read_foreign(tmp_path / "a.pkl")
            assert isinstance(found, Placeholder | Global)
        except UserError:
            pass
        assert not (tmp_path / "executed").exists(), content
    (tmp_path / "a.pkl").write_bytes(b"cos\nsystem\n(" + argument + b"tR.")
    found = read_foreign(tmp_path / "a.pkl")
    assert found.made_by == Global("os.system") and found.arguments == ("touch executed",)


def test_objects_of_unknown_classes_are_recorded(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([Thing(), Thing], protocol=4))
    thing, name = read_foreign(path)
    assert thing.made_by == name and name.name.endswith(".Thing")
    assert thing.state == {"name": "thing"}


def test_damaged_files_are_user_errors(tmp_path, kind):
    whole = saved(many_tensors(), tmp_path / "whole.pth", kind).read_bytes()
    path = tmp_path / "a.pth"
    for content in (b"", b"\x80", b"hello", whole[: len(whole) // 2], whole[:-8], whole[:100]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.pth"):
            read_foreign(path)
    with pytest.raises(UserError, match="No such file"):
        read_foreign(tmp_path / "absent")
    with pytest.raises(UserError, match="cannot read"):
        read_foreign(tmp_path)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_flipped_bytes_give_a_value_or_a_user_error(data, tmp_path_factory):
    content = {"a": torch.arange(6.0)[::2], "b": np.arange(3), "c": OrderedDict(x=[1, "y"])}
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=data.draw(st.booleans()))
    raw = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "flipped.pth"
    path.write_bytes(raw)
    try:
        read_foreign(path)
    except UserError as error:
        assert "\n" not in str(error)


def storage_id(count: int) -> bytes:
    """Opcodes of a persistent id of `count` floats."""
    head = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000"
    return head + b"X\x03\x00\x00\x00cpu\x8a\x08" + struct.pack("<q", count) + b"tQ"


def rebuilt(count: int, size: int, stride: int) -> bytes:
    """A pickle of one tensor view of a storage."""
    numbers = [b"\x8a\x08" + struct.pack("<q", n) for n in (size, stride)]
    view = b"K\x00" + numbers[0] + b"\x85" + numbers[1] + b"\x85\x89N"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage_id(count) + view + b"tR."


def torch_zip(path: Path, pickled: bytes, data: bytes, **options) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/byteorder", b"little")
        archive.writestr("a/data/0", data)
    return path


def test_declared_sizes_beyond_the_file_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    assert read_foreign(torch_zip(path, rebuilt(4, 2, 2), bytes(16))).stride() == (2,)
    for count, size, stride in [
        (1 << 40, 4, 1),  # a storage of terabytes
        (4, 1 << 40, 0),  # a view that repeats one number
        (4, 5, 1),
        (4, 2, 9),
        (-4, 1, 1),
        (4, -1, 1),
        (3, 2, 1),  # smaller than what is there
    ]:
        with pytest.raises(UserError, match=r"a\.pth is damaged"):
            read_foreign(torch_zip(path, rebuilt(count, size, stride), bytes(16)))
    packed = {"compression": zipfile.ZIP_DEFLATED}
    with pytest.raises(UserError, match="compressed"):
        read_foreign(torch_zip(path, rebuilt(1 << 20, 1, 1), bytes(4 << 20), **packed))


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02]r\xff\xff\xff\xff.",  # a memo place of four thousand million
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50) + b"x.",
        b"\x80\x02\x8b\xff\xff\xff\x7fx.",
        b"c__builtin__\nbytearray\n(I1000000000000\ntR.",
        # ((((), ()), ...) ...) as a key: hashing it would take 2^60 steps.
        b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s.",
    ],
    ids=["memo", "bytes", "long", "bytearray", "hash"],
)
def test_resource_bombs_end_at_once(tmp_path, content):
    (tmp_path / "a.pkl").write_bytes(content)
    with suppress(UserError):
        assert read_foreign(tmp_path / "a.pkl") == []


def test_npy_that_declares_more_than_it_holds(tmp_path):
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    (tmp_path / "a.npy").write_bytes(buffer.getvalue() + bytes(8))
    with pytest.raises(UserError, match="another size"):
        read_foreign(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"x")
        archive.infolist()[0].file_size = 5 << 30
    with pytest.raises(UserError, match="more than 4 GiB"):
        read_foreign(tmp_path / "a.npz")


def test_a_damaged_array_in_lzma_is_a_user_error(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", bytes(1000))
    content = bytearray(path.read_bytes())
    content[50:60] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.npz is damaged"):
        read_foreign(path)


def test_weights_are_found_and_named():
    weights = {"module.a": torch.ones(1), "module.b.module.c": torch.ones(2)}
    assert list(without_module_prefix(weights)) == ["a", "b.module.c"]
    mixed = {"module.a": torch.ones(1), "b": torch.ones(1)}
    assert without_module_prefix(mixed) == mixed
    for content in (weights, {"state_dict": weights, "epoch": 1}, {"model_pos": weights}):
        assert list(foreign_weights(content, "x")) == ["a", "b.module.c"]
    for content in ([], {}, {"epoch": 1}, {"state_dict": {"a": 1}}, Placeholder("f", ())):
        with pytest.raises(UserError, match="x holds no weights"):
            foreign_weights(content, "x")
