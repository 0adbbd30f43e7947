"""Every skeleton the project knows: names of the joints, their tree, their sides and colours.

This is the only place where joints have numbers; everywhere else they are asked for by name.
Joints of a data set of one's own are a `custom_skeleton`, whose name tells all there is to know, so
that weights and pose files need nothing beside it.
A joint's side is in its name: `left_...` and `right_...` are the person's own sides. The same name
in two skeletons need not be the same place of the body (the thorax of MPII lies between the
shoulders, that of Human3.6M at the base of the neck): `utils/skeleton_conversion.py` knows which.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

Colour = tuple[int, int, int]

# RGB. Orange and blue stay apart for colour-blind eyes and on most pictures.
SIDE_COLOURS: dict[str, Colour] = {
    "left": (255, 130, 30),
    "right": (40, 140, 255),
    "middle": (235, 235, 235),
}

_SIDES = ("left", "right")
_CUSTOM = "custom:"
"""How the name of a `custom_skeleton` begins."""

# Rows of score tables, by the joint's name without its side. Joints of the trunk are in no row.
_GROUPS: dict[str, tuple[str, ...]] = {
    "head": ("head_top", "head", "nose", "eye", "ear"),
    "shoulder": ("shoulder",),
    "elbow": ("elbow", "elbow_upper", "elbow_lower"),
    "wrist": ("wrist",),
    "hip": ("hip",),
    "knee": ("knee", "knee_upper", "knee_lower"),
    "ankle": ("ankle",),
}


@dataclass(frozen=True)
class Skeleton:
    """Names of the joints in array order, the parent of each (-1 for a root), and extra links.

    `links` are pairs of joints that are drawn joined although neither is the other's parent
    (skeletons without a pelvis have no tree that holds the trunk together). `swaps` are (left,
    right) places that a mirror image exchanges; None: those that the joints' names tell.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    links: tuple[tuple[int, int], ...] = ()
    swaps: tuple[tuple[int, int], ...] | None = None

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Place of `joint` in arrays. Raises KeyError for a name that the skeleton lacks."""
        if joint not in self.joints:
            raise KeyError(f"{self.name} has no joint {joint!r}")
        return self.joints.index(joint)

    def indices(self, *joints: str) -> list[int]:
        """Places of several joints, in the order asked for."""
        return [self.index(joint) for joint in joints]

    @property
    def title(self) -> str:
        """Its name, for people to read."""
        return "custom joints" if self.name.startswith(_CUSTOM) else self.name

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """ "left", "right" or "middle" for each joint."""
        if self.swaps is None:
            return tuple(_side(joint) for joint in self.joints)
        sides = ["middle"] * len(self)
        for left, right in self.swaps:
            sides[left], sides[right] = _SIDES
        return tuple(sides)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) places of the joints that change places in a mirror image."""
        if self.swaps is not None:
            return self.swaps
        return tuple(
            (i, self.index("right_" + _without_side(joint)))
            for i, joint in enumerate(self.joints)
            if _side(joint) == "left"
        )

    @cached_property
    def flip_order(self) -> tuple[int, ...]:
        """Permutation that swaps the sides: `mirrored = poses[..., flip_order, :]`."""
        order = list(range(len(self.joints)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    @cached_property
    def root(self) -> int:
        """Place of the first joint without a parent."""
        return self.parents.index(-1)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) places of every segment that is drawn: the tree, then the links."""
        tree = ((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)
        return (*tree, *self.links)

    @cached_property
    def joint_colours(self) -> tuple[Colour, ...]:
        """RGB of each joint, by its side."""
        return tuple(SIDE_COLOURS[side] for side in self.sides)

    @cached_property
    def bone_colours(self) -> tuple[Colour, ...]:
        """RGB of each of `bones`: the child's side; middle where it joins left to right."""
        return tuple(self._bone_colour(parent, child) for parent, child in self.bones)

    def _bone_colour(self, parent: int, child: int) -> Colour:
        crosses = {self.sides[parent], self.sides[child]} == {"left", "right"}
        return SIDE_COLOURS["middle" if crosses else self.sides[child]]

    @cached_property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """Rows of score tables (head, shoulder, ... ankle) -> places of their joints."""
        rows = {
            row: tuple(i for i, j in enumerate(self.joints) if _without_side(j) in members)
            for row, members in _GROUPS.items()
        }
        # The root of Human3.6M is called "hip" too, and is neither of the two hips.
        rows["hip"] = tuple(i for i in rows["hip"] if self.sides[i] != "middle")
        return {row: places for row, places in rows.items() if places}


def _side(joint: str) -> str:
    prefix = joint.split("_", 1)[0]
    return prefix if prefix in _SIDES else "middle"


def _without_side(joint: str) -> str:
    return joint if _side(joint) == "middle" else joint.split("_", 1)[1]


def _skeleton(name: str, tree: str, links: str = "") -> Skeleton:
    """Build a skeleton from "joint<parent joint<parent root" and "joint-joint joint-joint"."""
    nodes = [node.partition("<") for node in tree.split()]
    joints = tuple(joint for joint, _, _ in nodes)
    parents = tuple(joints.index(parent) if parent else -1 for _, _, parent in nodes)
    ends = [link.split("-") for link in links.split()]
    return Skeleton(
        name, joints, parents, tuple((joints.index(a), joints.index(b)) for a, b in ends)
    )


MPII_16 = _skeleton(
    "mpii_16",
    """right_ankle<right_knee right_knee<right_hip right_hip<pelvis
    left_hip<pelvis left_knee<left_hip left_ankle<left_knee
    pelvis thorax<pelvis upper_neck<thorax head_top<upper_neck
    right_wrist<right_elbow right_elbow<right_shoulder right_shoulder<thorax
    left_shoulder<thorax left_elbow<left_shoulder left_wrist<left_elbow""",
)

LSP_14 = _skeleton(
    "lsp_14",
    """right_ankle<right_knee right_knee<right_hip right_hip<right_shoulder
    left_hip<left_shoulder left_knee<left_hip left_ankle<left_knee
    right_wrist<right_elbow right_elbow<right_shoulder right_shoulder<upper_neck
    left_shoulder<upper_neck left_elbow<left_shoulder left_wrist<left_elbow
    upper_neck head_top<upper_neck""",
    links="left_hip-right_hip",
)

COCO_17 = _skeleton(
    "coco_17",
    """nose left_eye<nose right_eye<nose left_ear<left_eye right_ear<right_eye
    left_shoulder<nose right_shoulder<nose left_elbow<left_shoulder right_elbow<right_shoulder
    left_wrist<left_elbow right_wrist<right_elbow left_hip<left_shoulder right_hip<right_shoulder
    left_knee<left_hip right_knee<right_hip left_ankle<left_knee right_ankle<right_knee""",
    links="left_shoulder-right_shoulder left_hip-right_hip",
)

H36M_17 = _skeleton(
    "h36m_17",
    """hip right_hip<hip right_knee<right_hip right_ankle<right_knee
    left_hip<hip left_knee<left_hip left_ankle<left_knee
    spine<hip thorax<spine neck_nose<thorax head<neck_nose
    left_shoulder<thorax left_elbow<left_shoulder left_wrist<left_elbow
    right_shoulder<thorax right_elbow<right_shoulder right_wrist<right_elbow""",
)

# All slots of the Human3.6M files. `spine_base` repeats the hip, the collars the thorax, the
# thumbs the wrists, and the fingers' ends the hands: their bones have no length.
H36M_32 = _skeleton(
    "h36m_32",
    """hip right_hip<hip right_knee<right_hip right_ankle<right_knee
    right_toe<right_ankle right_toe_end<right_toe
    left_hip<hip left_knee<left_hip left_ankle<left_knee
    left_toe<left_ankle left_toe_end<left_toe
    spine_base<hip spine<spine_base thorax<spine neck_nose<thorax head<neck_nose
    left_collar<thorax left_shoulder<left_collar left_elbow<left_shoulder left_wrist<left_elbow
    left_thumb<left_wrist left_thumb_end<left_thumb left_hand<left_wrist left_hand_end<left_hand
    right_collar<thorax right_shoulder<right_collar right_elbow<right_shoulder
    right_wrist<right_elbow right_thumb<right_wrist right_thumb_end<right_thumb
    right_hand<right_wrist right_hand_end<right_hand""",
)

HUMANEVA_15 = _skeleton(
    "humaneva_15",
    """pelvis thorax<pelvis left_shoulder<thorax left_elbow<left_shoulder left_wrist<left_elbow
    right_shoulder<thorax right_elbow<right_shoulder right_wrist<right_elbow
    left_hip<pelvis left_knee<left_hip left_ankle<left_knee
    right_hip<pelvis right_knee<right_hip right_ankle<right_knee head<thorax""",
)

# HumanEva tracks each limb for itself, so elbows and knees have two places: the lower end of the
# upper limb (`_upper`) and the upper end of the lower one (`_lower`).
HUMANEVA_20 = _skeleton(
    "humaneva_20",
    """pelvis torso_top<pelvis head_base<torso_top
    left_shoulder<torso_top left_elbow_upper<left_shoulder left_elbow_lower<left_elbow_upper
    left_wrist<left_elbow_lower
    right_shoulder<torso_top right_elbow_upper<right_shoulder right_elbow_lower<right_elbow_upper
    right_wrist<right_elbow_lower
    left_hip<pelvis left_knee_upper<left_hip left_knee_lower<left_knee_upper
    left_ankle<left_knee_lower
    right_hip<pelvis right_knee_upper<right_hip right_knee_lower<right_knee_upper
    right_ankle<right_knee_lower head<head_base""",
)

BODY_25_15 = _skeleton(
    "body_25_15",
    """nose<neck neck<mid_hip right_shoulder<neck right_elbow<right_shoulder right_wrist<right_elbow
    left_shoulder<neck left_elbow<left_shoulder left_wrist<left_elbow mid_hip
    right_hip<mid_hip right_knee<right_hip right_ankle<right_knee
    left_hip<mid_hip left_knee<left_hip left_ankle<left_knee""",
)

BLAZEPOSE_33 = _skeleton(
    "blazepose_33",
    """nose left_eye_inner<nose left_eye<left_eye_inner left_eye_outer<left_eye
    right_eye_inner<nose right_eye<right_eye_inner right_eye_outer<right_eye
    left_ear<left_eye_outer right_ear<right_eye_outer left_mouth<nose right_mouth<nose
    left_shoulder<nose right_shoulder<nose left_elbow<left_shoulder right_elbow<right_shoulder
    left_wrist<left_elbow right_wrist<right_elbow left_pinky<left_wrist right_pinky<right_wrist
    left_index<left_wrist right_index<right_wrist left_thumb<left_wrist right_thumb<right_wrist
    left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee left_heel<left_ankle right_heel<right_ankle
    left_foot_index<left_heel right_foot_index<right_heel""",
    links="""left_mouth-right_mouth left_shoulder-right_shoulder left_hip-right_hip
    left_ankle-left_foot_index right_ankle-right_foot_index""",
)

DANCE_13 = _skeleton(
    "dance_13",
    """nose left_shoulder<nose right_shoulder<nose left_elbow<left_shoulder
    right_elbow<right_shoulder left_wrist<left_elbow right_wrist<right_elbow
    left_hip<left_shoulder right_hip<right_shoulder left_knee<left_hip right_knee<right_hip
    left_ankle<left_knee right_ankle<right_knee""",
    links="left_shoulder-right_shoulder left_hip-right_hip",
)

SKELETONS: dict[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (
        MPII_16,
        LSP_14,
        COCO_17,
        H36M_17,
        H36M_32,
        HUMANEVA_15,
        HUMANEVA_20,
        BODY_25_15,
        BLAZEPOSE_33,
        DANCE_13,
    )
}


def custom_skeleton(
    joints: Sequence[str], bones: Sequence[Sequence[int]], swaps: Sequence[Sequence[int]]
) -> Skeleton:
    """Joints of any kind; `bones` are pairs of places that are drawn joined, `swaps` (left, right)
    places that a mirror image exchanges. The tree grows along the bones from the first joint of
    each connected part.

    Raises ValueError for joints without a name of their own, and for places that there are not.
    """
    if not joints or len(set(joints)) != len(joints) or not all(joints):
        raise ValueError("every joint needs a name of its own")
    pairs = [tuple(map(int, pair)) for pair in (*bones, *swaps)]
    if not all(len({*pair}) == len(pair) == 2 for pair in pairs):
        raise ValueError("a bone or a swap is a pair of two joints")
    if not all(0 <= place < len(joints) for pair in pairs for place in pair):
        raise ValueError(f"a bone or a swap names a joint beyond the {len(joints)} there are")
    ends, sides = pairs[: len(bones)], pairs[len(bones) :]
    if len({place for pair in sides for place in pair}) != 2 * len(sides):
        raise ValueError("a joint changes places with two others")
    content = {"joints": list(joints), "bones": ends, "swaps": sides}
    parents = _grow(len(joints), ends)
    tree = {frozenset((child, parent)) for child, parent in enumerate(parents)}
    links = tuple((a, b) for a, b in ends if frozenset((a, b)) not in tree)
    name = _CUSTOM + json.dumps(content, separators=(",", ":"))
    return Skeleton(name, tuple(joints), parents, links, tuple((a, b) for a, b in sides))


def _grow(count: int, bones: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Parent of each joint, -1 for the first of each part that the bones connect."""
    parents: dict[int, int] = {}
    for root in range(count):
        if root in parents:
            continue
        parents[root] = -1
        reached = [root]
        for place in reached:
            others = [sum(bone) - place for bone in bones if place in bone]
            for other in others:
                if other not in parents:
                    parents[other] = place
                    reached.append(other)
    return tuple(parents[place] for place in range(count))


@cache
def skeleton_named(name: str) -> Skeleton:
    """One of SKELETONS, or the custom skeleton that the name tells.

    Raises ValueError for any other name.
    """
    if name in SKELETONS:
        return SKELETONS[name]
    if not name.startswith(_CUSTOM):
        raise ValueError(f"{name!r} is not one of {', '.join(SKELETONS)}")
    try:
        content: dict[str, Any] = json.loads(name.removeprefix(_CUSTOM))
        joints = [str(joint) for joint in content["joints"]]
        return custom_skeleton(joints, content["bones"], content["swaps"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the name of a custom skeleton is damaged: {error}") from error
