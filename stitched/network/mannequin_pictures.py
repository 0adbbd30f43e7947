"""Rendered mannequins with 2D and 3D poses, rendered once and kept in .cache/.

Rendering takes as long as training on a picture does; pictures are kept as WebP, about 10 kB each.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stacked_hourglass.pack import encode
from stacked_hourglass.person_table import Picture, decode_annotated
from stitched.network.data import PicturedPairs
from twod_threed.pairs import PosePairs
from utils import dataset_statistics, mannequin
from utils.processes import over_processes
from utils.skeletons import H36M_17

VERSION = 1
QUALITY = 80
# Fewer pictures than this are rendered here: starting processes would take longer.
WORTH_PROCESSES = 100
# Far from the seeds that people choose, so that nobody trains on pictures that validate or test.
SPLIT_SEEDS = {"train": 0, "val": 1_000_003, "test": 2_000_003}


@dataclass(frozen=True)
class EncodedPictures:
    """Pictures in memory, decoded when asked for."""

    crops: np.ndarray = field(repr=False)
    """(bytes,) uint8, encoded pictures end to end"""
    offsets: np.ndarray = field(repr=False)
    """(P + 1,) where each begins, and the end"""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def name(self, index: int) -> str:
        """For messages."""
        return f"mannequin/{index}"

    def read(self, index: int) -> Picture:
        """Decode one."""
        data = self.crops[self.offsets[index] : self.offsets[index + 1]]
        return Picture(decode_annotated(data, self.name(index)))

    def cache_parts(self, indices: np.ndarray) -> tuple[list[Path], dict[str, Any]]:
        """No file: the bytes themselves; see `Pictures`."""
        return [], {"bytes": int(self.offsets[-1]), "indices": len(indices)}


class Rendered(NamedTuple):
    """One encoded picture; joints in px and, in the camera frame, mm; the camera."""

    picture: bytes
    poses_2d: np.ndarray
    poses_3d: np.ndarray
    intrinsics: np.ndarray
    rotation: np.ndarray
    position: np.ndarray
    image_size: tuple[int, int]


def mannequin_pictures(split: str, count: int, seed: int) -> PicturedPairs:
    """`count` people of a split ("train", "val" or "test"), in a picture each, with 3D poses.

    The same for the same numbers and seed. Joints that the picture does not show are there as well.
    """
    first = seed + SPLIT_SEEDS[split]
    code = sorted(Path(mannequin.__file__).parent.glob("*.*"))
    options = {"count": count, "seed": first}
    key = dataset_statistics.cache_key("mannequin_pictures", code, options, VERSION)
    arrays = dataset_statistics.cached(key, partial(_render_all, first, count, split))
    return PicturedPairs(
        _pairs(split, arrays), EncodedPictures(arrays["pictures"], arrays["offsets"])
    )


def _render_all(seed: int, count: int, split: str) -> dict[str, np.ndarray]:
    if count >= WORTH_PROCESSES:
        # At once, even into a file: it may take minutes, and only a terminal gets a bar.
        print(f"renders {count} mannequins ({split}), once: .cache/ keeps them", flush=True)
    render = partial(_render, seed)
    samples = over_processes(render, count, f"mannequins to {split}", WORTH_PROCESSES)
    pictures, *columns = zip(*samples, strict=True)
    names = Rendered._fields[1:]
    arrays = {name: np.stack(column) for name, column in zip(names, columns, strict=True)}
    arrays["pictures"] = np.frombuffer(b"".join(pictures), np.uint8)
    arrays["offsets"] = np.cumsum([0, *map(len, pictures)])
    return arrays


def _render(seed: int, index: int) -> Rendered:
    sample = mannequin.render_sample(seed, index)
    person, camera = sample.people[0], sample.camera
    return Rendered(
        encode(sample.image, QUALITY),
        person.keypoints_2d_mpii.astype(np.float32),
        person.keypoints_3d_h36m.astype(np.float32),
        camera.intrinsics,
        camera.rotation,
        camera.position,
        camera.image_size,
    )


def _pairs(split: str, arrays: dict[str, np.ndarray]) -> PosePairs:
    """Each picture is a clip of its own, with a camera and a body of its own."""
    count = len(arrays["poses_3d"])
    numbers = np.arange(count)
    names = np.array([f"mannequin/{split}{number}" for number in numbers])
    return PosePairs(
        poses_3d=arrays["poses_3d"],
        valid=np.ones((count, len(H36M_17)), np.bool_),
        poses_2d=arrays["poses_2d"],
        camera=numbers,
        clip=numbers,
        frame=np.zeros(count, np.int64),
        intrinsics=arrays["intrinsics"],
        distortion=np.zeros((count, 5)),
        image_size=arrays["image_size"],
        rotation=arrays["rotation"],
        position=arrays["position"],
        camera_names=np.full(count, "0"),
        clip_names=names,
        clip_sources=np.full(count, "mannequin"),
        clip_subjects=names,
        clip_actions=np.full(count, "still"),
        frame_rates=np.full(count, np.nan),
        up=np.array([0.0, 1.0, 0.0]),
    )
