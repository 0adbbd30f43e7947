"""What a camera does to a picture: exposure, colour cast, blur, noise, compression."""

import cv2
import numpy as np

from utils.mannequin.textures import TILE


def degrade(rng: np.random.Generator, image: np.ndarray, noise_seed: list[int]) -> np.ndarray:
    """A worse copy of an image (H, W, 3) uint8 RGB; mild as a rule, rough now and then.

    `rng` chooses the camera, which a whole clip shares; `noise_seed` the noise of this frame.
    """
    image = cv2.LUT(image, _tone_curve(rng))
    scale = max(image.shape[:2]) / 256
    sigma = rng.uniform(0.25, 0.9) if rng.random() < 0.8 else rng.uniform(0.9, 1.6)
    image = cv2.GaussianBlur(image, (0, 0), sigma * scale)
    if rng.random() < 0.06:
        image = _motion_blur(rng, image, scale)
    if rng.random() < 0.5:
        image = _noise(rng, image, np.random.default_rng(noise_seed))
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))]
        # OpenCV takes it for BGR both ways, so red and blue come back where they were.
        packed = cv2.imencode(".jpg", image, quality)[1]
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return image


def _tone_curve(rng: np.random.Generator) -> np.ndarray:
    """Lookup table (256, 1, 3): gamma, contrast, brightness, and a cast of colour."""
    gamma = np.exp(rng.normal(0, 0.15))
    contrast, brightness = np.exp(rng.normal(0, 0.12)), rng.normal(4, 9)
    cast = 1 + rng.normal(0, 0.03, 3)
    ramp = 255 * (np.arange(256) / 255) ** gamma
    ramp = (ramp - 128) * contrast + 128 + brightness
    return np.clip(ramp[:, None, None] * cast, 0, 255).astype(np.uint8)


def _motion_blur(rng: np.random.Generator, image: np.ndarray, scale: float) -> np.ndarray:
    size = 2 * int(2 + 2 * scale * rng.random()) + 1
    kernel = np.zeros((size, size), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (size // 2)
    ends = np.round([size // 2 - reach, size // 2 + reach]).astype(int).tolist()
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _noise(
    rng: np.random.Generator, image: np.ndarray, frame_rng: np.random.Generator
) -> np.ndarray:
    """Sensor noise: independent for each pixel and channel."""
    height, width = image.shape[:2]
    strength = int(rng.integers(3, 14))
    grain = frame_rng.integers(-strength, strength + 1, (TILE, TILE, 3), np.int8)
    repeats = (-(-height // TILE), -(-width // TILE), 1)
    grain = np.tile(grain, repeats)[:height, :width]
    return cv2.add(image, grain.astype(np.int16), dtype=cv2.CV_8U)
