"""What looking at one source after another needs: tools, and tallies of what was found."""

from dataclasses import dataclass

import numpy as np

from stitched.lifting import PoseLifter, make_lifter
from stitched.options import PoseOptions
from stitched.outputs import OverlayNames, Report
from stitched.people import PeopleFinder, Seen
from stitched.person_finder import Predictor
from stitched.profile import Clock, TimedPredictor
from stitched.results import Results
from stitched.visualization.panels import DRAWN_CONFIDENCE
from utils.drawing import draw_pose
from utils.skeletons import skeleton_named


@dataclass
class Job:
    """Tools and tallies of one command. `lifter` is None where only 2D is wanted."""

    options: PoseOptions
    finder: PeopleFinder
    lifter: PoseLifter | None
    names: OverlayNames
    report: Report
    clock: Clock
    results: Results


def make_job(
    options: PoseOptions,
    predictor: Predictor,
    names: OverlayNames,
    report: Report,
    clock: Clock,
    results: Results,
) -> Job:
    """All that the options ask for. Raises UserError for a detector or boxes that are not there."""
    machine = options.machine
    if machine.profile:
        predictor = TimedPredictor(predictor, clock)
    finder = PeopleFinder(predictor, options.who, machine.accelerator)
    lifter = make_lifter(options.lifting, machine, predictor.skeleton, report.note)
    return Job(options, finder, lifter, names, report, clock, results)


def draw_seen(image: np.ndarray, seen: Seen) -> np.ndarray:
    """A copy of a picture, uint8 (H, W, 3), with the people on it."""
    canvas = image if seen else image.copy()
    for _, one in seen:
        skeleton = skeleton_named(one.skeleton)
        canvas = draw_pose(canvas, one.keypoints, one.confidence, skeleton, DRAWN_CONFIDENCE)
    return canvas
