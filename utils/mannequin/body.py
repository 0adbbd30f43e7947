"""A mannequin's body: its bones, how thick it is, and where pose angles put its joints.

World and body frames: x to the person's left, y up, z forward, mm, right-handed. All bone
lengths are fixed by the `Body`; a pose only turns frames.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from utils.mannequin.angles import NAMES, SIDES
from utils.skeletons import H36M_17, MPII_16


class _Frame(NamedTuple):
    """A turning part: R = Ry(a) Rx(b) Rz(c) Ry(d) in its parent, each a signed sum of angles."""

    parent: str
    a: str = ""
    b: str = ""
    c: str = ""
    d: str = ""


def _side_frames(side: str) -> dict[str, _Frame]:
    """Frames of the limbs. A turn that a mirror image reverses has the side's sign."""
    s, t = ("+", "-") if side == "left" else ("-", "+")
    p = f"{side}_"
    return {
        f"{p}clavicle": _Frame("chest", c=f"{s}{p}clavicle_raise", d=f"{t}{p}clavicle_forward"),
        f"{p}shoulder": _Frame(
            f"{p}clavicle",
            a=f"{t}{p}shoulder_direction",
            c=f"{s}{p}shoulder_raise",
            d=f"{s}{p}shoulder_direction {t}{p}shoulder_twist",
        ),
        f"{p}elbow": _Frame(f"{p}shoulder", b=f"-{p}elbow_flex", d=f"{t}{p}forearm_twist"),
        f"{p}wrist": _Frame(f"{p}elbow", b=f"-{p}wrist_side", c=f"{t}{p}wrist_flex"),
        f"{p}hip": _Frame("pelvis", b=f"-{p}hip_flex", c=f"{s}{p}hip_spread", d=f"{s}{p}hip_twist"),
        f"{p}knee": _Frame(f"{p}hip", b=f"+{p}knee_flex"),
        f"{p}ankle": _Frame(f"{p}knee", b=f"+{p}ankle_flex", c=f"{t}{p}ankle_side"),
    }


_TREE: dict[str, _Frame] = {
    "pelvis": _Frame("", a="+yaw", b="+pitch", c="-roll"),
    "waist": _Frame("pelvis", b="+lumbar_flex", c="-lumbar_side", d="+lumbar_twist"),
    "chest": _Frame("waist", b="+chest_flex", c="-chest_side", d="+chest_twist"),
    "neck": _Frame("chest", b="+neck_flex", c="-neck_side", d="+neck_twist"),
    **_side_frames("left"),
    **_side_frames("right"),
}
FRAMES = tuple(_TREE)
_PARENTS = tuple(FRAMES.index(f.parent) if f.parent else -1 for f in _TREE.values())


def _turn_matrix() -> np.ndarray:
    """Linear map (A, F * 4) from pose rows to the four turns of every frame, in radians."""
    matrix = np.zeros((len(NAMES), len(_TREE), 4))
    for f, frame in enumerate(_TREE.values()):
        for turn, terms in enumerate(frame[1:]):
            for term in terms.split():
                matrix[NAMES.index(term[1:]), f, turn] = 1.0 if term[0] == "+" else -1.0
    return np.radians(matrix.reshape(len(NAMES), -1))


_TURNS = _turn_matrix()


@dataclass(frozen=True)
class Body:
    """One person's build.

    `offsets` (F, 3): where each of `FRAMES` starts in its parent frame, mm. `points`: named places
    fixed to a frame, (frame, offset (3,) mm). `radii`: half thickness of named body parts, mm.
    `femininity` in [0, 1] shapes hips, waist, chest and shoulders.
    """

    height: float
    femininity: float
    offsets: np.ndarray
    points: dict[str, tuple[str, np.ndarray]]
    radii: dict[str, float]


def sample_body(rng: np.random.Generator) -> Body:
    """Draw a build: adults of both sexes, thin to stout, one child in twelve."""
    f = float(np.clip(rng.choice([0.1, 0.9]) + rng.normal(0, 0.15), 0, 1))
    child = rng.random() < 1 / 12
    height = rng.uniform(1150, 1450) if child else rng.normal(1765 - 120 * f, 70)
    girth = float(np.clip(rng.normal(1.0, 0.13), 0.75, 1.4))
    muscle = float(np.clip(rng.normal(1.08 - 0.12 * f, 0.08), 0.85, 1.3))
    head = height * rng.normal(0.138, 0.004) * (1.18 if child else 1.0)
    lengths = _lengths(rng, height, head, f)
    radii = _radii(height, head, f, girth, muscle)
    return Body(height, f, _offsets(lengths), _points(lengths, head), radii)


