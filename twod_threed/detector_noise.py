"""Errors like those of a 2D detector: measured from one, and added to exact poses.

Of each MPII-16 joint the table holds

- error: median distance from the truth, outliers aside, as a fraction of the torso;
- outlier_share: share of the joints that are far off, outlier_scale: standard deviation of each of
  their coordinates, as a fraction of the torso;
- swap_share: share that sits on the same joint of the other side. The joints of a limb are drawn
  together: of an arm whose elbow is swapped the wrist, which is swapped more often, always is (a
  detector swapped 16 per cent of the elbows, and 13 with their wrist);
- missing_share: share that is not found.
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.skeletons import MPII_16

DEFAULT_TABLE = Path(__file__).with_suffix(".json")
MEDIAN_RADIUS = math.sqrt(2 * math.log(2))
"""Median length of a 2D Gaussian vector with deviation 1 in each coordinate (Rayleigh)."""
OUTLIER = 4.0
"""An error of so many medians is an outlier: of a Gaussian one in 65,000 is."""
_ROUNDS = 10
_LEAST_TORSO = 0.25

_SHOULDERS = MPII_16.indices("left_shoulder", "right_shoulder")
_HIPS = MPII_16.indices("right_hip", "left_hip")
_LIMBS = tuple(
    MPII_16.indices(*(f"{side}_{joint}" for joint in limb))
    for side in ("left", "right")
    for limb in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)


@dataclass(frozen=True)
class NoiseTable:
    """One number for each joint of MPII-16; the module says which."""

    error: tuple[float, ...]
    outlier_share: tuple[float, ...]
    outlier_scale: tuple[float, ...]
    swap_share: tuple[float, ...]
    missing_share: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            if len(values) != len(MPII_16):
                raise ValueError(f"{name} has {len(values)} numbers, not {len(MPII_16)}")
            most = 1.0 if name.endswith("share") else math.inf
            if not all(0 <= value <= most and math.isfinite(value) for value in values):
                raise ValueError(f"{name} holds a value that cannot be")


def read_table(path: Path = DEFAULT_TABLE) -> NoiseTable:
    """Read a table: JSON, joint -> the five numbers. Raises UserError if it is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        columns = {
            field.name: tuple(float(content[joint][field.name]) for joint in MPII_16.joints)
            for field in fields(NoiseTable)
        }
        return NoiseTable(**columns)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UserError(f"{path} is no table of detector errors ({error})") from error


def write_table(path: Path, table: NoiseTable) -> None:
    """Write a table as JSON, whole or not at all."""
    columns = asdict(table)
    content = {
        joint: {name: round(values[number], 5) for name, values in columns.items()}
        for number, joint in enumerate(MPII_16.joints)
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def torso_size(points: Tensor) -> Tensor:
    """Size of the people with MPII-16 joints (B, 16, 2): (B,), same unit.

    The longer of the lines from a shoulder to the other side's hip, but, for trunks that point at
    the camera, at least a quarter of the largest extent of the joints. NaN joints are left out.
    """
    lines = torch.linalg.vector_norm(points[:, _SHOULDERS] - points[:, _HIPS], dim=-1)
    present = ~points.isnan()
    high = torch.where(present, points, -torch.inf).amax(1)
    low = torch.where(present, points, torch.inf).amin(1)
    extent = (high - low).amax(-1) * _LEAST_TORSO
    return torch.maximum(lines.nan_to_num(0).amax(-1), extent)


def add_noise(
    points: Tensor, table: NoiseTable, amount: float | Tensor, generator: torch.Generator
) -> Tensor:
    """Exact MPII-16 joints (B, 16, 2) px -> the same with a detector's errors, NaN where missed.

    amount: one number, or one for each pose (B, 1), that multiplies errors and shares (which stay
    at most 1); 0 changes nothing.
    """
    device, shape = points.device, points.shape[:2]

    def draw() -> Tensor:
        return torch.rand(shape, generator=generator, device=generator.device)

    def column(values: tuple[float, ...]) -> Tensor:
        return torch.tensor(values, device=device, dtype=points.dtype)

    torso = torso_size(points)
    noisy = points
    chance = draw()
    for limb in _LIMBS:
        chance[:, limb] = chance[:, limb[:1]]
    swapped = chance < column(table.swap_share) * amount
    order = list(MPII_16.flip_order)
    noisy = torch.where(swapped[..., None], points[:, order], noisy)
    sigma = column(table.error) * amount / MEDIAN_RADIUS
    outlier = draw() < column(table.outlier_share) * amount
    sigma = torch.where(outlier, column(table.outlier_scale), sigma)
    normal = torch.randn(points.shape, generator=generator, device=generator.device)
    noisy = noisy + normal * (sigma * torso[:, None])[..., None]
    missing = draw() < column(table.missing_share) * amount
    return noisy.masked_fill(missing[..., None], torch.nan)


def _is_swapped(predicted: Tensor, truth: Tensor, error: Tensor, torso: Tensor) -> Tensor:
    """(B, 16) joints that sit much nearer to the other side's place than to their own."""
    other = truth[:, list(MPII_16.flip_order)]
    to_other = torch.linalg.vector_norm(predicted - other, dim=-1)
    apart = torch.linalg.vector_norm(truth - other, dim=-1)
    return (to_other < 0.5 * error) & (to_other < 0.25 * apart) & (apart > 0.1 * torso[:, None])


def _inlier_median(error: Tensor) -> Tensor:
    """Median (16,) of errors (B, 16), NaN left out, again without what is far above it."""
    median = error.nanmedian(0).values
    for _ in range(_ROUNDS):
        inliers = torch.where(error <= OUTLIER * median, error, torch.nan)
        median = inliers.nanmedian(0).values
    return median


def measure_noise(predicted: Tensor, truth: Tensor) -> NoiseTable:
    """Table of the errors of detections (B, 16, 2) px against the truth, NaN where absent.

    Only joints that the truth has count. Raises ValueError if a joint has none that was found.
    """
    torso = torso_size(truth)
    known = ~truth.isnan().any(-1)
    found = known & ~predicted.isnan().any(-1)
    if not found.any(0).all():
        raise ValueError("every joint needs a detection with a known truth")
    distance = torch.linalg.vector_norm(predicted - truth, dim=-1)
    swapped = _is_swapped(predicted, truth, distance, torso) & found
    error = torch.where(found & ~swapped, distance / torso[:, None], torch.nan)
    median = _inlier_median(error)
    outlier = error > OUTLIER * median
    squares = torch.where(outlier, error, 0).square().sum(0)
    scale = (squares / (2 * outlier.sum(0).clamp(min=1))).sqrt()

    def share(these: Tensor, of: Tensor) -> tuple[float, ...]:
        return tuple((these.sum(0) / of.sum(0)).tolist())

    return NoiseTable(
        error=tuple(median.nan_to_num(0).tolist()),
        outlier_share=share(outlier, found),
        outlier_scale=tuple(scale.tolist()),
        swap_share=share(swapped, found),
        missing_share=share(known & ~found, known),
    )
