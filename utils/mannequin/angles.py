"""The joint angles that pose a mannequin: their names, limits and natural spread.

A pose is a row of numbers in the order of `NAMES`: three turns of the whole body, its height above
contact with the floor, then the angles of the joints. Angles are degrees, all zero for a person
who stands upright, arms hanging. Each left angle has a right twin of the same sign: a mirror image
swaps them. Limits follow normal adult ranges of motion (AAOS), widened for dancers and gymnasts.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class Angle(NamedTuple):
    """Limits and natural spread (standard deviation around a key pose), degrees."""

    low: float
    high: float
    spread: float


# Forward, to the left and left-turning are positive. `lift` is millimetres, the only length.
_ROOT = {
    "yaw": Angle(-1e6, 1e6, 0),
    "pitch": Angle(-360, 360, 7),
    "roll": Angle(-360, 360, 6),
    "lift": Angle(0, 1500, 0),
}
_TRUNK = {
    "lumbar_flex": Angle(-30, 45, 6),
    "lumbar_side": Angle(-25, 25, 5),
    "lumbar_twist": Angle(-20, 20, 6),
    "chest_flex": Angle(-25, 45, 6),
    "chest_side": Angle(-25, 25, 5),
    "chest_twist": Angle(-35, 35, 8),
    "neck_flex": Angle(-50, 50, 12),
    "neck_side": Angle(-35, 35, 7),
    "neck_twist": Angle(-70, 70, 20),
}
# The shoulder swings towards `shoulder_direction` (0 sideways, 90 forward) by `shoulder_raise`,
# after the arm is twisted inwards about itself; so none of the three is blocked at rest.
_LIMB = {
    "clavicle_raise": Angle(-8, 35, 5),
    "clavicle_forward": Angle(-20, 25, 5),
    "shoulder_direction": Angle(-60, 140, 16),
    "shoulder_raise": Angle(0, 175, 14),
    "shoulder_twist": Angle(-90, 90, 16),
    "elbow_flex": Angle(0, 150, 16),
    "forearm_twist": Angle(-85, 85, 25),
    "wrist_flex": Angle(-65, 75, 15),
    "wrist_side": Angle(-20, 30, 7),
    "hip_flex": Angle(-35, 135, 10),
    "hip_spread": Angle(-25, 80, 7),
    "hip_twist": Angle(-40, 50, 9),
    "knee_flex": Angle(0, 155, 11),
    "ankle_flex": Angle(-30, 60, 8),
    "ankle_side": Angle(-20, 20, 5),
}
SIDES = ("left", "right")

ANGLES: dict[str, Angle] = {
    **_ROOT,
    **_TRUNK,
    **{f"{side}_{name}": angle for side in SIDES for name, angle in _LIMB.items()},
}
NAMES = tuple(ANGLES)
LIMB_ANGLES = tuple(_LIMB)
ARM_ANGLES = LIMB_ANGLES[: LIMB_ANGLES.index("hip_flex")]
LEG_ANGLES = LIMB_ANGLES[len(ARM_ANGLES) :]
LOW = np.array([a.low for a in ANGLES.values()])
HIGH = np.array([a.high for a in ANGLES.values()])
SPREAD = np.array([a.spread for a in ANGLES.values()])


def columns(*names: str) -> list[int]:
    """Places of angles in a pose row. Raises ValueError for an unknown name."""
    return [NAMES.index(name) for name in names]


def side_columns(side: str, names: tuple[str, ...]) -> list[int]:
    """Places of one side's limb angles."""
    return columns(*(f"{side}_{name}" for name in names))


def pose_row(values: Mapping[str, float]) -> np.ndarray:
    """Pose row (A,) from named values; a limb angle without a side sets both sides.

    A named side outranks the value for both. Raises ValueError for an unknown name or a value
    outside the limits.
    """
    row = np.zeros(len(NAMES))
    both = {k: v for k, v in values.items() if k in _LIMB}
    for name, value in both.items():
        row[columns(f"left_{name}", f"right_{name}")] = value
    for name in values.keys() - both.keys():
        row[NAMES.index(name)] = values[name]
    outside = [
        n for n, v, a in zip(NAMES, row, ANGLES.values(), strict=True) if not a.low <= v <= a.high
    ]
    if outside:
        raise ValueError(f"outside the joint limits: {', '.join(outside)}")
    return row


_MIRROR_ORDER = np.array(
    [
        NAMES.index(
            name.replace("left_", "right_") if "left_" in name else name.replace("right_", "left_")
        )
        for name in NAMES
    ]
)
_MIRROR_SIGN = np.array(
    [
        -1.0
        if name in ("yaw", "roll")
        or (name.startswith(("lumbar_", "chest_", "neck_")) and name.endswith(("_side", "_twist")))
        else 1.0
        for name in NAMES
    ]
)


def mirrored(poses: np.ndarray) -> np.ndarray:
    """Mirror image of pose rows (..., A): left and right change places."""
    return poses[..., _MIRROR_ORDER] * _MIRROR_SIGN


def within_limits(poses: np.ndarray) -> np.ndarray:
    """Pose rows (..., A) with every value moved into its limits."""
    return np.clip(poses, LOW, HIGH)
