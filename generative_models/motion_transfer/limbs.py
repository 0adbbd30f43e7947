"""Limbs: how long they are in a clip, and the same motion on limbs of other lengths.

Points are of the skeleton `SKELETON`, (..., frame, joint, axis), 2D or 3D, any unit, NaN absent.
Limbs are the eight groups of bones whose lengths Yang et al. ("TransMoMo: Invariance-Driven
Unsupervised Video Motion Retargeting", CVPR 2020) vary; both sides share one length.
"""

import torch
from torch import Tensor

from utils.skeletons import BODY_25_15

SKELETON = BODY_25_15
ROOT = SKELETON.index("mid_hip")
LEFT_HIP, RIGHT_HIP = SKELETON.indices("left_hip", "right_hip")
LEFT_SHOULDER, RIGHT_SHOULDER = SKELETON.indices("left_shoulder", "right_shoulder")
ANKLES = SKELETON.indices("left_ankle", "right_ankle")
KNEES = SKELETON.indices("left_knee", "right_knee")

# Limb -> the joints at the far ends of its bones.
LIMBS: dict[str, tuple[int, ...]] = {
    name: tuple(SKELETON.indices(*ends.split()))
    for name, ends in {
        "neck": "nose",
        "shoulders": "left_shoulder right_shoulder",
        "arms": "left_elbow right_elbow",
        "forearms": "left_wrist right_wrist",
        "spine": "neck",
        "pelvis": "left_hip right_hip",
        "thighs": "left_knee right_knee",
        "shins": "left_ankle right_ankle",
    }.items()
}
LIMB_NAMES = tuple(LIMBS)
_LEGS = [LIMB_NAMES.index(name) for name in ("thighs", "shins")]

STANDARD_LENGTHS = {"spine": 504.0, "thighs": 429.0, "shins": 430.0}
"""mm, of a person of 1750 mm (Drillis and Contini 1966): what the size of a body is told by."""
STANDARD_SIZE = sum(STANDARD_LENGTHS.values())
"""mm; the learning space has a body of this size as 1."""


def _from_the_root() -> tuple[int, ...]:
    """Joints but the root, each after its parent."""
    order = [ROOT]
    for joint in order:
        order += [child for child, parent in enumerate(SKELETON.parents) if parent == joint]
    return tuple(order[1:])


ORDER = _from_the_root()
_LIMB_OF_JOINT = {joint: n for n, name in enumerate(LIMB_NAMES) for joint in LIMBS[name]}


def leg_factor(factors: Tensor) -> Tensor:
    """Factor on the way of the root, (...), that goes with factors (..., 8) on the limbs.

    The mean of those on thighs and shins: so a foot that stands goes on standing, exactly where the
    two are the same.
    """
    return factors[..., _LEGS].mean(-1)


def scale_limbs(points: Tensor, factors: Tensor) -> Tensor:
    """The same motion on limbs that are `factors` (..., 8) times as long.

    points (..., T, J, D) -> (..., T, J, D). Bones keep their directions and the root's way, from
    the origin, is multiplied by `leg_factor`. Of points seen without perspective this gives the
    view of the rescaled 3D motion. Beyond a joint that is NaN everything is.
    """
    scaled: list[Tensor] = [points[..., 0, :]] * points.shape[-2]
    scaled[ROOT] = points[..., ROOT, :] * leg_factor(factors)[..., None, None]
    for joint in ORDER:
        parent = SKELETON.parents[joint]
        bone = points[..., joint, :] - points[..., parent, :]
        factor = factors[..., _LIMB_OF_JOINT[joint], None, None]
        scaled[joint] = scaled[parent] + factor * bone
    return torch.stack(scaled, dim=-2)


def limb_lengths(points: Tensor) -> Tensor:
    """Length of each limb, (..., 8), in the unit of points (..., T, J, D); NaN if never seen.

    Of each bone the median over the frames, the mean of both sides. Seen in 2D, bones that point
    towards the camera look short; but so they do in other films, and the ratio of medians is nearer
    to that of the true lengths than the ratio of the frames in which bones look longest.
    """
    children = torch.tensor(ORDER, device=points.device)
    parents = torch.tensor([SKELETON.parents[joint] for joint in ORDER], device=points.device)
    bones = (points[..., children, :] - points[..., parents, :]).norm(dim=-1)
    lengths = bones.nanquantile(0.5, dim=-2)
    limbs = [[ORDER.index(joint) for joint in LIMBS[name]] for name in LIMB_NAMES]
    return torch.stack([lengths[..., limb].nanmean(-1) for limb in limbs], dim=-1)


def body_size(lengths: Tensor) -> Tensor:
    """Size of a body (...) by limb lengths (..., 8): that of trunk, thigh and shin together.

    What is NaN of the three is taken to be in proportion to the rest; NaN where all are.
    """
    told = [LIMB_NAMES.index(name) for name in STANDARD_LENGTHS]
    seen = lengths[..., told]
    standard = torch.tensor(list(STANDARD_LENGTHS.values()), dtype=seen.dtype, device=seen.device)
    known = torch.where(seen.isnan(), 0, standard).sum(-1)
    return seen.nansum(-1) / known * STANDARD_SIZE


def clip_size(points: Tensor) -> Tensor:
    """Size (...) of the body in clips (..., T, J, 2) seen in 2D, in their unit."""
    return body_size(limb_lengths(points))
