"""Which joints can be seen: inside the picture, and nothing but their own flesh in front."""

from functools import lru_cache

import numpy as np

from utils.mannequin.body import Body
from utils.mannequin.rasteriser import OVERSAMPLING, Surface

# Joint without its side -> body parts that hold it (a side's own), and how far the skin in front
# of it may be: a body radius (see `Body.radii`) and its multiple.
_HOLDERS: dict[str, tuple[tuple[str, ...], str, float]] = {
    "ankle": (("*shin", "*foot"), "ankle", 3.0),
    "knee": (("*thigh", "*shin", "skirt"), "knee", 2.6),
    "hip": (("*thigh", "torso", "skirt"), "depth", 1.8),
    "pelvis": (("torso", "left_thigh", "right_thigh", "skirt"), "depth", 1.8),
    "spine": (("torso",), "belly", 1.5),
    "thorax": (("torso", "neck", "left_collar", "right_collar", "head_extra"), "depth", 1.5),
    "upper_neck": (("neck", "head", "head_extra"), "head", 0.5),
    "neck_nose": (("neck", "head", "head_extra"), "head", 0.6),
    "head": (("head", "head_extra"), "head", 0.6),
    "head_top": (("head", "head_extra"), "head", 0.6),
    "wrist": (("*forearm", "*hand"), "wrist", 3.2),
    "elbow": (("*upper_arm", "*forearm"), "elbow", 3.0),
    "shoulder": (("*upper_arm", "*collar", "torso", "head_extra"), "upper_arm", 2.4),
}
_CLOTH = 40.0
_MOST_PARTS = 32


def _holders(joint: str) -> tuple[tuple[str, ...], str, float]:
    side, _, limb = joint.partition("_")
    if side in ("left", "right"):
        parts, radius, share = _HOLDERS[limb]
        return tuple(p.replace("*", f"{side}_") for p in parts), radius, share
    # "hip" alone is the middle of the hips in Human3.6M.
    return _HOLDERS["pelvis" if joint == "hip" else joint]


@lru_cache(maxsize=64)
def _rules(
    joints: tuple[str, ...], parts: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Which parts hold which joint (J, P) bool, the radius that counts for it, and its multiple.

    Numbers of parts are those of the person: parts that another wears besides hold nothing.
    """
    rules = [_holders(joint) for joint in joints]
    own = np.zeros((len(joints), _MOST_PARTS), bool)
    for i, (holders, _, _) in enumerate(rules):
        own[i, [parts.index(part) for part in holders if part in parts]] = True
    return own, tuple(radius for _, radius, _ in rules), np.array([share for _, _, share in rules])


def inside_picture(places: np.ndarray, width: int, height: int) -> np.ndarray:
    """True (...) for px (..., 2) that some pixel of the picture covers; NaN is outside."""
    limits = np.array([width, height]) - 0.5
    return np.all((places >= -0.5) & (places < limits), axis=-1)


def joint_visibility(
    joints: tuple[str, ...],
    places: np.ndarray,
    depth: np.ndarray,
    person: int,
    body: Body,
    parts: tuple[str, ...],
    surface: Surface,
    numbers: np.ndarray,
    cover: np.ndarray,
) -> np.ndarray:
    """Visible (J,) bool for joints at px (J, 2) and depth (J,) mm of one person.

    `numbers`: triangle buffer of `paint_numbers`; `cover`: depth of the nearest occluder for each
    of its sub-pixels, mm, infinite where none is. A joint is seen where the picture shows a part
    that holds it, near its own depth, or no person at all (the tip of the head may stick out).
    """
    height, width = (n // OVERSAMPLING for n in numbers.shape)
    seen = inside_picture(places, width, height)
    inside = np.where(seen[:, None], places, 0.0)
    x, y = np.floor((inside + 0.5) * OVERSAMPLING).astype(int).T
    number = numbers[y, x]
    open_view = seen & (cover[y, x] >= depth)
    if not number.any():
        return open_view
    triangle = np.maximum(number - 1, 0)
    own, radius, share = _rules(joints, parts)
    reach = share * np.array([body.radii[name] for name in radius]) + _CLOTH
    near = np.abs(surface.depth[triangle].mean(axis=-1) - depth) < reach
    held = own[np.arange(len(joints)), surface.part[triangle]]
    held &= near & (surface.person[triangle] == person)
    return open_view & (held | (number == 0))
