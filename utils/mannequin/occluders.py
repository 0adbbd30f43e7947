"""Things that stand in front of people: poles, rails, boxes, panels, balls, leaves."""

from dataclasses import dataclass

import cv2
import numpy as np

from utils.mannequin.textures import colour, colourise, grain


@dataclass(frozen=True)
class Occluder:
    """A flat patch facing the camera at `depth` mm: outline (K, 2) in px, colours (2, 3) RGB.

    `seed` chooses its grain.
    """

    outline: np.ndarray
    depth: float
    colours: np.ndarray
    seed: int = 0


def sample_occluders(
    rng: np.random.Generator, joints: np.ndarray, nearest: float, width: int, height: int
) -> tuple[Occluder, ...]:
    """Draw none to three occluders over image points `joints` (J, 2), nearer than `nearest` mm."""
    count = int(rng.choice([0, 1, 2, 3], p=[0.62, 0.25, 0.1, 0.03]))
    low, high = joints.min(axis=0), joints.max(axis=0)
    reach = float((high - low).max())
    found = []
    for _ in range(count):
        outline = _outline(rng, joints, reach, width, height)
        base = colour(rng, 0.28, 0.5)
        ramp = np.stack([base, np.clip(base + rng.normal(0, 30), 0, 255)])
        depth = nearest * rng.uniform(0.4, 0.95)
        found.append(Occluder(outline, depth, ramp, int(rng.integers(2**31))))
    return tuple(found)


def _outline(
    rng: np.random.Generator, joints: np.ndarray, reach: float, width: int, height: int
) -> np.ndarray:
    """Outline (K, 2), px, of a pole, rail, wall, box, ball or bush near a joint."""
    at = joints[rng.integers(len(joints))] + rng.normal(0, 0.06 * reach, 2)
    kind = int(rng.choice(6, p=[0.2, 0.15, 0.06, 0.22, 0.22, 0.15]))
    far = 2.0 * (width + height)
    if kind < 2:
        # A pole, or a rail of a fence.
        along = np.array([rng.normal(0, 0.05), 1.0])
        if kind == 1:
            along = along[::-1]
        across = along[::-1] * [1, -1] * reach * rng.uniform(0.015, 0.06)
        return np.stack(
            [
                at - far * along - across,
                at + far * along - across,
                at + far * along + across,
                at - far * along + across,
            ]
        )
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
