"""What every layout of Human3.6M has in common: its people, actions, takes and terms.

Each of seven people does each of fifteen actions twice. A take is called after its action, the
second one with a number behind it ("Directions", "Directions 1"); its four cameras film at 50
frames per second. World axes: mm, z up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.cameras import Camera
from utils.errors import UserError
from utils.skeletons import H36M_17, H36M_32, Skeleton

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
SUBJECTS = (*TRAIN_SUBJECTS, *TEST_SUBJECTS)
ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing"),
    *("Purchases", "Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking"),
    "WalkTogether",
)
# The download calls two actions differently for some people.
_OTHER_NAMES = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog"}
FRAME_RATE = 50.0
LARGEST = 1e7
"""mm or px: beyond any place in a room or picture."""
UP = (0.0, 0.0, 1.0)

# The film of this take is damaged. VideoPose3D leaves it out, 3d-pose-baseline keeps it.
DAMAGED = ("S11", "Directions")

_LAYOUTS = (
    "data_3d_h36m.npz as VideoPose3D makes it, "
    "S1/MyPoses/3D_positions/Directions.h5 ... as 3d-pose-baseline has them, "
    "or S1/MyPoseFeatures/D3_Positions/Directions.cdf ... as downloaded"
)


@dataclass(frozen=True)
class Wanted:
    """Which people and actions to read. Raises UserError for a name that does not exist."""

    subjects: Sequence[str] = SUBJECTS
    actions: Sequence[str] = ACTIONS

    def __post_init__(self) -> None:
        for names, known, what in (
            (self.subjects, SUBJECTS, "subject"),
            (self.actions, ACTIONS, "action"),
        ):
            for name in names:
                if name not in known:
                    options = ", ".join(known)
                    raise UserError(f"Human3.6M has no {what} {name}; there are {options}")
            if not names or len(set(names)) < len(names):
                raise UserError(f"Human3.6M: name every {what} once, and at least one")

    def take(self, name: str) -> str | None:
        """The usual name of a take if its action is wanted, None if it is not.

        Names are compared as whole words: "Sitting" is not "SittingDown".
        """
        parts = re.fullmatch(r"([A-Za-z]+)(?:[ _](\d+))?", name)
        if parts is None:
            return None
        word, number = parts.groups()
        action = _OTHER_NAMES.get(word, word)
        usual = action if number is None else f"{action} {number}"
        return usual if action in self.actions else None


@dataclass(frozen=True)
class Take:
    """One person's take: `world` (T, 17, 3) mm, Human3.6M-17, and the cameras that filmed it.

    `keypoints`: for each camera what was found in its pictures, (T, J, 2) px, in the joints of
    `skeleton`; None for projections of the 3D joints.
    """

    subject: str
    name: str
    world: np.ndarray
    cameras: tuple[Camera, ...]
    keypoints: tuple[np.ndarray, ...] | None = None
    skeleton: Skeleton = H36M_17

    @property
    def action(self) -> str:
        """One of ACTIONS."""
        return self.name.split(" ")[0]


def of_32(positions: np.ndarray) -> np.ndarray:
    """The joints of Human3.6M-17 from all 32 slots of the files: (..., 32, D) -> (..., 17, D)."""
    return positions[..., H36M_32.indices(*H36M_17.joints), :]


def positions_of(values: np.ndarray, path: Path, axes: int = 3) -> np.ndarray:
    """(T, 32 * axes) numbers of a file -> (T, 17, axes).

    Raises UserError naming the file if they are of another shape, not finite or beyond `LARGEST`.
    """
    count = len(H36M_32) * axes
    if values.ndim != 2 or values.shape[1] != count or len(values) == 0:
        raise UserError(f"{path} has frames of shape {values.shape}, not (any number, {count})")
    # NaN is larger than nothing.
    if values.dtype.kind not in "fiu" or not (np.abs(values) < LARGEST).all():
        raise UserError(f"{path} holds positions that are no sensible numbers")
    return of_32(values.reshape(len(values), len(H36M_32), axes).astype(np.float64))


def absent(folder: str | Path, reason: str = "") -> UserError:
    """The error where Human3.6M is not in `folder`: what, where from, layout, alternatives."""
    if not Path(folder).exists():
        reason = "there is no such folder"
    return UserError(
        f"Human3.6M is not in {folder}: {reason or 'no layout of it is there'}; "
        f"get it from http://vision.imar.ro/human3.6m and lay it out with {_LAYOUTS} "
        f"(`python data/prepare.py h36m --data_dir {folder}` makes one file of it); "
        "2d3d_mannequin and temporal_mannequin need no data"
    )
