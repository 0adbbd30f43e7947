"""The skin of a mannequin: every body part is a tube of rings that hang on the body's frames.

A ring is an ellipse-like outline; its columns run once around the part, from the back over the
side to the front and on to the back, so that texture u = 0.5 is the front. Vertices follow one or
two frames by linear blending.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from utils.mannequin.angles import SIDES
from utils.mannequin.body import FRAMES, Body, Posture
from utils.mannequin.outfit import HEAD_LEVELS, TORSO_LEVELS, Outfit

RINGS = 10
SECTORS = 12
_COLUMN = np.linspace(-np.pi, np.pi, SECTORS + 1)
_SIN, _COS = np.sin(_COLUMN), np.cos(_COLUMN)
# A limb's rings: a rounded start, the shaft by tenths of the bone's length, a rounded end.
_SHAFT = np.array([0.0, 0.0, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0])
_CAP = np.array([-1.0, -0.7, 0.0, 0, 0, 0, 0, 0.0, 0.7, 1.0])
_CAP_RADIUS = np.array([0.05, 0.72, 1.0, 1, 1, 1, 1, 1.0, 0.72, 0.05])


class Tube(NamedTuple):
    """One body part. `side`, `front` (RINGS, SECTORS + 1): outline in the ring's plane, mm.

    `place` (RINGS, 3) and the axes are in the frames' common rest pose; `share` (RINGS,) is how
    much a ring follows the second frame.
    """

    part: str
    frames: tuple[str, str]
    share: np.ndarray
    place: np.ndarray
    side_axis: np.ndarray
    front_axis: np.ndarray
    side: np.ndarray
    front: np.ndarray
    spans_frames: bool = False


def _tube(
    part: str,
    frame: str,
    place: np.ndarray,
    direction: tuple[float, float, float],
    front_axis: tuple[float, float, float],
    side: np.ndarray,
    front: np.ndarray,
    back: np.ndarray | None = None,
    second: str = "",
    share: np.ndarray | None = None,
) -> Tube:
    """Tube with half widths `side` and half depths `front`, `back`, each (RINGS,), mm."""
    b = np.array(front_axis, float)
    # Front axis x direction, so that all tubes turn the same way.
    (bx, by, bz), (dx, dy, dz) = front_axis, direction
    a = np.array([by * dz - bz * dy, bz * dx - bx * dz, bx * dy - by * dx])
    depth = np.where(_COS > 0, front[:, None], (front if back is None else back)[:, None]) * _COS
    share = np.zeros(RINGS) if share is None else share
    return Tube(part, (frame, second or frame), share, place, a, b, side[:, None] * _SIN, depth)


def _limb(
    part: str,
    frame: str,
    length: float,
    radii: tuple[float, ...],
    extra: np.ndarray,
    flat: float = 1.0,
) -> Tube:
    """Limb along -y: radii at the shaft's six rings, mm, plus cloth `extra` (RINGS,), mm."""
    radius = np.concatenate([[radii[0]] * 2, radii, [radii[-1]] * 2]) + extra
    radius = radius * _CAP_RADIUS
    place = np.zeros((RINGS, 3))
    ends = np.where(_CAP < 0, radii[0] + extra[0], radii[-1] + extra[-1])
    place[:, 1] = -(_SHAFT * length + _CAP * ends)
    return _tube(part, frame, place, (0, -1, 0), (0, 0, 1), radius * flat, radius)


def _arm(body: Body, outfit: Outfit, side: str) -> list[Tube]:
    r = body.radii
    upper = -body.offsets[FRAMES.index(f"{side}_elbow"), 1]
    lower = -body.offsets[FRAMES.index(f"{side}_wrist"), 1]
    u, e, f, w = r["upper_arm"], r["elbow"], r["forearm"], r["wrist"]
    outwards = 1.0 if side == "left" else -1.0
    reach = body.offsets[FRAMES.index(f"{side}_shoulder")]
    collar = np.linspace(0.12, 1.0, RINGS)[:, None] * reach
    bulk = np.linspace(0.75, 1.0, RINGS) * u
    return [
        _tube(
            f"{side}_collar",
            f"{side}_clavicle",
            collar,
            (outwards, 0, 0),
            (0, 1, 0),
            bulk + outfit.top_slack / 2,
            bulk * 0.9 + outfit.top_slack / 2,
        ),
        _limb(
            f"{side}_upper_arm",
            f"{side}_shoulder",
            upper,
            (u * 1.08, u * 1.1, u * 1.02, u * 0.95, e * 1.02, e),
            outfit.sleeve(_SHAFT),
        ),
        _limb(
            f"{side}_forearm",
            f"{side}_elbow",
            lower,
            (e, f * 1.04, f, (f + w) / 2, w * 1.1, w),
            outfit.sleeve(_SHAFT + 1),
            0.92,
        ),
        _hand(body, side, (outwards, 0, 0)),
    ]


