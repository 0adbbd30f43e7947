"""Continuous motion: key poses joined by monotone splines, and the feet's grip on the floor.

Monotone cubic interpolation (Fritsch & Carlson 1980, SciPy's `PchipInterpolator`) never leaves
the range of its keys, so a motion stays within the joint limits; and its slope is at most three
times the steepest neighbouring secant, so keys that are far enough apart in time bound the speed.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from utils.mannequin.angles import NAMES, SPREAD, mirrored, within_limits
from utils.mannequin.body import Body, Posture, contact_points, standing
from utils.mannequin.key_poses import FAMILY_WEIGHTS, LIBRARY

# No angle turns faster, degrees/s; `lift` in mm/s. A kick extends the knee at up to 1700.
MAX_RATE = 2000.0
MAX_LIFT_RATE = 4500.0
# The pelvis never travels faster, mm/s: a sprinter.
MAX_TRAVEL = 9000.0
_GRID_FPS = 120.0
_YAW, _LIFT = NAMES.index("yaw"), NAMES.index("lift")

# Keys of each activity: "stance left_arm/right_arm" in order, "~" for its mirror image, and the
# usual time from key to key, s. An activity that is only a family's name wanders through it.
ACTIVITIES: dict[str, tuple[float, tuple[str, ...]]] = {
    "walk": (
        0.27,
        (
            "walk_contact swing_back/swing_forward",
            "walk_pass hang/hang",
            "~walk_contact swing_back/swing_forward",
            "~walk_pass hang/hang",
        ),
    ),
    "run": (
        0.12,
        (
            "run_contact run_back/run_forward",
            "run_pass carry/carry",
            "~run_flight run_back/run_forward",
            "~run_contact run_back/run_forward",
            "~run_pass carry/carry",
            "run_flight run_back/run_forward",
        ),
    ),
    "star_jumps": (0.35, ("stand hang/hang", "jump_star up_wide/up_wide")),
    "squats": (0.8, ("stand forward/forward", "squat forward/forward")),
    "kicks": (
        0.3,
        (
            "guard_stance guard/guard",
            "chamber guard/guard",
            "front_kick guard/guard",
            "chamber guard/guard",
            "guard_stance guard/guard",
            "chamber guard/guard",
            "side_kick guard/hang_wide",
            "chamber guard/guard",
        ),
    ),
    "boxing": (
        0.22,
        (
            "guard_stance guard/guard",
            "guard_stance punch/guard",
            "guard_stance guard/guard",
            "guard_stance guard/punch",
            "ready guard/guard",
        ),
    ),
    "pitching": (
        0.4,
        (
            "stand carry/carry",
            "pitch_windup carry/carry",
            "pitch_stride forward/cocked",
            "throw_release run_back/forward_high",
            "throw_follow back_low/follow",
        ),
    ),
    "batting": (
        0.5,
        (
            "bat_ready bat_front/bat_back",
            "bat_swing forward/across",
            "golf_finish bat_back/bat_front",
        ),
    ),
    "football": (
        0.3,
        (
            "walk_contact swing_back/swing_forward",
            "soccer_backswing side/back_low",
            "soccer_follow forward/back_low",
            "walk_pass hang/hang",
        ),
    ),
    "handstands": (
        0.8,
        (
            "stand up/up",
            "lunge up/up",
            "handstand handstand/handstand",
            "handstand_straddle handstand/handstand",
            "lunge up/up",
        ),
    ),
    "dance": (0.45, ()),
    "sport": (0.55, ()),
    "low": (1.0, ()),
    "upright": (0.8, ()),
}
_ODDS = np.array([3, 3, 1, 1, 2, 1, 1, 1, 1, 1, 4, 3, 1, 1], float)


@dataclass(frozen=True)
class Motion:
    """One body moving: spline of pose rows over seconds, and the pelvis's way over the floor.

    `path` (G, 2) is x and z, mm, on a grid of 120 a second from time 0.
    """

    body: Body
    key_times: np.ndarray
    key_rows: np.ndarray
    path: np.ndarray

    def rows(self, times: np.ndarray) -> np.ndarray:
        """Pose rows (T, A) at times (T,), s."""
        return within_limits(PchipInterpolator(self.key_times, self.key_rows)(times))

    def posture(self, times: np.ndarray) -> Posture:
        """World posture at times (T,), s; before and after the motion its path stands still."""
        grid = np.arange(len(self.path)) / _GRID_FPS
        x, z = (np.interp(times, grid, axis) for axis in self.path.T)
        return standing(self.body, self.rows(times)).moved(np.stack([x, 0 * x, z], -1))

    def placed(self, yaw: float, shift: np.ndarray) -> "Motion":
        """The same motion turned about the vertical (degrees) and moved by (2,) mm in x and z."""
        rows = self.key_rows.copy()
        rows[:, _YAW] += yaw
        c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
        path = self.path @ np.array([[c, -s], [s, c]]) + shift
        return replace(self, key_rows=rows, path=path)


def sample_motion(
    rng: np.random.Generator,
    body: Body,
    seconds: float,
    activity: str = "",
    straight: bool = False,
) -> Motion:
    """Draw a motion of `body`, at least `seconds` long, of any activity or of the one named.

    It starts at the origin. People wander round in curves, or `straight` on. Raises KeyError for
    an unknown activity.
    """
    activity = activity or str(rng.choice(list(ACTIVITIES), p=_ODDS / _ODDS.sum()))
    step, keys = ACTIVITIES[activity]
    step *= float(np.exp(rng.normal(0, 0.15)))
    count = int(seconds / step) + 3
    rows = _cycle(rng, keys, count) if keys else _wander(rng, activity, count)
    mean, spread = (rng.normal(0, 40 * step), 4) if keys else (0, 25)
    turns = rng.normal(0, 1, count) if straight else rng.normal(mean, spread, count)
    rows[:, _YAW] = rng.uniform(-180, 180) + np.cumsum(turns)
    times = _key_times(rows, step * rng.uniform(0.85, 1.2, len(rows) - 1))
    motion = Motion(body, times, rows, np.zeros((2, 2)))
    return replace(motion, path=_travel(motion, seconds))


def _cycle(rng: np.random.Generator, keys: tuple[str, ...], count: int) -> np.ndarray:
    """Rows (count, A) that run through an activity's keys again and again, with some habits."""
    cycle = []
    for key in keys:
        stance, arms = key.removeprefix("~").split()
        row = LIBRARY.stances[stance].with_arms(*arms.split("/"))
        cycle.append(mirrored(row) if key.startswith("~") else row)
    habit = 0.35 * SPREAD * rng.standard_normal(SPREAD.shape)
    if rng.random() < 0.5:
        cycle = [mirrored(row) for row in cycle]
    first = int(rng.integers(len(cycle)))
    rows = np.array([cycle[(first + i) % len(cycle)] for i in range(count)])
    return within_limits(rows + habit + 0.25 * SPREAD * rng.standard_normal(rows.shape))


