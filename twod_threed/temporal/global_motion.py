"""Where a lifted person is and how they move over the floor, from one camera that stands still.

A lifter gives poses about the hip. Where the hip is in the camera frame comes from a trajectory
network, where there is one, or from the size at which bones of known length are seen
(`root_from_keypoints`). Either way the depth jitters much more than the direction, because a small
error of that size is a large error of the distance: `smooth_root` calms both, each for itself.

`put_on_floor` then turns camera coordinates upright and finds the floor under the feet. The scale
of everything is that of the bones: who is taken for 5 per cent too large is seen 5 per cent too far
away, too.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.linalg import solveh_banded
from scipy.ndimage import median_filter
from torch import Tensor

from twod_threed.alignment import align, root_position
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, Skeleton, skeleton_named

DEPTH_CUTOFF = 1.5
"""Hz; slower changes of depth are kept. Chosen on mannequins that walk, dance and box before a
detector's errors: it halves the error of the place."""
DIRECTION_CUTOFF = 5.0
"""Hz; the same for the direction in which the hip is seen, which is known well."""
CAMERA_UP = np.array([0.0, -1.0, 0.0])
"""Up in the frame of a level camera, whose y points down."""
ANKLE_PER_SHANK = 0.039 / 0.246
"""Height of the ankles above the floor per length of the shank (Drillis and Contini 1966)."""

_ROUNDS = 6  # of robust weights
_OUTLIER = 6.0  # median deviations from which on a value has no weight
_EXACT = 1e-9  # residuals smaller than this are all equally good
_LONGEST_BRIDGE = 1.0  # s; nothing is smoothed across a longer gap
_CALMED = 5  # frames
_LOWEST = 5.0  # per cent of the frames stand this low
_TRUSTED = 200.0  # mm; see _level
_STRAIGHT = 0.9  # of the way from ankles to neck, in a standing person's
_STEEPEST = 60.0  # degrees that a camera looks up or down, at most


class OnFloor(NamedTuple):
    """`poses` (T, J, 3) mm: x to the camera's right, y up from the floor, z towards the camera,
    which stands above the origin; `up` (3,) in camera axes, length 1; `floor` mm: the floor's
    height along `up` from the camera (below 0)."""

    poses: np.ndarray
    up: np.ndarray
    floor: float


def root_from_keypoints(
    poses: np.ndarray, keypoints: np.ndarray, skeleton_2d: str, intrinsics: np.ndarray
) -> np.ndarray:
    """Where hips must be for poses to be seen as they are, frame by frame: (T, 3) mm.

    poses (T, 17, 3) mm, Human3.6M-17, camera axes, relative to the hip; keypoints (T, J, 2) px of
    `skeleton_2d`, NaN absent; intrinsics (4,) or (T, 4) fx, fy, cx, cy px. Joints that one skeleton
    can only guess from the other do not count. NaN where fewer than two are seen. Raises KeyError
    for a skeleton without hips.

    In a camera turned towards the hips, `twod_threed.alignment.root_position` gives a start, which
    is exact for exact points but too near for points with errors (they make the person look
    larger). From there the distance between points seen and points projected is made smallest, by
    Gauss and Newton's method, with less weight for joints that do not fit the others.
    """
    target = skeleton_named(skeleton_2d)
    same = convert(torch.as_tensor(np.asarray(poses, np.float64)), H36M_17, target)
    guessed = torch.tensor([status in ("invented", "missing") for status in same.status])
    seen = torch.as_tensor(np.asarray(keypoints, np.float64)).masked_fill(
        guessed[:, None], math.nan
    )
    lenses = torch.as_tensor(np.asarray(intrinsics, np.float64)).expand(len(poses), 4)
    _, view = align(seen, lenses, target.indices("left_hip", "right_hip"))
    turned = same.poses @ view.rotation.mT
    root = root_position(turned, view.plane)
    for _ in range(_ROUNDS):
        root = root + _root_step(turned + root[:, None], view.plane)
    return (root[:, None] @ view.rotation)[:, 0].numpy()