def _hand(body: Body, side: str, outwards: tuple[float, float, float]) -> Tube:
    palm = np.zeros((RINGS, 3))
    along = np.array([-0.05, 0, 0.12, 0.28, 0.42, 0.55, 0.68, 0.8, 0.93, 1.0])
    palm[:, 1] = body.points[f"{side}_hand"][1][1] * along
    size = body.radii["hand"]
    width = size * np.array([0.3, 0.6, 0.75, 0.95, 1.05, 1.0, 0.92, 0.82, 0.6, 0.1])
    thick = size * np.array([0.3, 0.55, 0.5, 0.48, 0.45, 0.4, 0.36, 0.32, 0.25, 0.05])
    return _tube(f"{side}_hand", f"{side}_wrist", palm, (0, -1, 0), outwards, width, thick)


def _leg(body: Body, outfit: Outfit, side: str) -> list[Tube]:
    r = body.radii
    thigh = -body.offsets[FRAMES.index(f"{side}_knee"), 1]
    shin = -body.offsets[FRAMES.index(f"{side}_ankle"), 1]
    t, k, c, a = r["thigh"], r["knee"], r["calf"], r["ankle"]
    return [
        _limb(
            f"{side}_thigh",
            f"{side}_hip",
            thigh,
            (t * 0.98, t * 1.02, t * 0.93, t * 0.8, (t + 2 * k) / 3, k),
            outfit.trouser(_SHAFT),
        ),
        _limb(
            f"{side}_shin",
            f"{side}_knee",
            shin,
            (k, c * 1.0, c * 1.04, c * 0.86, a * 1.15, a),
            outfit.trouser(_SHAFT + 1),
            0.94,
        ),
        _foot(body, side),
    ]


def _foot(body: Body, side: str) -> Tube:
    toe, heel = body.points[f"{side}_toe"][1], body.points[f"{side}_heel"][1]
    along = np.array([0, 0.03, 0.12, 0.25, 0.4, 0.55, 0.7, 0.85, 0.96, 1.0])
    up = np.array([0.2, 0.75, 1.0, 1.05, 0.85, 0.66, 0.52, 0.45, 0.36, 0.1]) * -toe[1]
    place = np.zeros((RINGS, 3))
    place[:, 2] = heel[2] + along * (toe[2] - heel[2])
    place[:, 1] = toe[1] + up * 0.4
    width = body.radii["foot"] * np.array([0.2, 0.6, 0.8, 0.85, 0.88, 0.95, 1.05, 1.0, 0.7, 0.1])
    return _tube(
        f"{side}_foot", f"{side}_ankle", place, (0, 0, 1), (0, 1, 0), width, up * 0.62, up * 0.4
    )


def _torso(body: Body, outfit: Outfit) -> Tube:
    tall = sum(body.offsets[FRAMES.index(frame), 1] for frame in ("chest", "neck"))
    place = np.zeros((RINGS, 3))
    place[:, 1] = TORSO_LEVELS * tall
    place[:, 2] = np.array([0, 0, 0, 4, 6, 2, 0, -6, -10, -8])
    side, front, back = _torso_outline(body) + outfit.torso_slack(TORSO_LEVELS)
    share = np.array([0, 0, 0, 0.25, 0.55, 0.9, 1, 1, 1, 1.0])
    tube = _tube("torso", "pelvis", place, (0, 1, 0), (0, 0, 1), side, front, back, "chest", share)
    tube.front[:] += _bust(body.radii["bust"])
    return tube