def _wander(rng: np.random.Generator, family: str, count: int) -> np.ndarray:
    """Rows (count, A) of random stances of one family."""
    if family not in FAMILY_WEIGHTS:
        raise KeyError(f"no family of key poses is called {family!r}")
    stances = list(LIBRARY.families[family].values())
    rows = []
    for _ in range(count):
        stance = stances[rng.integers(len(stances))]
        row = stance.with_arms(*stance.arms[rng.integers(len(stance.arms))])
        rows.append(mirrored(row) if rng.random() < 0.5 else row)
    return within_limits(np.array(rows) + 0.7 * SPREAD * rng.standard_normal((count, len(SPREAD))))


def _key_times(rows: np.ndarray, wished: np.ndarray) -> np.ndarray:
    """Times (K,) of keys: the wished gaps, stretched where the body could not follow."""
    rates = np.full(rows.shape[1], MAX_RATE)
    rates[_LIFT] = MAX_LIFT_RATE
    needed = (3 * np.abs(np.diff(rows, axis=0)) / rates).max(axis=1)
    return np.concatenate([[0.0], np.cumsum(np.maximum(wished, needed))])


def _travel(motion: Motion, seconds: float) -> np.ndarray:
    """The pelvis's way (G, 2), mm: whatever touches the floor stays put, a jump keeps its speed."""
    times = np.arange(int(np.ceil(seconds * _GRID_FPS)) + 2) / _GRID_FPS
    rows = motion.rows(times)
    points = contact_points(motion.body, standing(motion.body, rows))
    height = points[:-1, :, 1] - points[:-1, :, 1].min(axis=1, keepdims=True)
    grip = np.exp(-height / 12)
    grip /= grip.sum(axis=1, keepdims=True)
    slip = np.diff(points[..., [0, 2]], axis=0) * _GRID_FPS
    pushed = -(grip[..., None] * slip).sum(axis=1)
    on_floor = np.exp(-rows[:-1, _LIFT] / 25)[:, None]
    speed = np.zeros(2)
    path = np.zeros((len(times), 2))
    for i, (push, share) in enumerate(zip(pushed, on_floor, strict=True)):
        speed = share * push + (1 - share) * speed
        speed *= min(1.0, MAX_TRAVEL / max(float(np.hypot(*speed)), 1e-9))
        path[i + 1] = path[i] + speed / _GRID_FPS
    return path
