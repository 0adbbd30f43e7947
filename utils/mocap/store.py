"""Many clips of Human3.6M poses in memory, and in one small file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from utils.array_files import load_arrays
from utils.atomic import atomic_path
from utils.errors import UserError
from utils.mocap.clips import changed_rate
from utils.skeletons import H36M_17
from utils.subjects import check_subjects

FORMAT_VERSION = 1
MANNEQUIN = "mannequin"
"""Source of clips that no person moved."""
VALIDITY = ("exact", "derived", "invalid")
_INVALID = VALIDITY.index("invalid")
_HIP = H36M_17.index("hip")

# Joints are stored relative to the hip in steps of 0.1 mm, which 16 bits hold up to 3.27 m.
_STEP = 0.1
_REACH = 32767 * _STEP


@dataclass(frozen=True, eq=False)
class MotionStore:
    """C clips of F frames together.

    `positions` (F, 17, 3) float32, Human3.6M-17 joints, mm, y up, right-handed, NaN where the
    source has no such joint; clip c is frames `starts[c]` to `starts[c + 1]` (C + 1,).
    `names`, no two the same in a source, `sources` ("cmu"), `subjects` ("cmu/06") and `actions`
    (C,) strings; `frame_rates` (C,) frames per second; `validity` (C, 17) indices into VALIDITY. An
    "exact" joint is one of the source's own, a "derived" one is computed from them, an "invalid"
    one is not known.

    Raises ValueError when the parts do not fit each other.
    """

    positions: np.ndarray
    starts: np.ndarray
    names: np.ndarray
    sources: np.ndarray
    subjects: np.ndarray
    actions: np.ndarray
    frame_rates: np.ndarray
    validity: np.ndarray

    def __post_init__(self) -> None:
        if amiss := _amiss(self):
            raise ValueError(amiss)

    def __len__(self) -> int:
        return len(self.names)

    def clip(self, c: int) -> np.ndarray:
        """Positions (T, 17, 3) of one clip, mm."""
        return self.positions[self.starts[c] : self.starts[c + 1]]

    def lengths(self) -> np.ndarray:
        """Frames of each clip (C,)."""
        return np.diff(self.starts)

    def full_names(self) -> list[str]:
        """Source and name of each clip, "cmu/06_01"."""
        named = zip(self.sources.tolist(), self.names.tolist(), strict=True)
        return [f"{source}/{name}" for source, name in named]

    def clip_of_frame(self) -> np.ndarray:
        """The clip of each frame (F,)."""
        return np.repeat(np.arange(len(self)), self.lengths())

    def valid_of_frame(self) -> np.ndarray:
        """Which joints of each frame are known (F, 17)."""
        return np.repeat(self.validity != _INVALID, self.lengths(), axis=0)

    def select(self, mask: np.ndarray) -> "MotionStore":
        """The clips for which `mask` (C,) is true."""
        mask = np.asarray(mask, bool)
        if mask.shape != (len(self),):
            raise ValueError(f"the mask has shape {mask.shape} for {len(self)} clips")
        chosen = {f.name: getattr(self, f.name)[mask] for f in fields(self) if f.name in _PER_CLIP}
        positions = self.positions[np.repeat(mask, self.lengths())]
        return MotionStore(positions, _starts(self.lengths()[mask]), **chosen)


_PER_CLIP = ("names", "sources", "subjects", "actions", "frame_rates", "validity")


def _starts(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _amiss(store: MotionStore) -> str:
    """What does not fit, or nothing."""
    clips, joints = len(store.names), len(H36M_17)
    if store.positions.dtype != np.float32 or store.positions.shape[1:] != (joints, 3):
        return "positions must be (F, 17, 3) float32"
    shapes = dict.fromkeys(_PER_CLIP[:-1], (clips,)) | {"validity": (clips, joints)}
    for name, shape in (shapes | {"starts": (clips + 1,)}).items():
        if getattr(store, name).shape != shape:
            return f"{name} must have shape {shape}"
    full_names = store.full_names()
    if len(set(full_names)) < clips:
        return f"two clips are called {Counter(full_names).most_common(1)[0][0]}"
    starts = store.starts
    if starts[0] != 0 or starts[-1] != len(store.positions) or (np.diff(starts) < 1).any():
        return "starts must rise from 0 to the number of frames"
    if clips and store.validity.max() > _INVALID:
        return "validity must be 0, 1 or 2"
    if not (np.isfinite(store.frame_rates) & (store.frame_rates > 0)).all():
        return "frame rates must be positive"
    finite = np.isfinite(store.positions).all(axis=-1)
    if (finite != store.valid_of_frame()).any():
        return "positions must be numbers for valid joints and NaN for invalid ones"
    if clips and (store.validity[:, _HIP] == _INVALID).any():
        return "the hip must be valid"
    return ""


def make_store(
    clips: Sequence[np.ndarray],
    names: Sequence[str],
    sources: Sequence[str],
    subjects: Sequence[str],
    actions: Sequence[str],
    frame_rates: Sequence[float],
    validity: Sequence[np.ndarray],
) -> MotionStore:
    """Put clips (T, 17, 3), mm, and what is known of each together."""
    joints = len(H36M_17)
    positions = np.concatenate([np.zeros((0, joints, 3)), *clips]).astype(np.float32)
    flags = np.array(validity, np.uint8).reshape(len(clips), joints)
    return MotionStore(
        positions,
        _starts([len(clip) for clip in clips]),
        np.array(names, np.str_),
        np.array(sources, np.str_),
        np.array(subjects, np.str_),
        np.array(actions, np.str_),
        np.array(frame_rates, np.float64),
        flags,
    )


def join_stores(stores: Sequence[MotionStore]) -> MotionStore:
    """One store with the clips of all, in order."""
    parts = {n: np.concatenate([getattr(s, n) for s in stores]) for n in _PER_CLIP}
    lengths = np.concatenate([store.lengths() for store in stores])
    return MotionStore(np.concatenate([s.positions for s in stores]), _starts(lengths), **parts)


def resample(store: MotionStore, frame_rate: float) -> MotionStore:
    """The same motion at another frame rate; faster than a clip's own is interpolated, too."""
    clips = [
        changed_rate(store.clip(c), float(rate), frame_rate)
        for c, rate in enumerate(store.frame_rates)
    ]
    rates = np.full(len(store), float(frame_rate))
    positions = np.concatenate([store.positions[:0], *clips])
    starts = _starts([len(clip) for clip in clips])
    return replace(store, positions=positions, starts=starts, frame_rates=rates)


