"""What is behind the people: a floor in true perspective with a wall, trees or a crowd at its far
end, a cluttered blur, or a plain studio."""

from dataclasses import dataclass

import cv2
import numpy as np

from utils.mannequin.framing import Cameras
from utils.mannequin.textures import NOISE_TILES, TILE, colour, colourise, grain, near, pool

_GRASS, _SAND, _WOOD = (88, 122, 58), (196, 172, 130), (168, 124, 82)
_ASPHALT, _SNOW, _CLAY = (110, 110, 112), (228, 232, 238), (178, 98, 70)
_SKY, _LEAVES, _STONE = (150, 190, 235), (52, 78, 40), (150, 142, 132)


@dataclass(frozen=True)
class Backdrop:
    """A painted background (H, W, 3) uint8 RGB and where in it is floor (H, W) bool."""

    image: np.ndarray
    floor: np.ndarray


def paint_backdrop(
    rng: np.random.Generator, cameras: Cameras, depth: float, width: int, height: int
) -> Backdrop:
    """Paint the background seen by the first camera; people stand about `depth` mm away."""
    kind = rng.random()
    if kind < 0.68:
        return _place(rng, cameras, depth, width, height)
    image = _clutter(rng, width, height) if kind < 0.9 else _studio(rng, width, height)
    return Backdrop(image, np.zeros((height, width), bool))