def _root_step(points: Tensor, plane: Tensor) -> Tensor:
    """What to move points (T, J, 3) by, (T, 3), to be seen nearer to `plane` (T, J, 2); NaN where
    that is not known. One weighted Gauss-Newton step for (X + tx, Y + ty) / (Z + tz)."""
    depth = points[..., 2:]
    flat = points[..., :2] / depth
    residual = plane - flat
    away = torch.linalg.vector_norm(residual, dim=-1)
    limit = (_OUTLIER * away.nanmedian(dim=1, keepdim=True).values).clamp(min=_EXACT)
    weight = (1 - (away / limit).square()).clamp(min=0).square().nan_to_num(0.0)
    across = torch.eye(2, dtype=flat.dtype).expand(*flat.shape, 2)
    slopes = (torch.cat([across, -flat[..., None]], -1) / depth[..., None]).nan_to_num(0.0)
    matrix = torch.einsum("tj,tjdx,tjdy->txy", weight, slopes, slopes)
    wanted = torch.einsum("tj,tjdx,tjd->tx", weight, slopes, residual.nan_to_num(0.0))
    enough = (weight > 0).sum(1) >= 2
    solvable = torch.where(enough[:, None, None], matrix, torch.eye(3, dtype=flat.dtype))
    return torch.linalg.solve(solvable, wanted).masked_fill(~enough[:, None], math.nan)


def smooth_root(
    root: np.ndarray,
    frame_rate: float,
    depth_cutoff: float = DEPTH_CUTOFF,
    direction_cutoff: float = DIRECTION_CUTOFF,
) -> np.ndarray:
    """Calm a trajectory (T, 3) mm in the camera frame, evenly spaced in time; NaN stays NaN.

    The logarithm of the depth (errors of which do not depend on it) and the direction x/z, y/z are
    smoothed with `smooth_robustly`, each with its own cutoff, Hz. What lies behind the camera is
    left out, and NaN.
    """
    depth = np.where(root[:, 2] > 0, root[:, 2], np.nan)
    distance = np.exp(smooth_robustly(np.log(depth), frame_rate, depth_cutoff))
    columns = [
        smooth_robustly(root[:, axis] / depth, frame_rate, direction_cutoff) * distance
        for axis in (0, 1)
    ]
    return np.stack([*columns, distance], axis=-1).astype(root.dtype)


def smooth_robustly(values: np.ndarray, frame_rate: float, cutoff: float) -> np.ndarray:
    """Values (T,), NaN absent, without changes faster than `cutoff` Hz and without outliers: (T,).

    The smooth line z minimises sum w (z - y)^2 + s sum (second differences of z)^2 (Whittaker 1923,
    Eilers 2003), whose amplitude is halved at the cutoff f with s = (2 sin(pi f / rate))^-4; it
    looks both ways and delays nothing. The weights are w = (1 - (r / 6 m)^2)^2, 0 where |r| > 6 m,
    of the residuals r and their median size m (Cleveland 1979). Absent values weigh nothing and
    stay NaN; a gap of over a second parts the line. Straight lines pass unchanged. Raises
    ValueError unless 0 < cutoff <= frame_rate / 2.
    """
    if not 0 < cutoff <= frame_rate / 2:
        raise ValueError(f"a cutoff of {cutoff} Hz does not go with {frame_rate} frames a second")
    stiffness = (2 * math.sin(math.pi * cutoff / frame_rate)) ** -4
    result = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    gaps = np.flatnonzero(np.diff(known) > 1 + _LONGEST_BRIDGE * frame_rate)
    for run in np.split(known, gaps + 1):
        if len(run):
            line = np.asarray(values[run[0] : run[-1] + 1], np.float64)
            result[run] = _whittaker(line, stiffness)[run - run[0]]
    return result


