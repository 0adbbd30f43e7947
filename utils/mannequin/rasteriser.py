"""From vertices to pixels: which triangle is in front, how it is lit, which colour it has.

Triangles are painted far to near into a buffer of numbers at twice the picture's resolution;
then light and texture are interpolated for all pixels at once (deferred shading).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import NamedTuple

import cv2
import numpy as np

from utils.mannequin.figure import RINGS, SECTORS, Figure

OVERSAMPLING = 2
_SHIFT = 4
_SHADOW_CELL = 28.0
_SHADOW_BIAS = 60.0


@dataclass(frozen=True)
class Light:
    """A sun or lamp from `direction` (3,), towards it, world; RGB strengths (3,) of it and of the
    sky; `shine` is the strength of highlights, `shadow` the darkness of shadows in [0, 1]."""

    direction: np.ndarray
    sun: np.ndarray
    sky: np.ndarray
    shine: float
    shadow: float


def sample_light(rng: np.random.Generator) -> Light:
    """Draw light: bright sun to overcast, from any side above, warm to cold."""
    azimuth, height = rng.uniform(-np.pi, np.pi), rng.uniform(0.25, 1.45)
    level = np.cos(height)
    direction = np.array([level * np.sin(azimuth), np.sin(height), level * np.cos(azimuth)])
    balance = rng.uniform(0.2, 0.8)
    exposure = rng.uniform(0.85, 1.25)
    tint = 1 + rng.normal(0, 0.05, 3)
    return Light(
        direction=direction,
        sun=exposure * balance * 1.1 * tint,
        sky=exposure * (1.1 - 0.6 * balance) * (1 + rng.normal(0, 0.04, 3)),
        shine=rng.uniform(0, 0.25),
        shadow=balance * rng.uniform(0.5, 0.9),
    )


@lru_cache(maxsize=8)
def _triangles(parts: int) -> np.ndarray:
    """Vertex numbers (parts * T, 3) of tubes whose vertices are (parts, RINGS, SECTORS + 1)."""
    wide = SECTORS + 1
    corner = (np.arange(RINGS - 1)[:, None] * wide + np.arange(SECTORS)).ravel()
    a, b, c, d = corner, corner + 1, corner + wide, corner + wide + 1
    tube = np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)])
    return (np.arange(parts)[:, None, None] * (RINGS * wide) + tube).reshape(-1, 3)


def vertex_normals(vertices: np.ndarray) -> np.ndarray:
    """Outward unit normals of tube vertices (P, RINGS, SECTORS + 1, 3), by central differences."""
    closed = np.concatenate([vertices[:, :, -2:-1], vertices, vertices[:, :, 1:2]], axis=2)
    around = closed[:, :, 2:] - closed[:, :, :-2]
    along = np.empty_like(vertices)
    along[:, 1:-1] = vertices[:, 2:] - vertices[:, :-2]
    along[:, 0] = vertices[:, 1] - vertices[:, 0]
    along[:, -1] = vertices[:, -1] - vertices[:, -2]
    a, b = along, around
    normal = np.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        axis=-1,
    )
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def _lit(points: np.ndarray, light: Light) -> np.ndarray:
    """Share of sunlight (V,) at points (V, 3): 0 behind other points as the sun sees them."""
    side = np.cross(light.direction, np.array([0.31, 0.17, 0.94]))
    side /= np.linalg.norm(side)
    plane = np.stack([side, np.cross(light.direction, side)], -1)
    cell = np.floor(points @ plane / _SHADOW_CELL).astype(np.int64)
    cell -= cell.min(axis=0)
    wide = int(cell[:, 1].max()) + 1
    key = cell[:, 0] * wide + cell[:, 1]
    toward = points @ light.direction
    nearest = np.full(int(key.max()) + 1, -np.inf)
    np.maximum.at(nearest, key, toward)
    return np.clip(1 - (nearest[key] - toward - _SHADOW_BIAS) / 40, 0, 1)


class Surface(NamedTuple):
    """Triangles of all people that may be seen, far to near.

    `corners` (T, 3, 2) px of the picture, `depth` (T, 3) mm, `attributes` (T, 3, 4): sunlight,
    skylight, texture column and row; `texture` (T,) number in the stacked textures; `person`,
    `part` (T,).
    """

    corners: np.ndarray
    depth: np.ndarray
    attributes: np.ndarray
    texture: np.ndarray
    person: np.ndarray
    part: np.ndarray


def build_surface(
    figures: Sequence[Figure],
    vertices: Sequence[np.ndarray],
    rotation: np.ndarray,
    position: np.ndarray,
    intrinsics: np.ndarray,
    light: Light,
) -> Surface:
    """Project, light and sort the triangles of all people; back sides are left out."""
    parts = np.concatenate([np.arange(len(f.parts)) for f in figures])
    people = np.repeat(np.arange(len(figures)), [len(f.parts) for f in figures])
    world = np.concatenate(list(vertices))
    points = world.reshape(-1, 3)
    camera = (points - position) @ rotation.T
    pixels = camera[:, :2] / camera[:, 2:] * intrinsics[:2] + intrinsics[2:]
    shading = _shade(world, points, position, light)
    triangles = _triangles(len(world))
    corners, depth = pixels[triangles], camera[:, 2][triangles]
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    facing = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    seen = np.flatnonzero((facing > 0) & (depth.min(axis=1) > 50))
    order = seen[np.argsort(-depth[seen].sum(axis=1), kind="stable")]
    per_tube = len(triangles) // len(world)
    tube = order // per_tube
    return Surface(
        corners[order], depth[order], shading[triangles[order]], tube, people[tube], parts[tube]
    )


def _shade(world: np.ndarray, points: np.ndarray, position: np.ndarray, light: Light) -> np.ndarray:
    """Per vertex (V, 4): sunlight with highlight, skylight, texture column and row."""
    normal = vertex_normals(world).reshape(-1, 3)
    sun = np.clip(normal @ light.direction, 0, 1)
    view = position - points
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    half = view + light.direction
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    shine = light.shine * np.clip((normal * half).sum(-1), 0, 1) ** 24
    lit = 1 - light.shadow * (1 - _lit(points, light))
    # Skylight comes from above; a little less of it reaches surfaces that turn away from the eye.
    sky = (0.72 + 0.28 * normal[:, 1]) * (0.8 + 0.2 * np.abs((normal * view).sum(-1)))
    row, column = np.divmod(np.arange(len(points)) % (RINGS * (SECTORS + 1)), SECTORS + 1)
    return np.stack([(sun + shine) * lit, sky, column / SECTORS, row / (RINGS - 1)], axis=-1)


def paint_numbers(surface: Surface, width: int, height: int) -> np.ndarray:
    """Number of the nearest triangle, plus one, for each sub-pixel; 0 for none.

    (height * OVERSAMPLING, width * OVERSAMPLING) int32. Sub-pixel i of a pixel row lies at
    (i + 0.5) / OVERSAMPLING - 0.5 px.
    """
    buffer = np.zeros((height * OVERSAMPLING, width * OVERSAMPLING), np.int32)
    places = (surface.corners + 0.5) * OVERSAMPLING - 0.5
    limit = 16.0 * max(buffer.shape)
    fixed = np.round(np.clip(places, -limit, limit) * (1 << _SHIFT)).astype(np.int32)
    fill = cv2.fillConvexPoly
    for number, triangle in enumerate(fixed, start=1):
        fill(buffer, triangle, number, 8, _SHIFT)
    return buffer


def shade_pixels(
    surface: Surface, numbers: np.ndarray, textures: np.ndarray, light: Light
) -> tuple[np.ndarray, np.ndarray]:
    """Colours (H, W, 3) float32, 0-255, of the people and how much of each pixel they cover.

    Colours are premultiplied by the coverage (H, W) in [0, 1]. Pixels within one body part are
    shaded once, those on an edge once for each sub-pixel.
    """
    n = OVERSAMPLING
    height, width = numbers.shape[0] // n, numbers.shape[1] // n
    layers = [numbers[i::n, j::n].ravel() for i in range(n) for j in range(n)]
    pixels = np.flatnonzero(reduce(np.bitwise_or, layers))
    samples = np.stack([layer[pixels] for layer in layers], axis=-1)
    tube = np.concatenate([[-1], surface.texture])[samples]
    edge = tube.max(axis=1) != tube.min(axis=1)
    y, x = np.divmod(pixels.astype(np.float32), np.float32(width))
    place = np.stack([x, y], -1)
    canvas = np.zeros((height * width, 4), np.float32)
    inner = ~edge
    flat = _texels(surface, samples[inner, 0], place[inner], textures, light)
    canvas[pixels[inner], :3] = flat
    canvas[pixels[inner], 3] = 1
    steps = ((np.arange(n) + 0.5) / n - 0.5).astype(np.float32)
    shifts = np.stack([np.tile(steps, n), np.repeat(steps, n)], -1)
    places = (place[edge, None] + shifts).reshape(-1, 2)
    covered = samples[edge].ravel()
    fine = np.zeros((len(covered), 4), np.float32)
    some = covered > 0
    fine[some, :3] = _texels(surface, covered[some], places[some], textures, light)
    fine[some, 3] = 1
    canvas[pixels[edge]] = fine.reshape(-1, n * n, 4).mean(axis=1)
    canvas = canvas.reshape(height, width, 4)
    return canvas[..., :3], canvas[..., 3]


def _texels(
    surface: Surface, numbers: np.ndarray, places: np.ndarray, textures: np.ndarray, light: Light
) -> np.ndarray:
    """Lit colours (N, 3) float32 of triangles `numbers` (N,), from 1, at px (N, 2)."""
    triangle = numbers - 1
    weights = barycentric(surface.corners, triangle, places)
    corners = surface.attributes.astype(np.float32).transpose(1, 0, 2)
    values = weights[:, :1] * corners[0].take(triangle, axis=0)
    for i in (1, 2):
        values += weights[:, i : i + 1] * corners[i].take(triangle, axis=0)
    size = textures.shape[1]
    column, row = (values[:, 2:] * (size - 1) + 0.5).astype(np.int32).T
    flat = (surface.texture[triangle] * size + row) * size + column
    colour = textures.reshape(-1, 3).take(flat, axis=0)
    strength = values[:, :2] @ np.stack([light.sun, light.sky]).astype(np.float32)
    return np.minimum(colour * strength, 255)


def barycentric(corners: np.ndarray, triangle: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Weights (N, 3) of the corners (T, 3, 2) of triangles (N,) at places (N, 2), float32.

    Held inside the triangle: sub-pixels on an edge may lie a little outside.
    """
    origin, one, two = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.maximum(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0], 1e-6)
    table = np.stack([two[:, 1], -two[:, 0], -one[:, 1], one[:, 0]], -1) / area[:, None]
    table = np.concatenate([table, origin], axis=1).astype(np.float32).take(triangle, axis=0)
    dx, dy = place[:, 0] - table[:, 4], place[:, 1] - table[:, 5]
    u = np.clip(table[:, 0] * dx + table[:, 1] * dy, 0, 1)
    v = np.clip(table[:, 2] * dx + table[:, 3] * dy, 0, 1 - u)
    return np.stack([1 - u - v, u, v], -1)
