"""Patterns and colours for floors, walls, crowds and clothes."""

from functools import lru_cache

import cv2
import numpy as np

TILE = 256
_POOL_SEED = 20160322


def _fractal(rng: np.random.Generator, persistence: float) -> np.ndarray:
    """Fractal noise tile in [0, 1]: octaves of smoothed noise, finer ones weaker."""
    tile = np.zeros((TILE, TILE), np.float32)
    for octave in range(2, 9):
        grain = rng.random((2**octave, 2**octave), np.float32) - 0.5
        tile += persistence**octave * cv2.resize(grain, (TILE, TILE), interpolation=cv2.INTER_CUBIC)
    return (tile - tile.min()) / (tile.max() - tile.min())


def _bricks(rng: np.random.Generator, rows: int, columns: int, gap: int) -> np.ndarray:
    """Rows of bricks, tiles or planks, each of its own brightness, with dark joints."""
    tile = np.zeros((TILE, TILE), np.float32)
    tall, wide = TILE // rows, TILE // columns
    for row in range(rows):
        shift = int(rng.integers(wide)) if rows != columns else 0
        for column in range(-1, columns):
            x, y = column * wide + shift, row * tall
            shade = float(rng.uniform(0.45, 1.0))
            cv2.rectangle(tile, (x, y), (x + wide - gap - 1, y + tall - gap - 1), shade, -1)
    return tile


@lru_cache(maxsize=1)
def pool() -> list[np.ndarray]:
    """The grey tiles (TILE, TILE) uint8 that all pictures share, always the same."""
    rng = np.random.default_rng(_POOL_SEED)
    tiles = [_fractal(rng, p) for p in (0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)]
    tiles += [(tile > 0.5) * 0.7 + 0.3 * tile for tile in tiles[1:4]]
    shapes = ((16, 6, 2), (8, 8, 2), (12, 2, 2), (4, 4, 3), (32, 12, 1), (24, 1, 2))
    tiles += [0.85 * _bricks(rng, *shape) + 0.15 * tiles[5] for shape in shapes]
    ramp = np.arange(TILE, dtype=np.float32)
    tiles += [np.tile(0.5 + 0.5 * np.sin(ramp * 2 * np.pi * n / TILE), (TILE, 1)) for n in (8, 24)]
    return [np.round(np.clip(tile, 0, 1) * 255).astype(np.uint8) for tile in tiles]


# The first tiles of the pool are noise, without straight lines.
NOISE_TILES = 8


def grain(
    rng: np.random.Generator, width: int, height: int, zoom: float = 1.0, natural: bool = False
) -> np.ndarray:
    """Random cut of a random pool tile, magnified about `zoom` times, (height, width) uint8.

    `natural` takes noise only, no bricks or stripes.
    """
    tile = pool()[rng.integers(NOISE_TILES if natural else len(pool()))]
    if rng.random() < 0.5:
        tile = tile.T
    side = int(np.clip(TILE / zoom, 8, TILE))
    y, x = rng.integers(0, TILE - side + 1, 2)
    cut = np.ascontiguousarray(tile[y : y + side, x : x + side])
    return cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR)


def colourise(grey: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Grey uint8 (H, W) -> uint8 RGB (H, W, 3) along a ramp through colours (K, 3)."""
    stops = np.linspace(0, 255, len(colours))
    levels = np.arange(256)
    ramp = np.stack([np.interp(levels, stops, channel) for channel in colours.T], -1)
    table = np.clip(ramp, 0, 255).astype(np.uint8)[:, None]
    return cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), table)


def colour(rng: np.random.Generator, saturation: float = 0.5, value: float = 0.6) -> np.ndarray:
    """Random RGB colour (3,) float, 0-255, of about that saturation and value."""
    hue = rng.random()
    s = float(np.clip(rng.normal(saturation, 0.25), 0, 1))
    v = float(np.clip(rng.normal(value, 0.25), 0.05, 1))
    wheel = np.clip(np.abs((hue * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1, 0, 1)
    return 255 * v * (1 - s + s * wheel)


def near(rng: np.random.Generator, base: tuple[float, ...], spread: float = 18) -> np.ndarray:
    """A colour (3,) near `base`: brighter or darker as a whole, and a little off in hue."""
    return np.clip(np.array(base) + rng.normal(0, spread) + rng.normal(0, spread / 3, 3), 0, 255)


_CLOTH = 64


def cloth(rng: np.random.Generator) -> np.ndarray:
    """Cloth (64, 64, 3) uint8 RGB: plain, striped, checked, dotted, mottled or printed."""
    base = _cloth_colour(rng)
    kind = rng.random()
    image = np.empty((_CLOTH, _CLOTH, 3), np.float32)
    image[:] = base
    if kind < 0.5:
        return image.astype(np.uint8)
    other = _cloth_colour(rng)
    y, x = np.mgrid[:_CLOTH, :_CLOTH]
    if kind < 0.62:
        mask = y // rng.integers(2, 9) % 2
    elif kind < 0.68:
        mask = x // rng.integers(2, 7) % 2
    elif kind < 0.75:
        step = rng.integers(3, 9)
        mask = (x // step % 2 + y // step % 2) / 2
    elif kind < 0.80:
        step = rng.integers(5, 11)
        mask = ((x % step - step // 2) ** 2 + (y % step - step // 2) ** 2) < (step / 3) ** 2
    else:
        return colourise(grain(rng, _CLOTH, _CLOTH, rng.uniform(1, 6)), np.stack([base, other]))
    image += (other - base) * mask[..., None]
    return image.astype(np.uint8)


def _cloth_colour(rng: np.random.Generator) -> np.ndarray:
    """Clothes are often white, grey, black or navy, otherwise of any colour."""
    kind = rng.random()
    if kind < 0.22:
        return near(rng, (225, 225, 225), 14)
    if kind < 0.38:
        return near(rng, (42, 43, 50), 14)
    if kind < 0.47:
        return near(rng, (40, 50, 95), 16)
    return colour(rng, 0.65, 0.65)


def skin(rng: np.random.Generator) -> np.ndarray:
    """A skin colour (3,) RGB, light to dark."""
    tones = np.array(
        [
            [244, 208, 184],
            [232, 190, 160],
            [224, 172, 138],
            [190, 136, 100],
            [141, 92, 62],
            [82, 52, 38],
        ],
        float,
    )
    place = rng.random() ** 1.2 * (len(tones) - 1)
    i = min(int(place), len(tones) - 2)
    return np.clip(tones[i] + (place - i) * (tones[i + 1] - tones[i]) + rng.normal(0, 5, 3), 0, 255)
