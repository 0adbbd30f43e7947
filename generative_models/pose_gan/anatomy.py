"""What a body can do: lengths of bones, angles of joints, left beside right, real people's ranges.

All of it is the same wherever a pose stands, whichever way it faces and however large it is drawn,
except for lengths, which are in the unit of the poses: mm, in Human3.6M-17.
"""

from dataclasses import dataclass

import numpy as np

from utils.skeletons import H36M_17

TAIL = 0.0005
"""Share of real people's poses that a range leaves out at either end, against jumps in the data."""

BONES: tuple[tuple[str, str], ...] = tuple(
    (H36M_17.joints[parent], H36M_17.joints[child]) for parent, child in H36M_17.bones
)
MIDDLE_ANGLES = ("spine", "neck", "head", "twist")
SIDE_ANGLES = (
    "knee",
    "knee_forwards",
    "elbow",
    "hip",
    "hip_forwards",
    "hip_outwards",
    "shoulder",
    "shoulder_forwards",
    "shoulder_outwards",
)
ANGLES = (
    *MIDDLE_ANGLES,
    *(f"{side}_{name}" for side in ("left", "right") for name in SIDE_ANGLES),
)
"""Names of what `joint_angles` gives, in order."""

_STARTS, _ENDS = (list(places) for places in zip(*H36M_17.bones, strict=True))


@dataclass(frozen=True)
class Ranges:
    """What real people's poses span: low and high (B,) of values that go by `names`."""

    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which poses, values (N, B), are inside in everything: (N,) bool. NaN is outside."""
        return np.all((values >= self.low) & (values <= self.high), axis=1)


@dataclass(frozen=True)
class _Frame:
    """Axes (N, 3) of length 1: the person's left, up along the trunk, and forwards."""

    left: np.ndarray
    up: np.ndarray
    forwards: np.ndarray


def bone_lengths(poses: np.ndarray) -> np.ndarray:
    """Poses (N, 17, 3) mm -> lengths of BONES, mm: (N, 16)."""
    return np.linalg.norm(poses[:, _ENDS] - poses[:, _STARTS], axis=-1)


def joint_angles(poses: np.ndarray) -> np.ndarray:
    """Poses (N, 17, 3) in a right-handed frame -> ANGLES, degrees: (N, 22).

    spine, neck, head, knee, elbow: between the bones above and below, 0 where they are in line.
    hip, shoulder: between thigh or upper arm and the trunk downwards, 0 hanging, 180 straight up.
    ..._forwards, ..._outwards: how far the thigh or upper arm rises out of the plane to the front
    or the outside, -90 to 90. knee_forwards: the same of the shin, measured from the thigh: knees
    do not bend forwards. twist: of the line of the shoulders against that of the hips. NaN where
    bones have no length.
    """
    hips, shoulders = _frame(poses, "hip"), _frame(poses, "shoulder")
    spine, chest = _bone(poses, "hip", "spine"), _bone(poses, "spine", "thorax")
    neck, head = _bone(poses, "thorax", "neck_nose"), _bone(poses, "neck_nose", "head")
    angles = [_between(spine, chest), _between(chest, neck), _between(neck, head)]
    angles.append(_between(hips.left, shoulders.left))
    for side in ("left", "right"):
        thigh = _bone(poses, f"{side}_hip", f"{side}_knee")
        shin = _bone(poses, f"{side}_knee", f"{side}_ankle")
        upper = _bone(poses, f"{side}_shoulder", f"{side}_elbow")
        lower = _bone(poses, f"{side}_elbow", f"{side}_wrist")
        front_of_thigh = _unit(np.cross(hips.left, -thigh))
        angles += [_between(thigh, shin), _rise(shin, front_of_thigh), _between(upper, lower)]
        angles += [*_swing(thigh, hips, side), *_swing(upper, shoulders, side)]
    return np.stack(angles, axis=1)


def asymmetry(poses: np.ndarray) -> np.ndarray:
    """Poses (N, 17, 3) -> by how much left bones differ from right ones, per cent of their mean,
    averaged over the six pairs of limbs' and shoulders' and hips' bones: (N,)."""
    lengths = bone_lengths(poses)
    pairs = [
        (place, BONES.index((start.replace("left", "right"), end.replace("left", "right"))))
        for place, (start, end) in enumerate(BONES)
        if end.startswith("left")
    ]
    left, right = lengths[:, [a for a, _ in pairs]], lengths[:, [b for _, b in pairs]]
    return (100 * np.abs(left - right) / ((left + right) / 2)).mean(axis=1)


def length_ranges(poses: np.ndarray) -> Ranges:
    """What bone lengths of real people, poses (N, 17, 3) mm, span; both sides get one range."""
    return _ranges(tuple(end for _, end in BONES), bone_lengths(poses))


def angle_ranges(poses: np.ndarray) -> Ranges:
    """What joint angles of real people, poses (N, 17, 3), span; both sides get one range."""
    return _ranges(ANGLES, joint_angles(poses))


def _ranges(names: tuple[str, ...], values: np.ndarray) -> Ranges:
    """Quantiles of values (N, B), left and right ones of a name taken together."""
    mirror = [names.index(_mirrored(name)) for name in names]
    low, high = np.quantile(np.concatenate([values, values[:, mirror]]), [TAIL, 1 - TAIL], axis=0)
    return Ranges(names, low, high)


def _mirrored(name: str) -> str:
    if name.startswith("left_"):
        return name.replace("left_", "right_")
    return name.replace("right_", "left_")


def _bone(poses: np.ndarray, start: str, end: str) -> np.ndarray:
    """Unit vectors (N, 3) from one joint to another."""
    return _unit(poses[:, H36M_17.index(end)] - poses[:, H36M_17.index(start)])


def _frame(poses: np.ndarray, joint: str) -> _Frame:
    """The trunk's axes, its left along the line of the hips or shoulders."""
    left = _bone(poses, f"right_{joint}", f"left_{joint}")
    trunk = _bone(poses, "hip", "thorax")
    up = _unit(trunk - (trunk * left).sum(axis=1, keepdims=True) * left)
    return _Frame(left, up, np.cross(left, up))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, 3) of length 1; NaN for those without length."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, lengths, out=np.full_like(vectors, np.nan), where=lengths > 0)


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles between unit vectors (N, 3), degrees (N,), exact also for small ones."""
    across = np.linalg.norm(np.cross(first, second), axis=1)
    return np.degrees(np.arctan2(across, (first * second).sum(axis=1)))


def _rise(bone: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Angles of unit vectors (N, 3) out of the plane that an axis is perpendicular to, degrees."""
    return np.degrees(np.arcsin((bone * axis).sum(axis=1).clip(-1, 1)))


def _swing(bone: np.ndarray, frame: _Frame, side: str) -> list[np.ndarray]:
    """Angle to the trunk, forwards and outwards, of a thigh or upper arm."""
    outwards = frame.left if side == "left" else -frame.left
    return [_between(bone, -frame.up), _rise(bone, frame.forwards), _rise(bone, outwards)]
