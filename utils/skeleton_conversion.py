"""Poses from one skeleton to another, by name, saying how good each joint is.

Every joint is a *place* of the body. Most are called by their name; where two skeletons use one
name for two places, `_PLACES` tells them apart. A place that a skeleton lacks is made from places
that it has, by the weighted sums of `_RECIPES`. Their weights add up to one, so a converted pose
moves, turns and scales with the original, in 2D and 3D alike.

The figures in the recipes were measured as a fraction of the trunk (middle of the hips 0, middle
of the shoulders 1; medians):

    MPII, OpenPose      thorax (neck) and pelvis are the middles of shoulders and hips
    MPII                upper_neck 1.12, head_top 1.68; LSP 1.15 and 1.56
    Human3.6M           spine 0.52, thorax 1.12, neck_nose 1.24 (and forward), head 1.45
    BlazePose           ears 1.41, nose 1.38 (and forward)

So Human3.6M's thorax is where MPII has its upper neck (not its thorax), its spine is the middle of
the trunk, and its head lies well below the top of the head.
"""

from dataclasses import dataclass
from functools import cache
from typing import Generic, Literal, TypeVar

import numpy as np
import torch

from utils.skeletons import Skeleton

Status = Literal["exact", "derived", "invented", "missing"]
Array = TypeVar("Array", np.ndarray, torch.Tensor)

# From good to bad. A joint made from others is at best as good as the worst of them.
STATUSES: tuple[Status, ...] = ("exact", "derived", "invented", "missing")

_PLACES: dict[tuple[str, str], str] = {
    ("mpii_16", "thorax"): "shoulder_middle",
    ("body_25_15", "neck"): "shoulder_middle",
    ("body_25_15", "mid_hip"): "pelvis",
    ("h36m_17", "hip"): "pelvis",
    ("h36m_17", "thorax"): "neck_base",
    ("h36m_17", "head"): "head_centre",
    ("h36m_32", "hip"): "pelvis",
    ("h36m_32", "thorax"): "neck_base",
    ("h36m_32", "head"): "head_centre",
    ("h36m_32", "left_thumb"): "left_thumb_base",
    ("h36m_32", "right_thumb"): "right_thumb_base",
    # Middle of the torso's upper and the head's lower end.
    ("humaneva_15", "thorax"): "humaneva_thorax",
    ("humaneva_15", "head"): "humaneva_head",
    ("humaneva_20", "head"): "humaneva_head",
}

_Recipe = tuple[Status, dict[str, float]]

_MIDDLE_RECIPES: dict[str, tuple[_Recipe, ...]] = {
    "pelvis": (("derived", {"left_hip": 0.5, "right_hip": 0.5}),),
    "shoulder_middle": (("derived", {"left_shoulder": 0.5, "right_shoulder": 0.5}),),
    "upper_neck": (
        ("derived", {"neck_base": 1.0}),
        ("derived", {"shoulder_middle": 1.12, "pelvis": -0.12}),
    ),
    "neck_base": (
        ("derived", {"humaneva_thorax": 1.0}),
        ("derived", {"upper_neck": 1.0}),
    ),
    "spine": (("derived", {"pelvis": 0.5, "neck_base": 0.5}),),
    "spine_base": (("derived", {"pelvis": 1.0}),),
    # The top of a head of which only ears or nose are known: about as far above them as they are
    # above the neck (1.9 and 2.1 carry BlazePose's 1.41 and 1.38 to MPII's 1.68).
    "head_top": (
        ("derived", {"humaneva_head": 1.0}),
        ("invented", {"head_centre": 1.7, "neck_base": -0.7}),
        ("invented", {"left_ear": 0.95, "right_ear": 0.95, "upper_neck": -0.9}),
        ("invented", {"nose": 2.1, "upper_neck": -1.1}),
    ),
    "head_centre": (("derived", {"head_top": 0.6, "neck_base": 0.4}),),
    # Where no face was marked, a point on the line from neck to head top, at the right height.
    "neck_nose": (
        ("invented", {"upper_neck": 0.8, "head_top": 0.2}),
        ("derived", {"nose": 1.0}),
    ),
    "nose": (
        ("invented", {"upper_neck": 0.55, "head_top": 0.45}),
        ("derived", {"neck_nose": 1.0}),
    ),
    "humaneva_thorax": (
        ("derived", {"torso_top": 0.5, "head_base": 0.5}),
        ("derived", {"neck_base": 1.0}),
    ),
    "humaneva_head": (("derived", {"head_top": 1.0}),),
    "torso_top": (("invented", {"humaneva_thorax": 1.0}),),
    "head_base": (("invented", {"humaneva_thorax": 1.0}),),
}

