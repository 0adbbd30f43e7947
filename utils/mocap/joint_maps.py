"""How the joints of Human3.6M are made from those of a source: built-in maps, and maps of users.

A map is a small TOML file; `maps/README.md` describes it, and the built-in ones lie beside that.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from utils.errors import UserError
from utils.mocap.bvh import LARGEST
from utils.mocap.kinematics import Armature, Motion, forward_kinematics, turn
from utils.mocap.store import VALIDITY
from utils.skeletons import H36M_17

_FOLDER = Path(__file__).parent / "maps"
_KEYS = {"source", "unit", "up", "skip_frames", "joints", "points", "bones"}
# Rows: what x, y (up) and z of our world are in the axes of a file. Each is a rotation.
_UP = {
    "x": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], float),
    "y": np.eye(3),
    "z": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float),
}


@dataclass(frozen=True)
class JointMap:
    """From a source's joints to Human3.6M-17.

    `joints`: Human3.6M joint -> {source joint or point: weight}, weights adding up to 1;
    `validity` (17,) indices into VALIDITY. `points`: name -> (joint, offset (3,) in mm along the
    axes of the rest pose), places that move with a joint. `bones`: joint -> (other joint, factor),
    bones that the files lack: the joint's offset becomes the other's times the factor.
    `unit`: mm of one unit of the file; `up`: the file's upward axis; `skip_frames`: how many
    frames at the start of a clip are no motion.
    """

    source: str
    unit: float
    up: str
    skip_frames: int
    joints: dict[str, dict[str, float]]
    validity: np.ndarray
    points: dict[str, tuple[str, np.ndarray]]
    bones: dict[str, tuple[str, float]]

    def needs(self) -> set[str]:
        """Joints that a source must have."""
        named = {name for weights in self.joints.values() for name in weights}
        carriers = {joint for joint, _ in self.points.values()}
        lengthened = set(self.bones) | {other for other, _ in self.bones.values()}
        return (named - self.points.keys()) | carriers | lengthened


def read_joint_map(path: str | Path) -> JointMap:
    """Read a map. Raises UserError, naming the file, for anything that does not make sense."""
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a joint map: {error}") from error
    try:
        return _joint_map(table, path.stem)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{path}: {error}") from error


def built_in_map(name: str) -> JointMap:
    """A map that comes with the project, by name."""
    return _built_in()[name]


@cache
def _built_in() -> dict[str, JointMap]:
    return {path.stem: read_joint_map(path) for path in sorted(_FOLDER.glob("*.toml"))}


def find_joint_map(names: Collection[str], path: str | Path) -> JointMap:
    """The built-in map for a motion file with these joints. Raises UserError if there is none."""
    for name in ("cmu", "hdm05", "bandai"):
        if built_in_map(name).needs() <= set(names):
            return built_in_map(name)
    raise UserError(
        f"{path} has a skeleton that is not known; give --joint_map for its joints: "
        + " ".join(names)
    )


def find_points_map(source: str, path: str | Path) -> JointMap:
    """The built-in map for joint positions of this data set. Raises UserError if there is none."""
    if f"{source}_points" in _built_in():
        return built_in_map(f"{source}_points")
    raise UserError(
        f"{path}: the places of {source or 'its'} joints are not known; give --joint_map with a "
        ".toml file whose source joints have the names of Human3.6M's"
    )


def choose_joint_map(name: str) -> JointMap:
    """A map by the name of a built-in one or by its file."""
    if name in _built_in():
        return built_in_map(name)
    if not name.endswith(".toml"):
        raise UserError(f"--joint_map {name}: a .toml file, or one of {', '.join(_built_in())}")
    return read_joint_map(name)


def _joint_map(table: dict[str, Any], stem: str) -> JointMap:
    if unknown := table.keys() - _KEYS:
        raise ValueError(f"{', '.join(sorted(unknown))} is not known; there are {sorted(_KEYS)}")
    up = table.get("up", "y")
    if up not in _UP:
        raise ValueError(f'up must be "x", "y" or "z", not {up!r}')
    skip = table.get("skip_frames", 0)
    if not isinstance(skip, int) or skip < 0:
        raise ValueError(f"skip_frames must be a number of frames, not {skip!r}")
    joints, validity = _joints(table.get("joints"))
    return JointMap(
        str(table.get("source", stem)),
        _number(table.get("unit", 1.0), "unit", positive=True),
        up,
        skip,
        joints,
        validity,
        {name: _point(name, value) for name, value in _table(table, "points").items()},
        {name: _bone(name, value) for name, value in _table(table, "bones").items()},
    )


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be a table")
    return value


def _number(value: Any, what: str, positive: bool = False) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
    if not good or (positive and value <= 0):
        kind = f"{'positive ' * positive}number below {LARGEST:g}"
        raise ValueError(f"{what} must be a {kind}, not {value!r}")
    return float(value)


def _joints(table: Any) -> tuple[dict[str, dict[str, float]], np.ndarray]:
    if not isinstance(table, dict):
        raise ValueError("it has no [joints]")
    if unknown := table.keys() - set(H36M_17.joints):
        raise ValueError(f"{sorted(unknown)[0]} is not a joint of Human3.6M: {H36M_17.joints}")
    joints: dict[str, dict[str, float]] = {}
    validity = np.full(len(H36M_17), VALIDITY.index("invalid"), np.uint8)
    for joint, value in table.items():
        joints[joint] = _weights(joint, value)
        known = VALIDITY.index("exact" if isinstance(value, str) else "derived")
        validity[H36M_17.index(joint)] = known
    if "hip" not in joints:
        raise ValueError("the hip must be among [joints]")
    return joints, validity


def _weights(joint: str, value: Any) -> dict[str, float]:
    """A joint of the source by its name, or the sum of several."""
    if isinstance(value, str):
        return {value: 1.0}
    if not isinstance(value, dict) or not value:
        raise ValueError(f"{joint} must be a joint's name, or weights by name")
    weights = {name: _number(w, f"weight of {name} in {joint}") for name, w in value.items()}
    if abs(sum(weights.values()) - 1) > 1e-6:
        raise ValueError(f"the weights of {joint} add up to {sum(weights.values()):g}, not to 1")
    return weights


def _point(name: str, value: Any) -> tuple[str, np.ndarray]:
    match value:
        case {"joint": str(joint), "offset": [x, y, z]} if len(value) == 2:
            return joint, np.array([_number(v, f"offset of {name}") for v in (x, y, z)])
    raise ValueError(f'point {name} must be {{ joint = "...", offset = [x, y, z] }}')


def _bone(name: str, value: Any) -> tuple[str, float]:
    match value:
        case {"like": str(other), "factor": factor} if len(value) == 2:
            return other, _number(factor, f"factor of {name}")
    raise ValueError(f'bone {name} must be {{ like = "...", factor = ... }}')


def h36m_poses(motion: Motion, joint_map: JointMap, path: str | Path) -> np.ndarray:
    """Human3.6M-17 joints (F, 17, 3) float32, mm, y up, of a BVH or AMC clip; invalid ones NaN.

    Raises UserError if the clip's skeleton lacks a joint of the map.
    """
    _check_joints(joint_map.needs(), motion.armature.names, path)
    motion = motion.from_frame(joint_map.skip_frames)
    posed = forward_kinematics(replace(motion, armature=_with_bones(motion.armature, joint_map)))
    places = {name: place * joint_map.unit for name, place in posed.places.items()}
    points = {
        name: places[joint] + turn(posed.rotations[joint], offset)
        for name, (joint, offset) in joint_map.points.items()
    }
    return _mapped(places | points, joint_map, motion.frame_count)


def h36m_poses_of_points(
    positions: Mapping[str, np.ndarray], joint_map: JointMap, path: str | Path
) -> np.ndarray:
    """Human3.6M-17 joints (F, 17, 3) as `h36m_poses` gives them, from places (F, 3) by name.

    Raises UserError if a joint of the map is lacking, or the map needs bones or rotations.
    """
    if joint_map.points or joint_map.bones:
        raise UserError(f"{path} holds no rotations; points and bones of a joint map need them")
    _check_joints(joint_map.needs(), positions, path)
    places = {name: place * joint_map.unit for name, place in positions.items()}
    count = len(next(iter(places.values())))
    skipped = {name: place[joint_map.skip_frames :] for name, place in places.items()}
    return _mapped(skipped, joint_map, max(count - joint_map.skip_frames, 0))


def _check_joints(needed: set[str], names: Collection[str], path: str | Path) -> None:
    if missing := sorted(needed - set(names)):
        raise UserError(f"{path} has no {missing[0]}, which the joint map names")


def _with_bones(armature: Armature, joint_map: JointMap) -> Armature:
    offsets = armature.offsets.copy()
    for name, (other, factor) in joint_map.bones.items():
        joint, like = armature.names.index(name), armature.names.index(other)
        offsets[joint] = armature.offsets[like] * factor
    return replace(armature, offsets=offsets)


def _mapped(places: Mapping[str, np.ndarray], joint_map: JointMap, count: int) -> np.ndarray:
    poses = np.full((count, len(H36M_17), 3), np.nan)
    for joint, weights in joint_map.joints.items():
        total = sum(places[name] * weight for name, weight in weights.items())
        poses[:, H36M_17.index(joint)] = total @ _UP[joint_map.up].T
    return poses.astype(np.float32)
