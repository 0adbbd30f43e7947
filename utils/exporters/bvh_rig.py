"""The figure of a BVH file: its joints, their rest pose, and the turns that make a pose of it.

Positions do not say how a bone is turned about itself; these rules do.

- The pelvis turns so that its x axis is the line from right to left hip, and its y axis lies in
  the plane of that line and the spine.
- The chest (the joint `spine`) points its y axis to the thorax, its x axis along the shoulders.
- Thigh and upper arm turn so that knee and elbow are hinges: knees bend about the thigh's x axis,
  elbows about the upper arm's y axis. A straight limb has no such plane, so the hinge axis is
  d1 x d2 + STRAIGHT * h, d1 and d2 the directions of its two bones and h where the axis would be
  if the upper bone had made the smallest turn that points it.
- Everything else makes the smallest turn that points it: it is not turned about itself.

Pelvis and thorax hold several bones, between which the angles change from frame to frame. Each of
these bones starts at a joint of its own that lies at the same place (`left_pelvis`, `left_collar`),
so that every position is met exactly.
"""

from dataclasses import dataclass

import numpy as np

from utils.skeletons import H36M_17

STRAIGHT = 0.2
"""Weight of the axis that a straight limb falls back on; a bent one has the sine of its bend."""

_ZERO, _LEFT, _RIGHT, _UP, _DOWN, _FORWARD = (
    np.array(axis, float)
    for axis in ((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1))
)


@dataclass(frozen=True)
class Node:
    """A joint of the figure: where it lies in Human3.6M-17, and where from its parent in a T-pose.

    The T-pose stands upright on y and looks along z; its left is x.
    """

    name: str
    parent: str
    place: str
    rest: np.ndarray


def _limb(side: str, base: str, root: str, out: np.ndarray, along: np.ndarray) -> list[Node]:
    """A limb from the joint that holds it: its socket and three joints."""
    first, second, third = (
        ("hip", "knee", "ankle") if base == "pelvis" else ("shoulder", "elbow", "wrist")
    )
    return [
        Node(f"{side}_{base}", root, root, _ZERO),
        Node(f"{side}_{first}", f"{side}_{base}", f"{side}_{first}", out),
        Node(f"{side}_{second}", f"{side}_{first}", f"{side}_{second}", along),
        Node(f"{side}_{third}", f"{side}_{second}", f"{side}_{third}", along),
    ]


NODES: tuple[Node, ...] = (
    Node("hip", "", "hip", _ZERO),
    *_limb("left", "pelvis", "hip", _LEFT, _DOWN),
    *_limb("right", "pelvis", "hip", _RIGHT, _DOWN),
    Node("spine_base", "hip", "hip", _ZERO),
    Node("spine", "spine_base", "spine", _UP),
    Node("thorax", "spine", "thorax", _UP),
    Node("neck", "thorax", "thorax", _ZERO),
    Node("neck_nose", "neck", "neck_nose", _UP),
    Node("head", "neck_nose", "head", _UP),
    *_limb("left", "collar", "thorax", _LEFT, _LEFT),
    *_limb("right", "collar", "thorax", _RIGHT, _RIGHT),
)
"""Each parent before its children, a branch to its end before the next: the order of the file."""

CHILDREN = {one.name: [other for other in NODES if other.parent == one.name] for one in NODES}

# End of the last bone of a branch, in the rest pose: a stub that programs draw.
STUBS = {
    "left_ankle": _FORWARD,
    "right_ankle": _FORWARD,
    "left_wrist": _LEFT,
    "right_wrist": _RIGHT,
    "head": _UP,
}

# Axis about which the limb below bends, in the rest pose.
_HINGES = {
    "left_hip": _LEFT,
    "right_hip": _LEFT,
    "left_shoulder": _DOWN,
    "right_shoulder": _UP,
}


@dataclass(frozen=True)
class Figure:
    """A person as a BVH file tells it: `offsets` by node (3,), in the unit of the positions;
    `root` (T, 3) the hip's path; `turns` by node (T, 3, 3), each within its parent."""

    offsets: dict[str, np.ndarray]
    root: np.ndarray
    turns: dict[str, np.ndarray]


def pose_figure(positions: np.ndarray) -> Figure:
    """Lengths of the bones, their medians, and the turns that point them as in `positions`.

    positions (T, 17, 3) of Human3.6M-17, x right, y up, NaN for what is missing. A joint that is
    missing is put on the straight line between where it was before and after, at the ends where it
    is nearest in time; one that never is there lies at its parent's place.
    """
    lengths = _median_lengths(positions)
    places = _without_gaps(positions)
    world: dict[str, np.ndarray] = {}
    turns: dict[str, np.ndarray] = {}
    for node in NODES:
        before = world.get(node.parent, np.broadcast_to(np.eye(3), (len(positions), 3, 3)))
        world[node.name] = _orientation(node.name, places, before)
        turns[node.name] = before.swapaxes(1, 2) @ world[node.name]
    offsets = {node.name: node.rest * lengths.get(node.name, 0.0) for node in NODES}
    return Figure(offsets, places["hip"], turns)