def _studio(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A smooth gradient between four corners."""
    base = colour(rng, 0.25, 0.6)
    corners = np.array([near(rng, tuple(base), 25) for _ in range(4)], np.float32)
    return cv2.resize(corners.reshape(2, 2, 3), (width, height)).astype(np.uint8)


def _clutter(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A texture strewn with shapes of all colours, sharp or out of focus."""
    ramp = np.stack([colour(rng, 0.28) for _ in range(rng.integers(2, 5))])
    image = colourise(grain(rng, width, height, rng.uniform(0.7, 6)), ramp)
    size = np.array([width, height])
    for _ in range(int(rng.integers(4, 30))):
        shade = colour(rng, 0.3).tolist()
        centre = rng.random(2) * size
        radius = size.max() * rng.uniform(0.02, 0.25)
        kind = rng.random()
        if kind < 0.35:
            points = centre + rng.normal(0, radius, (int(rng.integers(3, 7)), 2))
            cv2.fillConvexPoly(image, cv2.convexHull(points.astype(np.int32)), shade, cv2.LINE_AA)
        elif kind < 0.65:
            axes = (int(radius * rng.uniform(0.2, 1)), int(radius * rng.uniform(0.2, 1)))
            middle = (int(centre[0]), int(centre[1]))
            cv2.ellipse(
                image, middle, axes, float(rng.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA
            )
        else:
            ends = (centre + rng.normal(0, 3 * radius, (2, 2))).astype(int).tolist()
            cv2.line(image, ends[0], ends[1], shade, int(rng.integers(1, 12)), cv2.LINE_AA)
    return _defocused(rng, image, 3.0)


def _defocused(rng: np.random.Generator, image: np.ndarray, most: float) -> np.ndarray:
    sigma = rng.uniform(0, most) * image.shape[0] / 256
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.4 else image


def _place(
    rng: np.random.Generator, cameras: Cameras, depth: float, width: int, height: int
) -> Backdrop:
    """A floor up to a far edge, and what rises behind it."""
    fx, fy, cx, cy = cameras.intrinsics[0]
    unproject = np.array([[1 / fx, 0, -cx / fx], [0, 1 / fy, -cy / fy], [0, 0, 1]])
    rays = cameras.rotation[0].T @ unproject
    position = cameras.position[0]
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(height, dtype=np.float32)[:, None]
    across, forward = rays.astype(np.float32)[1:]
    down = -(across[0] * x + (across[1] * y + across[2]))
    ahead = forward[0] * x + (forward[1] * y + forward[2])
    # Distance along z at which the ray meets the floor; the far edge lies beyond the people.
    distance = np.float32(position[1]) * ahead / np.maximum(down, np.float32(1e-9))
    edge = depth * np.exp(rng.uniform(0.2, 2.5))
    floor = (down > 0) & (distance < edge)
    image = _defocused(rng, _far_side(rng, width, height), 2.0)
    ground = _floor(rng, rays, position, width, height)
    # Fine grain in the distance would flicker: it fades into the mean colour.
    fade = np.clip((distance - depth) / np.float32(4 * depth), 0, 1)
    mean = np.empty_like(ground)
    mean[:] = cv2.mean(ground, floor.astype(np.uint8))[:3]
    ground = cv2.blendLinear(ground, mean, 1 - fade, fade)
    cv2.copyTo(ground, floor.astype(np.uint8), image)
    if rng.random() < 0.35:
        near_edge = floor & (distance > edge * rng.uniform(0.7, 0.97))
        image[near_edge] = colour(rng, 0.35).astype(np.uint8)
    return Backdrop(image, floor)


def _floor(
    rng: np.random.Generator, rays: np.ndarray, position: np.ndarray, width: int, height: int
) -> np.ndarray:
    """Floor picture (H, W, 3) uint8, by the homography of the plane y = 0."""
    kind = int(rng.integers(9))
    if kind < 7:
        base = (_GRASS, _GRASS, _SAND, _ASPHALT, _SNOW, _CLAY, _WOOD)[kind]
        ramp = np.stack([near(rng, base, 22), near(rng, base, 22)])
    else:
        base = colour(rng, 0.25, 0.6)
        ramp = np.stack([base, base + rng.normal(0, 15)])
    # Out of doors the ground is noise; wood and other floors have planks and tiles too.
    tile = pool()[rng.integers(3, NOISE_TILES if kind < 6 else len(pool()))]
    texture = colourise(tile, ramp)
    if rng.random() < 0.4:
        _line_markings(rng, texture)
    scale = rng.uniform(2500, 9000) / TILE
    turn = rng.uniform(0, np.pi)
    along_x = position[0] * rays[1] - position[1] * rays[0]
    along_z = position[2] * rays[1] - position[1] * rays[2]
    c, s = np.cos(turn) / scale, np.sin(turn) / scale
    homography = np.stack([c * along_x - s * along_z, s * along_x + c * along_z, rays[1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (width, height)
    return cv2.warpPerspective(texture, homography, size, flags=flags, borderMode=cv2.BORDER_WRAP)


def _line_markings(rng: np.random.Generator, texture: np.ndarray) -> None:
    """Draw the lines of a pitch or court into a floor tile, in place."""
    shade = near(rng, (235, 235, 230), 10).tolist()
    for _ in range(int(rng.integers(1, 3))):
        at, thick = int(rng.integers(20, TILE - 20)), int(rng.integers(2, 6))
        if rng.random() < 0.5:
            cv2.line(texture, (at, 0), (at, TILE), shade, thick)
        else:
            cv2.circle(texture, (TILE // 2, TILE // 2), at // 2 + 10, shade, thick)


def _far_side(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A wall, sky over trees, a street of buildings, or a crowd, (H, W, 3) uint8."""
    painters = (_wall, _open_air, _open_air, _buildings, _crowd, _clutter)
    return painters[rng.integers(len(painters))](rng, width, height)


def _wall(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    base = tuple(near(rng, _STONE, 30)) if rng.random() < 0.5 else tuple(colour(rng, 0.25, 0.7))
    ramp = np.stack([near(rng, base, 14), near(rng, base, 14)])
    image = colourise(grain(rng, width, height, rng.uniform(0.8, 5)), ramp)
    for _ in range(int(rng.integers(0, 6))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = int(width * rng.uniform(0.08, 0.4)), int(height * rng.uniform(0.1, 0.6))
        cv2.rectangle(image, (x, y), (x + w, y + h), colour(rng, 0.4).tolist(), -1)
        cv2.rectangle(
            image, (x, y), (x + w, y + h), colour(rng, 0.2).tolist(), int(rng.integers(1, 5))
        )
    _lettering(rng, image)
    return image


def _lettering(rng: np.random.Generator, image: np.ndarray) -> None:
    """Words of an advertising board, in place, on about every third wall."""
    if rng.random() > 0.35:
        return
    height, width = image.shape[:2]
    letters = "".join(chr(65 + int(i)) for i in rng.integers(0, 26, int(rng.integers(3, 9))))
    place = (int(rng.uniform(-0.1, 0.5) * width), int(rng.uniform(0.3, 0.9) * height))
    size = height / 256 * rng.uniform(0.8, 2.5)
    weight = max(int(size * rng.uniform(1, 4)), 1)
    cv2.putText(image, letters, place, 0, size, colour(rng, 0.6).tolist(), weight, cv2.LINE_AA)


def _open_air(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Sky with clouds over hedges, trees or hills."""
    sky = near(rng, _SKY, 25)
    clouds = np.stack([sky, near(rng, (232, 236, 240), 10)])
    image = colourise(grain(rng, width, height, rng.uniform(2, 8), natural=True), clouds)
    for _ in range(int(rng.integers(1, 4))):
        line = np.interp(
            np.arange(width),
            np.linspace(0, width, 9),
            rng.uniform(0.1, 0.75) + rng.normal(0, 0.06, 9),
        )
        leaves = np.stack([near(rng, _LEAVES, 22), near(rng, (104, 128, 76), 25)])
        trees = colourise(grain(rng, width, height, rng.uniform(0.6, 2), natural=True), leaves)
        mask = np.arange(height)[:, None] > line * height
        cv2.copyTo(trees, mask.astype(np.uint8), image)
    return image


def _buildings(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Fronts with rows of windows, before the sky."""
    image = _studio(rng, width, height)
    x = -int(rng.integers(0, 40))
    while x < width:
        w = int(width * rng.uniform(0.15, 0.6))
        top = int(height * rng.uniform(-0.1, 0.4))
        cv2.rectangle(image, (x, top), (x + w, height), colour(rng, 0.25, 0.55).tolist(), -1)
        step_x, step_y = int(rng.integers(14, 40)), int(rng.integers(16, 45))
        glass = colour(rng, 0.2, 0.35).tolist()
        for wx in range(x + 5, x + w - step_x // 2, step_x):
            for wy in range(top + 8, height, step_y):
                cv2.rectangle(image, (wx, wy), (wx + step_x // 2, wy + step_y // 2), glass, -1)
        x += w
    return image


def _crowd(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Rows of spectators: a head over a shirt, out of focus."""
    image = colourise(grain(rng, width, height, 3), np.stack([colour(rng, 0.2, 0.3)] * 2))
    size = int(height * rng.uniform(0.04, 0.12))
    for y in range(size, height + 2 * size, 2 * size):
        for x in range(int(rng.integers(size)), width + size, int(size * 1.7)):
            at = (
                x + int(rng.integers(-size, size) * 0.3),
                y + int(rng.integers(-size, size) * 0.3),
            )
            shirt = colour(rng, 0.5, 0.65).tolist()
            cv2.ellipse(
                image, (at[0], at[1] + 2 * size), (size, int(1.6 * size)), 0, 0, 360, shirt, -1
            )
            face = near(rng, (200, 150, 120), 35).tolist()
            cv2.circle(image, at, int(size * 0.5), face, -1)
    return _defocused(rng, image, 2.5)