def check_reach(clip: np.ndarray, name: str) -> None:
    """Raises UserError, naming the clip (T, 17, 3), if a joint is further than 3.2 m from the hip,
    where a store cannot hold it."""
    hips = clip[:, [_HIP]]
    if not np.isfinite(hips).all() or np.nanmax(np.abs(clip - hips), initial=0) > _REACH:
        raise UserError(
            f"{name}: a joint is more than {_REACH / 1000:.1f} m from the hip; is the unit of the "
            "joint map right?"
        )


def write_store(path: str | Path, store: MotionStore, folder: str = "") -> None:
    """Write a store as `.npz`: joints to 0.05 mm, the hip as float32.

    folder: full path of what it was made from, which `folder_of_store` tells; "" if from none.
    Raises UserError if the file cannot be written, or a joint is further than 3.2 m from the hip.
    """
    for c, name in enumerate(store.names.tolist()):
        check_reach(store.clip(c), name)
    hips = store.positions[:, _HIP]
    relative = np.nan_to_num(store.positions - hips[:, None])
    steps = np.rint(relative / _STEP).astype(np.int16)
    # Differences between frames are small, and pack better. They wrap around, as their sums do.
    changes = np.diff(steps, axis=0, prepend=np.zeros_like(steps[:1]))
    arrays = {name: getattr(store, name) for name in ("starts", *_PER_CLIP)}
    arrays |= {"folder": np.array(folder), "hips": hips, "joint_changes": changes}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, format_version=FORMAT_VERSION, **arrays)