def _median_lengths(positions: np.ndarray) -> dict[str, float]:
    """Length of the bone that ends at each node, over the frames that show both its ends."""
    lengths = {}
    for node in NODES:
        if node.rest.any():
            start = H36M_17.index(_place(node.parent))
            bone = positions[:, H36M_17.index(node.place)] - positions[:, start]
            seen = np.linalg.norm(bone, axis=1)
            seen = seen[np.isfinite(seen)]
            lengths[node.name] = float(np.median(seen)) if len(seen) else 0.0
    return lengths


def _place(name: str) -> str:
    return next(node.place for node in NODES if node.name == name)


def _without_gaps(positions: np.ndarray) -> dict[str, np.ndarray]:
    """Places (T, 3) of the joints by name, none of them NaN."""
    frames = np.arange(len(positions))
    places: dict[str, np.ndarray] = {}
    for joint, parent in zip(H36M_17.joints, H36M_17.parents, strict=True):
        path = positions[:, H36M_17.index(joint)]
        seen = np.isfinite(path).all(axis=1)
        if seen.any():
            filled = [np.interp(frames, frames[seen], path[seen, axis]) for axis in range(3)]
            places[joint] = np.stack(filled, axis=1)
        else:
            there = places[H36M_17.joints[parent]] if parent >= 0 else np.zeros_like(path)
            places[joint] = there
    return places


def _orientation(name: str, places: dict[str, np.ndarray], before: np.ndarray) -> np.ndarray:
    """World orientation (T, 3, 3) of a node; `before` is its parent's."""
    if name == "hip":
        across, up = places["left_hip"] - places["right_hip"], places["spine"] - places["hip"]
        return _frames(across, up, _LEFT, _UP)
    bones = [child for child in CHILDREN[name] if child.rest.any()]
    if not bones:
        return before
    child = bones[0]
    aim = places[child.place] - places[_place(name)]
    if name == "spine":
        shoulders = places["left_shoulder"] - places["right_shoulder"]
        return _frames(aim, shoulders, _UP, _LEFT)
    swung = _swing(before @ child.rest, aim) @ before
    if name not in _HINGES:
        return swung
    lower = CHILDREN[child.name][0]
    bend = np.cross(_unit(aim, before @ child.rest), _lower(places, child, lower))
    hinge = bend + STRAIGHT * (swung @ _HINGES[name])
    return _frames(aim, hinge, child.rest, _HINGES[name])


def _lower(places: dict[str, np.ndarray], middle: Node, end: Node) -> np.ndarray:
    """Direction (T, 3) of a limb's second bone; zeros where it has no length."""
    return _unit(places[end.place] - places[middle.place], _ZERO)


def _unit(vectors: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Vectors (T, 3) of length 1; `otherwise` where they have none."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), otherwise)


def _frames(
    first: np.ndarray, second: np.ndarray, rest_first: np.ndarray, rest_second: np.ndarray
) -> np.ndarray:
    """Orientations (T, 3, 3) that turn `rest_first` onto `first` (T, 3), and `rest_second` into
    the half plane of `first` and `second`. Rest vectors are perpendicular axes."""
    one = _unit(first, rest_first)
    # Where `second` says nothing, the axis that is farthest from `first` does.
    spare = np.eye(3)[np.abs(one).argmin(axis=1)]
    two = second - (second * one).sum(1, keepdims=True) * one
    spare = _unit(spare - (spare * one).sum(1, keepdims=True) * one, spare)
    two = _unit(two, spare)
    turned = np.stack([one, two, np.cross(one, two)], axis=2)
    rest = np.stack([rest_first, rest_second, np.cross(rest_first, rest_second)], axis=1)
    return turned @ rest.T


def _swing(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The smallest rotations (T, 3, 3) that turn unit vectors `start` (T, 3) to point along `end`.

    Rodrigues: R = I + [v] + [v]^2 / (1 + c), v = start x end, c = start . end. Where they point
    against each other, half a turn about an axis that is perpendicular to both.
    """
    end = _unit(end, start)
    v, c = np.cross(start, end), (start * end).sum(1)
    cross = np.zeros((len(v), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        cross[:, k, j], cross[:, j, k] = v[:, i], -v[:, i]
    opposite = c < -1 + 1e-9
    turned = np.eye(3) + cross + cross @ cross / np.where(opposite, 1.0, 1 + c)[:, None, None]
    axis = np.cross(start, np.eye(3)[np.abs(start).argmin(axis=1)])
    axis = _unit(axis, _UP)
    half = 2 * axis[:, :, None] * axis[:, None, :] - np.eye(3)
    return np.where(opposite[:, None, None], half, turned)