def _lengths(rng: np.random.Generator, height: float, head: float, f: float) -> dict[str, float]:
    """Bone lengths, mm: fractions of height (Drillis & Contini 1964), varied by a few percent."""
    leg, arm = rng.normal(1.0, 0.025, 2)
    spine = height * 0.2875
    return {
        "thigh": height * 0.245 * leg,
        "shin": height * 0.246 * leg,
        "ankle": height * 0.042,
        "foot": height * rng.normal(0.118, 0.004),
        "hip": height * (rng.normal(0.058, 0.004) + 0.005 * f),
        "spine": spine * 0.47,
        "thorax": spine * 0.53,
        "neck": height * rng.normal(0.052, 0.004),
        "head": head,
        "shoulder": height * (rng.normal(0.103, 0.005) - 0.009 * f),
        "upper_arm": height * 0.167 * arm,
        "forearm": height * 0.148 * arm,
        "hand": height * 0.104 * arm,
    }


def _radii(height: float, head: float, f: float, girth: float, muscle: float) -> dict[str, float]:
    """Half thicknesses, mm, of an average adult scaled by height, girth and muscle."""
    k = height / 1750
    fat = k * girth
    limb = fat**0.6 * k**0.4 * muscle
    return {
        "hips": fat * (158 + 14 * f),
        "waist": fat**1.2 * (136 - 14 * f),
        "ribs": fat * (148 - 12 * f),
        "chest": k * girth**0.7 * (165 - 18 * f) * muscle**0.5,
        "depth": fat * 104,
        "belly": k * 98 * girth**1.7,
        "bust": k * 34 * f * girth,
        "thigh": limb * (80 + 6 * f),
        "knee": limb * 50,
        "calf": limb * 55,
        "ankle": k * 35,
        "upper_arm": limb * (50 - 7 * f),
        "elbow": limb * (38 - 4 * f),
        "forearm": limb * (41 - 5 * f),
        "wrist": k * (27 - 2 * f),
        "neck": k * girth**0.5 * (60 - 9 * f),
        "head": head,
        "hand": k * 42,
        "foot": k * 45,
    }


def _offsets(n: dict[str, float]) -> np.ndarray:
    """Start of each frame in its parent frame (F, 3), mm."""
    offsets = {
        "pelvis": (0, 0, 0),
        "waist": (0, 0, 0),
        "chest": (0, n["spine"], 0),
        "neck": (0, n["thorax"], -12),
    }
    for side, s in zip(SIDES, (1, -1), strict=True):
        offsets |= {
            f"{side}_clavicle": (0, n["thorax"], -12),
            f"{side}_shoulder": (s * n["shoulder"], -0.033 * n["head"] - 28, 5),
            f"{side}_elbow": (0, -n["upper_arm"], 0),
            f"{side}_wrist": (0, -n["forearm"], 0),
            f"{side}_hip": (s * n["hip"], 0, 0),
            f"{side}_knee": (0, -n["thigh"], 0),
            f"{side}_ankle": (0, -n["shin"], 0),
        }
    return np.array([offsets[frame] for frame in FRAMES], float)


def _points(n: dict[str, float], head: float) -> dict[str, tuple[str, np.ndarray]]:
    """Named places of the body that are not the start of a frame."""
    points = {
        "thorax_front": ("chest", (0, n["thorax"] - 22, 10)),
        "upper_neck": ("neck", (0, n["neck"], 16)),
        "neck_nose": ("neck", (0, n["neck"] + 0.05 * head, 48)),
        "head_centre": ("neck", (0, n["neck"] + 0.50 * head, 30)),
        "head_top": ("neck", (0, n["neck"] + head - 14, 22)),
    }
    for side in SIDES:
        points |= {
            f"{side}_hand": (f"{side}_wrist", (0, -n["hand"], 0)),
            f"{side}_heel": (f"{side}_ankle", (0, -n["ankle"], -0.28 * n["foot"])),
            f"{side}_toe": (f"{side}_ankle", (0, -n["ankle"], n["foot"])),
        }
    return {name: (frame, np.array(offset, float)) for name, (frame, offset) in points.items()}


