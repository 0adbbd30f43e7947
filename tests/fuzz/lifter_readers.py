"""Readers of 3D poses: Human3.6M and HumanEva in all layouts, pairs, lifters of all kinds."""

from pathlib import Path
from typing import Any

import torch

from data.humaneva_files import read_calibration, read_markers, read_offset
from tests.data.humaneva_download import (
    captured,
    write_c3d,
    write_calibration,
    write_matlab,
    write_offset,
)
from tests.fuzz.forms import (
    AS_BYTES,
    AS_HDF5,
    AS_JSON,
    AS_MATLAB,
    AS_NPZ,
    AS_SAFETENSORS,
    AS_TEXT,
    AS_TORCH,
)
from tests.fuzz.readers import Reader
from tests.twod_threed import public_lifter
from tests.twod_threed.fake_h36m import write_official, write_tree, write_videopose
from tests.twod_threed.fake_humaneva import write_humaneva
from tests.twod_threed.scored_pairs import make_pairs
from tests.twod_threed.temporal import public_videopose
from tests.twod_threed.temporal.known_networks import describe, write_networks
from twod_threed.description import LifterDescription
from twod_threed.detector_noise import DEFAULT_TABLE, read_table
from twod_threed.h36m import read_h36m
from twod_threed.humaneva import read_humaneva
from twod_threed.model import Lifter, LifterArchitecture
from twod_threed.pairs import read_pairs, write_pairs
from twod_threed.predictor import load_lifter
from twod_threed.temporal.loading import load_networks
from utils.weights import save_weights

TAKES = ("Sitting", "Sitting 1")


def _read_h36m(path: Path) -> None:
    folder = next(one for one in path.parents if one.name == "h36m")
    read_h36m(folder, ["S1"], ["Sitting"])


def _write_tree(folder: Path) -> Path:
    return write_tree(folder / "h36m", ("S1",), TAKES) / "S1/MyPoses/3D_positions/Sitting.h5"


def _write_cameras(folder: Path) -> Path:
    return write_tree(folder / "h36m", ("S1",), TAKES) / "cameras.h5"


def _write_official(folder: Path) -> Path:
    place = write_official(folder / "h36m", ("S1",), TAKES)
    return place / "S1/MyPoseFeatures/D3_Positions/Sitting.cdf"


def _write_videopose(folder: Path) -> Path:
    return write_videopose(folder / "h36m", ("S1",), TAKES) / "data_3d_h36m.npz"


def _write_humaneva(number: int) -> Any:
    def write(folder: Path) -> Path:
        write_humaneva(folder)
        return folder / f"data_{number}d_humaneva15{'_gt' if number == 2 else ''}.npz"

    return write


def _read_humaneva(path: Path) -> None:
    read_humaneva(path.parent, ["Train/S1", "Validate/S2"])


def _write_pairs(folder: Path) -> Path:
    write_pairs(folder / "pairs.npz", make_pairs([("S1", "Sitting", "h36m", 4)]))
    return folder / "pairs.npz"


def _write_noise(folder: Path) -> Path:
    (folder / "noise.json").write_bytes(DEFAULT_TABLE.read_bytes())
    return folder / "noise.json"


def _write_lifter(folder: Path) -> Path:
    shape = LifterArchitecture(linear_size=8, num_stage=1)
    metadata = LifterDescription(shape, 3300.0).as_metadata()
    save_weights(folder / "a.safetensors", Lifter(shape).state_dict(), metadata)
    return folder / "a.safetensors"


def _write_public_lifter(folder: Path) -> Path:
    _write_pairs(folder)
    state = public_lifter.random_state(8, 1)
    torch.save({"epoch": 3, "state_dict": state}, folder / "a.pth.tar")
    return folder / "a.pth.tar"


def _read_public_lifter(path: Path) -> None:
    load_lifter(str(path), str(path.parent / "pairs.npz"))


def _write_temporal(folder: Path) -> Path:
    return write_networks(folder / "a.safetensors", describe(trajectory=True))


def _write_public_temporal(folder: Path) -> Path:
    pose = public_videopose.random_state((3, 3), 8)
    return public_videopose.save_checkpoint(folder / "a.bin", pose)


def _write_calibration(folder: Path) -> Path:
    write_calibration(folder / "C1.cal", 0)
    return folder / "C1.cal"


def _write_offset(folder: Path) -> Path:
    write_offset(folder / "Walking_1.ofs", 4, 8, 2)
    return folder / "Walking_1.ofs"


def _write_c3d(folder: Path) -> Path:
    write_c3d(folder / "Jog_1.c3d", captured(4))
    return folder / "Jog_1.c3d"


def _write_markers(folder: Path) -> Path:
    write_matlab(folder / "Jog_1.mat", captured(4))
    return folder / "Jog_1.mat"


def _read_markers(path: Path) -> None:
    read_markers(path.with_suffix(""))


READERS = {
    "h36m tree": Reader(_write_tree, _read_h36m, (AS_BYTES, AS_HDF5)),
    "h36m cameras": Reader(_write_cameras, _read_h36m, (AS_BYTES, AS_HDF5)),
    "h36m download": Reader(_write_official, _read_h36m, (AS_BYTES,)),
    "h36m videopose": Reader(_write_videopose, _read_h36m, (AS_BYTES, AS_NPZ)),
    "humaneva 3d": Reader(_write_humaneva(3), _read_humaneva, (AS_BYTES, AS_NPZ)),
    "humaneva 2d": Reader(_write_humaneva(2), _read_humaneva, (AS_NPZ,)),
    "pairs": Reader(_write_pairs, read_pairs, (AS_BYTES, AS_NPZ)),
    "detector noise": Reader(_write_noise, read_table, (AS_TEXT, AS_JSON)),
    "lifter": Reader(
        _write_lifter, lambda path: load_lifter(str(path)), (AS_BYTES, AS_SAFETENSORS)
    ),
    "public lifter": Reader(_write_public_lifter, _read_public_lifter, (AS_TORCH,)),
    "temporal": Reader(
        _write_temporal, lambda path: load_networks(str(path)), (AS_BYTES, AS_SAFETENSORS)
    ),
    "public temporal": Reader(
        _write_public_temporal, lambda path: load_networks(str(path), "h36m_17"), (AS_TORCH,)
    ),
    "calibration": Reader(_write_calibration, read_calibration, (AS_TEXT,)),
    "offset": Reader(_write_offset, read_offset, (AS_TEXT,)),
    "c3d": Reader(_write_c3d, _read_markers, (AS_BYTES,)),
    "markers": Reader(_write_markers, _read_markers, (AS_BYTES, AS_MATLAB)),
}
