"""Readers that all stages use: pictures, films, pose files, motion, checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import av
import numpy as np
import torch
from av.audio.stream import AudioStream
from PIL import Image

from tests.fuzz.forms import (
    AS_BYTES,
    AS_JSON,
    AS_MATLAB,
    AS_NPZ,
    AS_SAFETENSORS,
    AS_TEXT,
    AS_TORCH,
)
from tests.fuzz.readers import Reader
from tests.utils.mocap.motion_files import AMC, ASF, BVH
from tests.utils.toy_training import make_model
from tests.utils.video_samples import CONTAINERS, encode, numbered
from utils.checkpoint import TrainingState, checkpoint_fn, load_fn, read_weights
from utils.foreign_files import foreign_weights, read_foreign
from utils.images import read_image, read_image_size
from utils.matlab_files import read_matlab, write_matlab
from utils.mocap.amc import read_amc
from utils.mocap.asf import read_asf
from utils.mocap.bvh import read_bvh
from utils.mocap.joint_maps import read_joint_map
from utils.mocap.kinematics import forward_kinematics
from utils.mocap.store import make_store, read_store, resample, write_store
from utils.pose_file import Poses, read_poses, write_poses
from utils.pose_json import read_pose_json, write_pose_json
from utils.skeletons import H36M_17, MPII_16
from utils.sound import copy_sound
from utils.video import VideoReader
from utils.weights import load_weights, save_weights

MAP = """
source = "toy"
unit = 1.0
up = "y"
[joints]
hip = "Hips"
spine = { Hips = 0.5, Chest = 0.5 }
[points]
top = { joint = "Chest", offset = [0.0, 10.0, 0.0] }
[bones]
Chest = { like = "Chest_end", factor = 1.0 }
"""


def _picture(suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        grid = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)
        picture = Image.fromarray(grid).resize((40, 30), Image.Resampling.BICUBIC)
        exif = Image.Exif()
        exif[274] = 6
        picture.save(folder / f"a.{suffix}", exif=exif)
        return folder / f"a.{suffix}"

    return write


def _read_picture(path: Path) -> None:
    read_image_size(path)
    read_image(path)


def _film(suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        frames = [numbered(i, 16, 16) for i in range(6)]
        options = {"movflags": "+faststart"} if suffix == "mp4" else {}
        return encode(folder / f"a.{suffix}", frames, CONTAINERS[suffix], options)

    return write


def _read_film(path: Path) -> None:
    with VideoReader(path) as reader:
        for _ in reader:
            pass
        assert reader.damage is None or reader.damage.isprintable()


def _spoken(suffix: str) -> Callable[[Path], Path]:
    """A film with sound that is copied into an MP4 file (mp4), or encoded anew (avi)."""

    def write(folder: Path) -> Path:
        path = folder / f"spoken.{suffix}"
        with av.open(str(path), "w") as out:
            pictures = out.add_stream(CONTAINERS[suffix], rate=25)
            sound = out.add_stream("aac" if suffix == "mp4" else "pcm_s16le", rate=8000)
            assert isinstance(pictures, av.VideoStream) and isinstance(sound, AudioStream)
            pictures.width, pictures.height, pictures.pix_fmt = 16, 16, "yuv420p"
            for number in range(6):
                frame = av.VideoFrame.from_ndarray(numbered(number, 16, 16), "rgb24")
                out.mux(pictures.encode(frame))
            out.mux(pictures.encode(None))
            wave = (9000 * np.sin(np.arange(1920))).astype(np.int16)[None]
            heard = av.AudioFrame.from_ndarray(wave, "s16", "mono")
            heard.sample_rate = 8000
            out.mux(sound.encode(heard))
            out.mux(sound.encode(None))
        return path

    return write


def _copy_sound(path: Path) -> None:
    silent = path.with_name("silent.mp4")
    encode(silent, [numbered(number, 16, 16) for number in range(3)])
    copy_sound(path, silent)
    _read_film(silent)


def _poses() -> Poses:
    rng = np.random.default_rng(0)
    return Poses(
        source=np.array(["a.mp4"] * 3),
        frame=np.arange(3),
        time=np.arange(3) / 25,
        person=np.zeros(3, np.int64),
        box=np.full((3, 3), 50.0),
        image_size=np.full((3, 2), 100),
        keypoints_2d=rng.uniform(0, 100, (3, 16, 2)),
        confidence=np.ones((3, 16)),
        keypoints_3d=rng.uniform(-900, 900, (3, 17, 3)),
        skeleton_2d=MPII_16.name,
        skeleton_3d=H36M_17.name,
    )


def _write_poses(folder: Path) -> Path:
    write_poses(folder / "poses.npz", _poses())
    return folder / "poses.npz"


def _write_pose_json(folder: Path) -> Path:
    write_pose_json(folder / "poses.json", _poses())
    return folder / "poses.json"


def _write_text(name: str, text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return write


def _write_acclaim(folder: Path) -> Path:
    (folder / "a.asf").write_text(ASF)
    (folder / "a.amc").write_text(AMC)
    return folder / "a.amc"


def _write_store(folder: Path) -> Path:
    clips = [np.random.default_rng(c).uniform(-900, 900, (4 + c, 17, 3)) for c in range(2)]
    valid = [np.zeros(17, np.uint8)] * 2
    names = ["a", "b"]
    store = make_store(clips, names, names, ["s1", "s2"], names, [100.0] * 2, valid)
    write_store(folder / "a.npz", store)
    return folder / "a.npz"


def _write_matlab(folder: Path) -> Path:
    write_matlab(folder / "a.mat", {"joints": np.ones((3, 14, 2)), "names": np.array(["a", "b"])})
    return folder / "a.mat"


def _write_weights(bits: Literal[32, 8]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        metadata = {"kind": "toy", "architecture": {"width": 4}, "mean": [0.5, 0.5, 0.5]}
        save_weights(folder / "a.safetensors", make_model(4).state_dict(), metadata, bits)
        return folder / "a.safetensors"

    return write


def _write_checkpoint(folder: Path) -> Path:
    model = make_model(4)
    optimizer = torch.optim.Adam(model.parameters())
    checkpoint_fn(model, optimizer, TrainingState(metadata={"kind": "toy"}), folder, True)
    return folder / "last.ckpt"


def _read_checkpoint(path: Path) -> None:
    read_weights(path)
    model = make_model(4)
    load_fn(model, torch.optim.Adam(model.parameters()), path)


def _write_foreign(legacy: bool) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        content = {"state_dict": make_model(4).state_dict(), "epoch": 3, "best": [0.5, "x"]}
        path = folder / "a.pth.tar"
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        return path

    return write


def _read_foreign(path: Path) -> None:
    foreign_weights(read_foreign(path), path)


def _write_objects(folder: Path) -> Path:
    content = {"S1": {"Walking": np.ones((3, 32, 3))}}
    np.savez(folder / "a.npz", positions_3d=content)  # pyright: ignore[reportArgumentType]
    return folder / "a.npz"


READERS = {
    **{f"picture {s}": Reader(_picture(s), _read_picture, (AS_BYTES,)) for s in ("jpg", "png")},
    **{f"picture {s}": Reader(_picture(s), _read_picture, (AS_BYTES,)) for s in ("webp", "tif")},
    **{f"film {s}": Reader(_film(s), _read_film, (AS_BYTES,)) for s in ("mp4", "mkv", "avi")},
    **{f"sound {s}": Reader(_spoken(s), _copy_sound, (AS_BYTES,)) for s in ("mp4", "avi")},
    "pose file": Reader(_write_poses, read_poses, (AS_BYTES, AS_NPZ)),
    "pose json": Reader(_write_pose_json, read_pose_json, (AS_TEXT, AS_JSON)),
    "bvh": Reader(
        _write_text("a.bvh", BVH), lambda path: forward_kinematics(read_bvh(path)), (AS_TEXT,)
    ),
    "asf": Reader(_write_text("a.asf", ASF), read_asf, (AS_TEXT,)),
    "amc": Reader(
        _write_acclaim,
        lambda path: read_amc(path, read_asf(path.with_suffix(".asf")), 120.0),
        (AS_TEXT,),
    ),
    "joint map": Reader(_write_text("a.toml", MAP), read_joint_map, (AS_TEXT,)),
    "motion store": Reader(
        _write_store, lambda path: resample(read_store(path), 50.0), (AS_BYTES, AS_NPZ)
    ),
    "matlab": Reader(_write_matlab, read_matlab, (AS_BYTES, AS_MATLAB)),
    "weights": Reader(_write_weights(32), load_weights, (AS_BYTES, AS_SAFETENSORS)),
    "weights in 8 bits": Reader(_write_weights(8), load_weights, (AS_BYTES, AS_SAFETENSORS)),
    "checkpoint": Reader(_write_checkpoint, _read_checkpoint, (AS_BYTES, AS_TORCH)),
    "foreign checkpoint": Reader(_write_foreign(False), _read_foreign, (AS_BYTES, AS_TORCH)),
    "old foreign checkpoint": Reader(_write_foreign(True), _read_foreign, (AS_BYTES, AS_TORCH)),
    "foreign npz": Reader(_write_objects, read_foreign, (AS_BYTES, AS_NPZ)),
}