def folder_of_store(path: str | Path) -> str:
    """The folder that a store was made from, "" if its file does not say. Raises UserError for a
    damaged file."""
    return str(load_arrays(path, "motion store").get("folder", ""))


def read_store(path: str | Path) -> MotionStore:
    """Read what `write_store` wrote. Raises UserError, naming the file, for anything else."""
    if not Path(path).is_file():
        raise UserError(
            f"{path} is not there; `python data/prepare.py mocap FOLDER --output {path}` makes a "
            "motion store from a folder of motion capture"
        )
    arrays = load_arrays(path, "motion store")
    try:
        return _unpacked(arrays)
    except KeyError as error:
        raise UserError(f"{path} is not a motion store: it lacks {error}") from error
    except (ValueError, TypeError, IndexError) as error:
        raise UserError(
            f"{path} is not a whole motion store: {error}; `python data/prepare.py mocap FOLDER "
            f"--output {path}` makes it anew"
        ) from error


def read_stores(paths: Sequence[Path]) -> MotionStore:
    """The clips of several files, in order. Raises UserError as `read_store` does, and if two files
    have a clip of the same source and name."""
    stores = [read_store(path) for path in paths]
    first: dict[str, Path] = {}
    for path, store in zip(paths, stores, strict=True):
        for name in store.full_names():
            if name in first:
                raise UserError(
                    f"{first[name]} and {path} both have a clip {name}: move one of them away if "
                    "they hold the same motion, else prepare it again with another --source"
                )
        first |= dict.fromkeys(store.full_names(), path)
    return join_stores(stores)


def of_people(store: MotionStore) -> MotionStore:
    """The clips of people where there are any: without the mannequins that `data/prepare.py
    mannequin` puts beside them, for who learns how people move."""
    people = np.asarray(store.sources != MANNEQUIN)
    return store.select(people) if people.any() else store


def _unpacked(arrays: dict[str, np.ndarray]) -> MotionStore:
    if arrays["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format version {arrays['format_version']}, not {FORMAT_VERSION}")
    wanted = {"hips": "f", "joint_changes": "i", "starts": "i", "frame_rates": "f", "validity": "u"}
    for name in (*wanted, *_PER_CLIP):
        if arrays[name].dtype.kind != wanted.get(name, "U"):
            raise ValueError(f"{name} holds {arrays[name].dtype}")
    hips, changes = arrays["hips"], arrays["joint_changes"]
    if changes.dtype != np.int16 or changes.shape != (len(hips), len(H36M_17), 3):
        raise ValueError(f"joint_changes has shape {changes.shape}")
    steps = np.cumsum(changes, axis=0, dtype=np.int16)
    positions = steps * np.float32(_STEP) + hips[:, None].astype(np.float32)
    lengths = np.diff(arrays["starts"])
    if (lengths < 1).any() or lengths.sum() != len(hips) or len(lengths) != len(arrays["validity"]):
        raise ValueError("starts do not fit the number of frames and clips")
    positions[np.repeat(arrays["validity"] == _INVALID, lengths, axis=0)] = np.nan
    return MotionStore(positions, arrays["starts"], **{n: arrays[n] for n in _PER_CLIP})


def in_split(subjects: np.ndarray, data: Any, split: str) -> np.ndarray:
    """Which of `subjects` (N,) belong to the split "train", "val" or "test", (N,) bool.

    data: options with train_subjects, val_subjects and test_subjects; nobody who trains means
    everybody else. Raises UserError if none is there, or if somebody who is named is not.
    """
    check_subjects(
        subjects.tolist(),
        training=data.train_subjects,
        validation=data.val_subjects,
        test=data.test_subjects,
    )
    if split == "train" and not data.train_subjects:
        mask = ~np.isin(subjects, [*data.val_subjects, *data.test_subjects])
    else:
        mask = np.isin(subjects, getattr(data, f"{split}_subjects"))
    if not mask.any():
        there = ", ".join(np.unique(subjects)[:12])
        raise UserError(f"none of the --{split}_subjects is in the data, which has {there}")
    return mask