def _whittaker(values: np.ndarray, stiffness: float) -> np.ndarray:
    """The smooth line (n,) through values (n,), NaN absent, the first and last present."""
    if np.isfinite(values).sum() < 3:
        return values
    banded = stiffness * _second_differences(len(values))
    known = np.isfinite(values)
    weights, line = known.astype(np.float64), values
    for _ in range(_ROUNDS):
        matrix = banded.copy()
        matrix[-1] += weights
        line = solveh_banded(matrix, weights * np.where(known, values, 0))
        away = np.where(known, np.abs(values - line), np.inf)
        weights = _weights(away, float(np.median(away[known])))
    return line


def _second_differences(count: int) -> np.ndarray:
    """D^T D of the second differences D of `count` values, as `solveh_banded` takes it: (3, n)."""
    result = np.zeros((3, count))
    for start, factor in enumerate((1, -2, 1)):
        part = slice(start, start + count - 2)
        result[2, part] += factor**2
    result[1, 1:-1] += -2
    result[1, 2:] += -2
    result[0, 2:] = 1
    return result


def camera_joints(poses: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Poses (T, J, 3) relative to the hip and where the hip is (T, 3): joints in the camera frame
    (T, J, 3), all mm."""
    return poses + root[:, None]


def estimate_up(poses_camera: np.ndarray) -> np.ndarray:
    """Which way is up for a camera, from the people it sees: (3,) in camera axes, length 1.

    poses_camera (T, 17, 3) mm, Human3.6M-17, camera frame, NaN absent. First from the body: who
    stands or walks is upright on average, so up is the median over the frames of the direction from
    between the ankles to the neck, where legs and trunk are nearly straight. Where nobody stands,
    or only in ways that would have the camera look up or down by more than 60 degrees, it is taken
    to be level. Then from the floor: `_level` tilts it until the lowest joints stay at one height.
    Good to about a degree for who walks some metres, to some degrees for who stays in place.
    """
    upward = _upright(poses_camera)
    for _ in range(2):
        upward = _level(poses_camera, upward)
    return upward


def _upright(poses_camera: np.ndarray) -> np.ndarray:
    """Up (3,) as the bodies of (T, 17, 3) say; that of a level camera where they say nothing."""
    at = {name: poses_camera[:, H36M_17.index(name)] for name in H36M_17.joints}
    parts = [at["thorax"] - at["spine"], at["spine"] - at["hip"]]
    legs = [
        at[f"{side}_{upper}"] - at[f"{side}_{lower}"]
        for side in ("left", "right")
        for upper, lower in (("hip", "knee"), ("knee", "ankle"))
    ]
    length = sum(np.linalg.norm(part, axis=-1) for part in parts)
    length = length + sum(np.linalg.norm(part, axis=-1) for part in legs) / 2
    line = at["thorax"] - (at["left_ankle"] + at["right_ankle"]) / 2
    tall = np.linalg.norm(line, axis=-1)
    stands = (tall > _STRAIGHT * length) & (
        line @ CAMERA_UP > tall * math.cos(math.radians(_STEEPEST))
    )
    if not stands.any():
        return CAMERA_UP
    up = np.median(line[stands] / tall[stands, None], axis=0)
    return up / np.linalg.norm(up)


def _level(poses_camera: np.ndarray, upward: np.ndarray) -> np.ndarray:
    """Tilt up (3,) by how the lowest joint of each frame of (T, 17, 3) rises from place to place.

    A plane through these joints, with robust weights against jumps; a tilt of one costs as much as
    a mean square error of `_TRUSTED` mm, so that who hardly moves leaves it as it is.
    """
    axes = level_axes(upward)
    poses = (poses_camera @ axes.T)[np.isfinite(poses_camera).all(-1).any(-1)]
    if not len(poses):
        return upward
    lowest = np.nan_to_num(poses[..., 1], nan=np.inf).argmin(axis=1)
    feet = poses[np.arange(len(poses)), lowest]
    height, *ground = (feet - np.median(feet, axis=0))[:, [1, 0, 2]].T
    rows = np.stack([np.ones(len(feet)), *ground], axis=-1)
    reluctance = np.diag([0, _TRUSTED**2, _TRUSTED**2])
    weights, plane = np.ones(len(feet)), np.zeros(3)
    for _ in range(_ROUNDS):
        weighed = (rows * weights[:, None]).T / len(feet)
        plane = np.linalg.solve(weighed @ rows + reluctance, weighed @ height)
        away = np.abs(height - rows @ plane)
        weights = _weights(away, float(np.median(away)))
    normal = np.array([-plane[1], 1, -plane[2]])
    return normal / np.linalg.norm(normal) @ axes


def _weights(away: np.ndarray, usual: float) -> np.ndarray:
    """Bisquare weights (Cleveland 1979) of residuals of absolute size `away`, median `usual`."""
    return np.clip(1 - (away / max(_OUTLIER * usual, _EXACT)) ** 2, 0, None) ** 2


def level_axes(up: np.ndarray) -> np.ndarray:
    """(3, 3), rows: right, up and backwards of a camera that is tilted and rolled to be level.

    up (3,) in camera axes, of any length. Backwards is where it came from, without what is
    vertical of it. Raises ValueError for a camera that looks straight up or down.
    """
    upward = np.asarray(up, np.float64) / np.linalg.norm(up)
    right = np.cross([0.0, 0.0, 1.0], upward)
    if np.linalg.norm(right) < 1e-6:
        raise ValueError("a camera that looks straight up or down has no level direction")
    right /= np.linalg.norm(right)
    return np.stack([right, upward, np.cross(right, upward)])


def put_on_floor(
    poses_camera: np.ndarray, up: np.ndarray | None = None, skeleton: Skeleton = H36M_17
) -> OnFloor:
    """Camera coordinates to a world whose floor the person stands on.

    poses_camera (T, J, 3) mm, camera frame, NaN absent; up (3,) in camera axes, `estimate_up` if
    not given (for Human3.6M-17). The floor is level. It lies below `standing_height` by the height
    of an ankle, `ANKLE_PER_SHANK`. Raises ValueError where no joint is known.
    """
    upward = estimate_up(poses_camera) if up is None else np.asarray(up, np.float64)
    axes = level_axes(upward)
    poses = poses_camera @ axes.T.astype(poses_camera.dtype)
    floor = standing_height(poses[..., 1]) - ANKLE_PER_SHANK * _shank(poses, skeleton)
    return OnFloor(poses - np.array([0, floor, 0], poses.dtype), axes[1], floor)


def standing_height(heights: np.ndarray) -> float:
    """How high the lowest joint is when it is down, of the heights of joints (T, J), NaN absent.

    The 5th percentile over the frames of its heights, medians over 5 frames. Who jumps or stands on
    the toes comes back to it, and single wrong frames do not move it. Raises ValueError where no
    joint is known.
    """
    lowest = np.nan_to_num(heights, nan=np.inf).min(axis=1)
    lowest = lowest[np.isfinite(lowest)]
    if not len(lowest):
        raise ValueError("there is nobody to put on a floor")
    return float(np.percentile(median_filter(lowest, _CALMED, mode="nearest"), _LOWEST))


def _shank(poses: np.ndarray, skeleton: Skeleton) -> float:
    """Median length of the shanks, mm; 0 if none is known."""
    ankles = skeleton.indices("left_ankle", "right_ankle")
    knees = [skeleton.parents[ankle] for ankle in ankles]
    lengths = np.linalg.norm(poses[:, ankles] - poses[:, knees], axis=-1)
    known = lengths[np.isfinite(lengths)]
    return float(np.median(known)) if len(known) else 0.0
