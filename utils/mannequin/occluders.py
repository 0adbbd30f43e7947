"""Things in front of people: poles, rails, boxes, panels, balls, leaves; at rest or passing by."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from utils.mannequin.textures import colour, colourise, grain


@dataclass(frozen=True)
class Occluder:
    """A flat patch facing the camera at `depth` mm: outline (K, 2) in px, colours (2, 3) RGB.

    `seed` chooses its grain. It moves by `velocity` px/s and is where its outline is at `time` s.
    """

    outline: np.ndarray
    depth: float
    colours: np.ndarray
    seed: int = 0
    velocity: tuple[float, float] = (0.0, 0.0)
    time: float = 0.0

    def at(self, time: float) -> "Occluder":
        """Where it is at another time."""
        way = (time - self.time) * np.array(self.velocity)
        return replace(self, outline=self.outline + way, time=time)


def sample_occluders(
    rng: np.random.Generator, joints: np.ndarray, nearest: float, width: int, height: int
) -> tuple[Occluder, ...]:
    """Draw none to three occluders over image points `joints` (J, 2), nearer than `nearest` mm."""
    count = int(rng.choice([0, 1, 2, 3], p=[0.62, 0.25, 0.1, 0.03]))
    low, high = joints.min(axis=0), joints.max(axis=0)
    reach = float((high - low).max())
    chances = [0.2, 0.15, 0.06, 0.22, 0.22, 0.15]
    outlines = (_outline(rng, joints, reach, width, height, chances) for _ in range(count))
    return tuple(_thing(rng, outline, nearest) for outline in outlines)


def sample_passing(
    rng: np.random.Generator,
    joints: np.ndarray,
    seconds: float,
    nearest: float,
    width: int,
    height: int,
) -> tuple[Occluder, ...]:
    """Draw one or more things that pass in front of a person whose image points over `seconds` are
    `joints` (T, J, 2), each over some joint at some time, nearer than `nearest` mm."""
    reach = float(np.median(np.ptp(joints, axis=1).max(axis=-1)))
    found = []
    for _ in range(1 + rng.poisson(seconds)):
        frame = rng.integers(len(joints))
        outline = _outline(rng, joints[frame], reach, width, height, [0.25, 0, 0, 0.25, 0.25, 0.25])
        direction = np.array([rng.choice([-1.0, 1.0]), rng.normal(0, 0.3)])
        x, y = reach * rng.uniform(0.3, 1.2) * direction
        time = seconds * frame / len(joints)
        thing = _thing(rng, outline, nearest)
        found.append(replace(thing, velocity=(float(x), float(y)), time=time))
    return tuple(found)


def _thing(rng: np.random.Generator, outline: np.ndarray, nearest: float) -> Occluder:
    """Something of that outline (K, 2), px, of any colours, nearer than `nearest` mm."""
    base = colour(rng, 0.28, 0.5)
    ramp = np.stack([base, np.clip(base + rng.normal(0, 30), 0, 255)])
    depth = nearest * rng.uniform(0.4, 0.95)
    return Occluder(outline, depth, ramp, int(rng.integers(2**31)))


def _outline(
    rng: np.random.Generator,
    joints: np.ndarray,
    reach: float,
    width: int,
    height: int,
    chances: list[float],
) -> np.ndarray:
    """Outline (K, 2), px, near a joint: pole, rail, wall, box, ball or bush with these chances."""
    at = joints[rng.integers(len(joints))] + rng.normal(0, 0.06 * reach, 2)
    kind = int(rng.choice(6, p=chances))
    far = 2.0 * (width + height)
    if kind < 2:
        return _bar(rng, at, reach, far, lies=kind == 1)
    if kind == 2:
        # A wall, table or board that hides everything below its upper edge.
        slope = rng.normal(0, 0.06) * far
        y = joints[:, 1].min() + rng.uniform(0.55, 0.95) * np.ptp(joints[:, 1])
        return np.array([[-far, y - slope], [far, y + slope], [far, far], [-far, far]])
    if kind == 3:
        size = reach * rng.uniform(0.06, 0.2, 2)
        turn = rng.normal(0, 0.3)
        box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size
        c, s = np.cos(turn), np.sin(turn)
        return at + box @ np.array([[c, s], [-s, c]])
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = reach * rng.uniform(0.04, 0.13) * np.ones(24)
    if kind == 5:
        radius *= rng.uniform(0.5, 1.5, 24)
    return at + radius[:, None] * np.stack([np.cos(around), np.sin(around)], -1)


def _bar(
    rng: np.random.Generator, at: np.ndarray, reach: float, far: float, lies: bool
) -> np.ndarray:
    """Outline (4, 2), px, of a pole across the picture, or of a rail of a fence, which lies."""
    along = np.array([rng.normal(0, 0.05), 1.0])
    if lies:
        along = along[::-1]
    across = along[::-1] * [1, -1] * reach * rng.uniform(0.015, 0.06)
    ends = at + far * np.stack([-along, along, along, -along])
    return ends + across * np.array([[-1], [-1], [1], [1]])


def occluder_mask(occluder: Occluder, width: int, height: int, scale: int) -> np.ndarray:
    """Where it covers a picture enlarged `scale` times, (height * scale, width * scale) bool."""
    mask = np.zeros((height * scale, width * scale), np.uint8)
    places = (occluder.outline + 0.5) * scale - 0.5
    cv2.fillPoly(mask, [np.round(places * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return mask.astype(bool)


def occluder_texture(occluder: Occluder, width: int, height: int) -> np.ndarray:
    """Its colours over the whole picture, (height, width, 3) uint8 RGB."""
    rng = np.random.default_rng(occluder.seed)
    return colourise(grain(rng, width, height, rng.uniform(1, 4)), occluder.colours)