def _torso_outline(body: Body) -> np.ndarray:
    """Half width, depth in front and depth behind of the trunk's rings (3, RINGS), mm."""
    r, k = body.radii, body.height / 1750
    shoulder = abs(body.offsets[FRAMES.index("left_shoulder"), 0])
    hips, waist, d = r["hips"], r["waist"], r["depth"]
    flank, belly = (hips + waist) / 2, (r["belly"] + d) / 2
    side = [hips * 0.4, hips * 0.88, hips, flank, waist, r["ribs"], r["chest"], shoulder * 0.85]
    front = [d * 0.4, d * 0.8, d * 0.92, belly, r["belly"], d, d * 1.02, d * 0.72]
    back = [d * 0.5, d * 1.05, d * 1.12, d * 0.95, d * 0.82, d * 0.95, d * 1.05, d * 0.85]
    # The last two rings close the trunk around the base of the neck.
    ends = ([shoulder * 0.55, r["neck"] * 1.1], [62 * k, 52 * k], [70 * k, 55 * k])
    return np.array([[*rows, *end] for rows, end in zip((side, front, back), ends, strict=True)])


def _bust(size: float) -> np.ndarray:
    """Breasts: how far they stand off the trunk's outline (RINGS, SECTORS + 1), mm."""
    level = np.array([0, 0, 0, 0, 0.05, 0.55, 1.0, 0.25, 0, 0])
    return size * level[:, None] * np.exp(-(((np.abs(_COLUMN) - 0.55) / 0.35) ** 2))


