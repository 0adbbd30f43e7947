"""From 2D to 3D rows: pictures one by one, videos as films."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from stitched.options import LiftOptions, MachineOptions
from twod_threed.pose_rows import find_intrinsics, lift_rows
from twod_threed.predictor import LiftingModel
from utils.checkpoint import read_weights
from utils.errors import UserError
from utils.pose_file import Poses
from utils.skeletons import skeleton_named
from utils.weights import shipped_names

SINGLE, TEMPORAL = "lifter", "temporal"
"""Names of the shipped lifters: of one pose alone, and of films; the second is also the kind that
stands in the weights of temporal lifters."""
ONE_BY_ONE = "no temporal lifter ships here: the frames of videos are lifted to 3D one by one"
MAX_GAP = 10
"""Frames of a video in a row without a joint that are filled."""

Lift = Callable[[Poses, bool, int], Poses]
"""Rows, are they a video, frames in a row without a joint that are filled -> lifted rows."""


class PoseLifter:
    """Lifts rows of pose files as the options say. Shipped weights are read when first needed.

    Raises UserError if they are absent or others, or the joints cannot be lifted.
    """

    def __init__(
        self,
        options: LiftOptions,
        machine: MachineOptions,
        tell: Callable[[str], object] = warnings.warn,
    ) -> None:
        """tell: what is called with a line that the user should see."""
        self._options = options
        self._machine = machine
        self._tell = tell
        self._lifts: dict[str, Lift] = {}
        if options.lifter:
            self._lift(options.lifter)  # a mistake is told before anything is looked at

    def pictures(self, poses: Poses) -> Poses:
        """Rows of pictures, each lifted alone."""
        return self._lift(self._options.lifter or SINGLE)(poses, False, 0)

    def video(self, poses: Poses, frames_apart: int = 1) -> Poses:
        """Rows of one video, each person a film. Every `frames_apart`-th frame, about, has rows.
        Single joints that are missing are filled, not whole people: NaN stays NaN."""
        lift = self._lift(self._options.lifter or self._for_videos())
        lifted = lift(poses, True, max(MAX_GAP, frames_apart + 1))
        nobody = ~poses.found
        for values in (lifted.keypoints_3d, lifted.root_camera):
            if values is not None:
                values[nobody] = np.nan
        return lifted

    def _for_videos(self) -> str:
        if TEMPORAL in shipped_names():
            return TEMPORAL
        tell, self._tell = self._tell, lambda _: None  # once is enough
        tell(ONE_BY_ONE)
        return SINGLE

    def _lift(self, name: str) -> Lift:
        if name not in self._lifts:
            self._lifts[name] = self._load(name)
        return self._lifts[name]

    def _load(self, name: str) -> Lift:
        if name == SINGLE and SINGLE not in shipped_names():
            raise UserError(
                "no lifter ships here: name one with --lifter, or leave out 3D: --lift False"
            )
        if not name.endswith(".onnx") and read_weights(name)[1].get("kind") == TEMPORAL:
            return _temporal(name, self._options, self._machine.accelerator)
        if self._machine.backend == "onnx":
            # Here, because ONNX Runtime is an extra.
            from twod_threed.onnx_backend import load_onnx_lifter

            return partial(_lift_one_by_one, load_onnx_lifter(name), self._options)
        model = LiftingModel.load(name, self._machine.accelerator)
        return partial(_lift_one_by_one, model, self._options)


def make_lifter(
    options: LiftOptions,
    machine: MachineOptions,
    skeleton: str,
    tell: Callable[[str], object] = warnings.warn,
) -> PoseLifter | None:
    """What the options ask for; None where that is 2D alone, or the 2D joints have no hips, which
    lifting needs, and which is told."""
    if not options.lift:
        return None
    hips = {"left_hip", "right_hip"}
    if hips <= {*skeleton_named(skeleton).joints}:
        return PoseLifter(options, machine, tell)
    if options.lifter:
        raise UserError("--lifter needs joints called left_hip and right_hip, which --load lacks")
    tell("poses stay in 2D: among these joints are no left_hip and right_hip")
    return None


def _lift_one_by_one(
    model: Any, options: LiftOptions, poses: Poses, is_video: bool, max_gap: int
) -> Poses:
    """model: a `LiftingModel`, or one that lifts like it."""
    intrinsics = find_intrinsics(poses, options.focal, options.fov)
    return lift_rows(model, poses, intrinsics, options.height, is_video, max_gap)


def _temporal(name: str, options: LiftOptions, accelerator: str) -> Lift:
    """Each source and person is a film, a picture one of a single frame."""
    # Here, because it loads much that pictures need nothing of.
    from twod_threed.temporal.inference import lift_films
    from twod_threed.temporal.inference_options import FilmOptions
    from twod_threed.temporal.predictor import TemporalLiftingModel

    model = TemporalLiftingModel.load(name, accelerator)
    film = FilmOptions(focal=options.focal, fov=options.fov, height=options.height)
    return lambda poses, _, max_gap: lift_films(model, poses, film, max_gap=max_gap)