class Posture(NamedTuple):
    """Where a pose puts the frames of a body: origins (N, F, 3) mm, rotations (N, F, 3, 3)."""

    origins: np.ndarray
    rotations: np.ndarray

    def frame(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Origin (N, 3) and rotation (N, 3, 3) of one frame."""
        i = FRAMES.index(name)
        return self.origins[:, i], self.rotations[:, i]

    def moved(self, shift: np.ndarray) -> "Posture":
        """The same posture moved by (N, 3) or (3,), mm."""
        return Posture(self.origins + np.asarray(shift)[..., None, :], self.rotations)


def forward_kinematics(body: Body, poses: np.ndarray) -> Posture:
    """Pose rows (N, A) -> posture with the pelvis at the origin."""
    turns = (poses @ _TURNS).reshape(len(poses), len(FRAMES), 4)
    local = _rotations(turns)
    origins = np.zeros((len(poses), len(FRAMES), 3))
    rotations = np.empty_like(local)
    rotations[:, 0] = local[:, 0]
    for i in range(1, len(FRAMES)):
        p = _PARENTS[i]
        rotations[:, i] = rotations[:, p] @ local[:, i]
        origins[:, i] = origins[:, p] + rotations[:, p] @ body.offsets[i]
    return Posture(origins, rotations)


def _rotations(turns: np.ndarray) -> np.ndarray:
    """Turns (..., 4) in radians -> Ry(a) Rx(b) Rz(c) Ry(d) (..., 3, 3)."""
    c, s = np.cos(turns), np.sin(turns)
    zero, one = np.zeros_like(c[..., 0]), np.ones_like(c[..., 0])

    def stack(*rows: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    first = stack((c[..., 0], zero, s[..., 0]), (zero, one, zero), (-s[..., 0], zero, c[..., 0]))
    second = stack((one, zero, zero), (zero, c[..., 1], -s[..., 1]), (zero, s[..., 1], c[..., 1]))
    third = stack((c[..., 2], -s[..., 2], zero), (s[..., 2], c[..., 2], zero), (zero, zero, one))
    fourth = stack((c[..., 3], zero, s[..., 3]), (zero, one, zero), (-s[..., 3], zero, c[..., 3]))
    return first @ second @ third @ fourth


# Human3.6M puts the spine half-way up, the thorax at the base of the neck, "neck_nose" below the
# chin and "head" in the middle of the skull; MPII the thorax at the collar bones, the upper neck
# at its top end and the head's top on the scalp. Measured on the sample poses of both.
_MPII_PLACES = {
    "pelvis": "pelvis",
    "thorax": "thorax_front",
    "upper_neck": "upper_neck",
    "head_top": "head_top",
}
_H36M_PLACES = {
    "hip": "pelvis",
    "spine": "chest",
    "thorax": "neck",
    "neck_nose": "neck_nose",
    "head": "head_centre",
}


def places(body: Body, posture: Posture, names: tuple[str, ...]) -> np.ndarray:
    """World places (N, len(names), 3), mm, of frames' origins or named points."""
    found = []
    for name in names:
        if name in body.points:
            frame, offset = body.points[name]
            origin, rotation = posture.frame(frame)
            found.append(origin + rotation @ offset)
        else:
            found.append(posture.frame(name)[0])
    return np.stack(found, axis=1)


def mpii_joints(body: Body, posture: Posture) -> np.ndarray:
    """The 16 joints of MPII, world (N, 16, 3), mm."""
    return places(body, posture, tuple(_MPII_PLACES.get(j, j) for j in MPII_16.joints))


def h36m_joints(body: Body, posture: Posture) -> np.ndarray:
    """The 17 joints of Human3.6M, world (N, 17, 3), mm."""
    return places(body, posture, tuple(_H36M_PLACES.get(j, j) for j in H36M_17.joints))


_CONTACTS: dict[str, str] = {
    "head_top": "",
    "head_centre": "skull",
    "pelvis": "depth",
    "chest": "depth",
    **{
        f"{s}_{p}": r
        for s in SIDES
        for p, r in {
            "hand": "",
            "wrist": "wrist",
            "elbow": "elbow",
            "shoulder": "upper_arm",
            "hip": "thigh",
            "knee": "knee",
            "ankle": "ankle",
            "heel": "",
            "toe": "",
        }.items()
    },
}


def contact_points(body: Body, posture: Posture) -> np.ndarray:
    """Undersides (N, C, 3), mm, of all places of the skin that may touch the floor."""
    points = places(body, posture, tuple(_CONTACTS))
    radii = body.radii | {"": 0.0, "skull": body.radii["head"] * 0.42}
    points[..., 1] -= np.array([radii[r] for r in _CONTACTS.values()])
    return points


def standing(body: Body, poses: np.ndarray) -> Posture:
    """Posture of pose rows (N, A) on the floor y = 0, the pelvis above the origin, `lift` added."""
    posture = forward_kinematics(body, poses)
    height = poses[:, NAMES.index("lift")] - contact_points(body, posture)[..., 1].min(axis=1)
    return posture.moved(height[:, None] * np.array([0.0, 1.0, 0.0]))