def _head(body: Body, outfit: Outfit) -> list[Tube]:
    h = body.radii["head"]
    base = body.points["upper_neck"][1]
    place = np.zeros((RINGS, 3))
    place[:, 1] = base[1] + h * HEAD_LEVELS
    place[:, 2] = 18
    width = 0.31 * h * np.array([0.3, 0.55, 0.76, 0.88, 0.97, 1, 0.98, 0.84, 0.52, 0.02])
    front = 0.38 * h * np.array([0.6, 0.9, 0.97, 0.99, 1, 1, 0.97, 0.82, 0.5, 0.02])
    back = 0.38 * h * np.array([0.1, 0.4, 0.62, 0.82, 0.97, 1.03, 1.0, 0.86, 0.52, 0.02])
    head = _tube("head", "neck", place, (0, 1, 0), (0, 0, 1), width, front, back)
    volume = 1 + outfit.hair_volume(HEAD_LEVELS, _COLUMN)
    head.side[:] *= volume
    head.front[:] *= volume
    head.front[3:5, SECTORS // 2] += [0.09 * h, 0.05 * h]
    n = body.radii["neck"]
    throat = np.zeros((RINGS, 3))
    throat[:, 1] = np.linspace(-45, base[1] + 0.25 * h, RINGS)
    throat[:, 2] = np.linspace(0, 14, RINGS)
    thick = n * np.linspace(1.12, 0.92, RINGS)
    share = np.linspace(0.0, 1.0, RINGS)
    neck = _tube(
        "neck",
        "chest",
        throat + body.offsets[FRAMES.index("neck")],
        (0, 1, 0),
        (0, 0, 1),
        thick,
        thick,
        None,
        "neck",
        share,
    )
    return [head, neck, *_head_extra(h, base, outfit)]


def _head_extra(h: float, base: np.ndarray, outfit: Outfit) -> list[Tube]:
    """Long hair, a pony tail, a bun or the peak of a cap."""
    t = np.linspace(0, 1, RINGS)[:, None]
    if outfit.head_extra == "peak":
        start, end = np.array([0, 0.74 * h, 0.25 * h]), np.array([0, 0.68 * h, 0.72 * h])
        width = 0.27 * h * np.sqrt(np.clip(1 - t[:, 0] ** 3, 0.002, 1))
        thick = np.full(RINGS, 0.03 * h)
        direction, front = (0, 0, 1), (0, 1, 0)
    elif outfit.head_extra in ("long_hair", "pony_tail"):
        long = outfit.head_extra == "long_hair"
        start = np.array([0, (0.8 if long else 0.7) * h, (-0.2 if long else -0.38) * h])
        end = np.array([0, -0.35 * h, (-0.3 if long else -0.5) * h])
        width = (0.34 if long else 0.11) * h * np.sin(np.pi * (0.12 + 0.8 * t[:, 0])) ** 0.6
        thick = width * (0.55 if long else 1.0)
        direction, front = (0, -1, 0), (0, 0, 1)
    elif outfit.head_extra == "bun":
        start, end = np.array([0, 0.62 * h, -0.3 * h]), np.array([0, 0.86 * h, -0.52 * h])
        width = thick = 0.17 * h * np.sqrt(np.clip(1 - (2 * t[:, 0] - 1) ** 2, 0.01, 1))
        direction, front = (0, 1, 0), (0, 0, 1)
    else:
        return []
    place = base * np.array([0, 1, 0]) + start + t * (end - start)
    return [_tube("head_extra", "neck", place, direction, front, width, thick)]


def _skirt(body: Body, outfit: Outfit) -> Tube:
    """Cloth around both thighs; it widens as they part."""
    t = np.linspace(0, 1, RINGS)
    length = -body.offsets[FRAMES.index("left_knee"), 1]
    place = np.zeros((RINGS, 3))
    place[:, 1] = 70 - t * (70 + outfit.skirt_length * length)
    hip = body.offsets[FRAMES.index("left_hip"), 0]
    width = np.interp(
        t, [0, 0.25, 1], [body.radii["waist"], body.radii["hips"], body.radii["hips"] + 25]
    )
    width = width + 14 - hip * np.minimum(t * 4, 1)
    depth = np.interp(
        t,
        [0, 0.25, 1],
        [body.radii["depth"] * 0.9, body.radii["depth"] * 1.15, body.radii["depth"] * 1.2],
    )
    tube = _tube(
        "skirt",
        "left_hip",
        place,
        (0, -1, 0),
        (0, 0, 1),
        width,
        depth + 14,
        None,
        "right_hip",
        np.full(RINGS, 0.5),
    )
    return tube._replace(spans_frames=True)


@dataclass(frozen=True)
class Figure:
    """All tubes of one dressed body as arrays over rings (R = tubes x RINGS).

    `textures` (P, 64, 64, 3) uint8 RGB, rows along a tube from its first ring, columns around it.
    """

    parts: tuple[str, ...]
    frames: np.ndarray
    share: np.ndarray
    offsets: np.ndarray
    axes: np.ndarray
    outline: np.ndarray
    spans: np.ndarray
    textures: np.ndarray


def build_figure(body: Body, outfit: Outfit) -> Figure:
    """Dress a body: collect its tubes and their textures."""
    tubes = [_torso(body, outfit), *_head(body, outfit)]
    for side in SIDES:
        tubes += [*_arm(body, outfit, side), *_leg(body, outfit, side)]
    if outfit.skirt_length > 0:
        tubes.append(_skirt(body, outfit))
    frames = np.repeat([[FRAMES.index(f) for f in tube.frames] for tube in tubes], RINGS, axis=0)
    rest = {
        "chest": body.offsets[FRAMES.index("chest")],
        "neck": body.offsets[FRAMES.index("neck")],
    }
    place = np.concatenate([tube.place for tube in tubes])
    offsets = np.stack([place, place], axis=1)
    for i, tube in enumerate(tubes):
        if tube.frames in (("pelvis", "chest"), ("chest", "neck")):
            offsets[i * RINGS : (i + 1) * RINGS, 1] -= rest[tube.frames[1]]
    axes = np.array([[tube.side_axis, tube.front_axis] for tube in tubes])
    return Figure(
        parts=tuple(tube.part for tube in tubes),
        frames=frames,
        share=np.concatenate([tube.share for tube in tubes]),
        offsets=offsets,
        axes=np.repeat(axes, RINGS, axis=0),
        outline=np.stack(
            [np.concatenate([t.side for t in tubes]), np.concatenate([t.front for t in tubes])], 1
        ),
        spans=np.repeat([tube.spans_frames for tube in tubes], RINGS),
        textures=np.stack([outfit.texture(tube.part) for tube in tubes]),
    )


def pose_figure(figure: Figure, posture: Posture) -> np.ndarray:
    """World vertices (P, RINGS, SECTORS + 1, 3), mm, of a figure in the first posture."""
    origins, rotations = posture.origins[0], posture.rotations[0]
    share = figure.share[:, None, None]
    first, second = figure.frames.T
    ends = np.stack(
        [
            origins[f] + (rotations[f] @ figure.offsets[:, i, :, None])[..., 0]
            for i, f in enumerate((first, second))
        ],
        axis=1,
    )
    centre = (1 - share[:, 0]) * ends[:, 0] + share[:, 0] * ends[:, 1]
    blended = (1 - share) * rotations[first] + share * rotations[second]
    axes = figure.axes @ blended.transpose(0, 2, 1)
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    gap = np.abs((axes @ (ends[:, 1] - ends[:, 0])[..., None])[..., 0]) / 2 * figure.spans[:, None]
    outline = figure.outline + np.stack([gap[:, :1] * _SIN, gap[:, 1:] * _COS], axis=1)
    vertices = centre[:, None] + np.einsum("rac,rad->rcd", outline, axes)
    return vertices.reshape(len(figure.parts), RINGS, SECTORS + 1, 3)
