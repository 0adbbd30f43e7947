"""Skeletons of motion files, and where their joints are once the bones are turned."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Armature:
    """The skeleton of one file: J joints, each parent before its children.

    `parents` (J,), -1 for the root; `offsets` (J, 3) from the parent, in the rest pose's axes, in
    units of the file. BVH names the joint at which a bone starts, so that its offset turns with
    its parent; Acclaim (ASF) names the bone, whose end turns with itself: `turns_itself`.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    turns_itself: bool = False


@dataclass(frozen=True)
class Motion:
    """A clip of F frames as a file holds it.

    `rotations`: per joint (F, 3, 3) within its parent, or None where it never turns.
    `translations`: joint -> (F, 3), which replaces the joint's offset, in units of the file.
    """

    armature: Armature
    rotations: tuple[np.ndarray | None, ...]
    translations: dict[int, np.ndarray]
    frame_count: int
    frame_rate: float

    def from_frame(self, first: int) -> "Motion":
        """The same clip without the frames before `first`."""
        return replace(
            self,
            rotations=tuple(None if r is None else r[first:] for r in self.rotations),
            translations={joint: t[first:] for joint, t in self.translations.items()},
            frame_count=max(self.frame_count - first, 0),
        )


@dataclass(frozen=True)
class Posed:
    """Joints of a clip in the world of its file: places (F, 3) and rotations (F, 3, 3) by name."""

    places: dict[str, np.ndarray]
    rotations: dict[str, np.ndarray]


def rotation_matrices(angles: np.ndarray, axes: str) -> np.ndarray:
    """Rotations (F, 3, 3) = R_axes[0](angles[:, 0]) R_axes[1](angles[:, 1]) ...; angles in radians.

    This is BVH's order: the first turn is the outermost, each further one is about an axis that
    those before it have moved.
    """
    cosines, sines = np.cos(angles), np.sin(angles)
    total = np.broadcast_to(np.eye(3), (len(angles), 3, 3))
    for k, axis in enumerate(axes):
        single = np.zeros((len(angles), 3, 3))
        i = "XYZ".index(axis)
        j, m = (i + 1) % 3, (i + 2) % 3
        single[:, i, i] = 1.0
        single[:, j, j] = single[:, m, m] = cosines[:, k]
        single[:, m, j] = sines[:, k]
        single[:, j, m] = -sines[:, k]
        total = single if k == 0 else total @ single
    return total


def forward_kinematics(motion: Motion) -> Posed:
    """Places and rotations of all joints in the file's world, in units of the file."""
    armature = motion.armature
    count = motion.frame_count
    places: list[np.ndarray] = []
    turned: list[np.ndarray] = []
    for j, parent in enumerate(armature.parents):
        local = motion.rotations[j]
        before = turned[parent] if parent >= 0 else np.broadcast_to(np.eye(3), (count, 3, 3))
        rotation = before if local is None else before @ local
        offset = motion.translations[j] if j in motion.translations else armature.offsets[j]
        if parent < 0:
            place = np.broadcast_to(offset, (count, 3))
        else:
            place = places[parent] + turn(rotation if armature.turns_itself else before, offset)
        places.append(place)
        turned.append(rotation)
    return Posed(
        dict(zip(armature.names, places, strict=True)),
        dict(zip(armature.names, turned, strict=True)),
    )


def turn(rotations: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Vectors (F, 3) or (3,) turned by rotations (F, 3, 3) -> (F, 3)."""
    if vectors.ndim == 1:
        return rotations @ vectors
    return np.einsum("fij,fj->fi", rotations, vectors)