# Written once for both sides; `*` is the side.
_SIDE_RECIPES: dict[str, tuple[_Recipe, ...]] = {
    "*_collar": (("derived", {"neck_base": 1.0}),),
    "*_thumb_base": (("derived", {"*_wrist": 1.0}),),
    "*_elbow": (("derived", {"*_elbow_upper": 0.5, "*_elbow_lower": 0.5}),),
    "*_knee": (("derived", {"*_knee_upper": 0.5, "*_knee_lower": 0.5}),),
    "*_elbow_upper": (("derived", {"*_elbow": 1.0}),),
    "*_elbow_lower": (("derived", {"*_elbow": 1.0}),),
    "*_knee_upper": (("derived", {"*_knee": 1.0}),),
    "*_knee_lower": (("derived", {"*_knee": 1.0}),),
}


def _for_side(side: str) -> dict[str, tuple[_Recipe, ...]]:
    return {
        place.replace("*", side): tuple(
            (status, {name.replace("*", side): weight for name, weight in parts.items()})
            for status, parts in recipes
        )
        for place, recipes in _SIDE_RECIPES.items()
    }


_RECIPES = {**_MIDDLE_RECIPES, **_for_side("left"), **_for_side("right")}


@dataclass(frozen=True)
class JointRule:
    """How one joint is made: the sum of (source joint, weight); the weights add up to one."""

    status: Status
    parts: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Conversion(Generic[Array]):
    """Converted poses (..., J2, D), NaN where impossible, and the status of each joint (J2,)."""

    poses: Array
    status: tuple[Status, ...]


def convert(poses: Array, source: Skeleton, target: Skeleton) -> Conversion[Array]:
    """Bring poses (..., J, D), any unit and frame, from one skeleton to another.

    A joint is "exact" (the same place of the body), "derived" (computed from places that fix it to
    a few centimetres), "invented" (a guess, good for drawing, not for scoring) or "missing" (NaN).
    A NaN in the source makes NaN every joint that is computed from it. Takes floating-point arrays
    and tensors (with gradients) and keeps their type.

    Raises ValueError if the joint axis does not match `source`.
    """
    if poses.ndim < 2 or poses.shape[-2] != len(source):
        raise ValueError(f"{source.name} poses are (..., {len(source)}, D), not {poses.shape}")
    rules = conversion_rules(source, target)
    status: tuple[Status, ...] = tuple(rule.status for rule in rules)
    if isinstance(poses, torch.Tensor):
        return Conversion(torch.stack([_joint(poses, rule) for rule in rules], dim=-2), status)
    return Conversion(np.stack([_joint(poses, rule) for rule in rules], axis=-2), status)


def _joint(poses: Array, rule: JointRule) -> Array:
    """Weighted sum (..., D) of joints; a constant NaN, with no gradient, if there are none."""
    if not rule.parts:
        like = poses[..., 0, :]
        if isinstance(like, torch.Tensor):
            return torch.full_like(like, float("nan"))
        return np.full_like(like, np.nan)
    (first, factor), *others = rule.parts
    total = poses[..., first, :] * factor
    for joint, weight in others:
        total = total + poses[..., joint, :] * weight
    return total


@cache
def conversion_rules(source: Skeleton, target: Skeleton) -> tuple[JointRule, ...]:
    """The rule for each joint of `target`, in its order."""
    known = {_place(source, joint): i for i, joint in enumerate(source.joints)}
    return tuple(_rule(_place(target, joint), known, frozenset()) for joint in target.joints)


def _place(skeleton: Skeleton, joint: str) -> str:
    return _PLACES.get((skeleton.name, joint), joint)


def _rule(place: str, known: dict[str, int], asked: frozenset[str]) -> JointRule:
    """Best way to make `place` from the known ones, without going through the `asked` again."""
    if place in known:
        return JointRule("exact", ((known[place], 1.0),))
    candidates = [
        _combine(status, [(_rule(p, known, asked | {place}), w) for p, w in parts.items()])
        for status, parts in _RECIPES.get(place, ())
        if not asked & parts.keys()
    ]
    candidates.append(JointRule("missing", ()))
    return min(candidates, key=lambda rule: STATUSES.index(rule.status))


def _combine(status: Status, ingredients: list[tuple[JointRule, float]]) -> JointRule:
    """Sum of rules by weight; as good as the recipe's own status and its worst ingredient."""
    statuses: list[Status] = [status, *(rule.status for rule, _ in ingredients)]
    worst = max(statuses, key=STATUSES.index)
    if worst == "missing":
        return JointRule("missing", ())
    weights: dict[int, float] = {}
    for rule, factor in ingredients:
        for joint, weight in rule.parts:
            weights[joint] = weights.get(joint, 0.0) + factor * weight
    return JointRule(worst, tuple(weights.items()))
