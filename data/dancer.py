"""The subcommand `dancer` of data/prepare.py: (skeleton, frame) pairs from a video."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from generative_models.skeleton_to_image.dancer_making import (
    Cutting,
    FindPose,
    PoseFinder,
    VideoPoses,
    find_poses,
    given_poses,
    write_dancer,
)
from stacked_hourglass.predictor import Predictor, best_shipped
from stitched.person_finder import Follower
from utils.errors import UserError
from utils.option_checks import at_least_one, refuse_given
from utils.weights import resolve


@dataclass
class DancerVideoOptions:
    """Make the frames and poses of one dancer from a video, for train.py skeleton_to_image."""

    video: tyro.conf.Positional[str]
    """Video of one person."""
    output: str = ""
    """Folder to write; empty is data/dancers/<name of the video>."""
    every: int = 1
    """Take every so many-th frame."""
    width: int = 512
    """Width of the whole frame after scaling, px; -1 leaves it as it is."""
    crop: Literal["follow", "fixed", "none"] = "follow"
    """Cut out a square that follows the person; one and the same square for all frames, which
    keeps a background at rest where it is; or nothing. What lies outside the frame is black."""
    padding: Annotated[float, tyro.conf.arg(aliases=["--crop_ratio"])] = 1.25
    """Side of the square over the person's largest extent."""
    landmarks: str = ""
    """File of BlazePose landmarks (landmarks (N, 33, 2 or 3) as parts of the frame, frame_index),
    instead of our own models."""
    load: str = ""
    """2D model that finds the person; empty is the best that ships."""
    min_confidence: float = 0.2
    """Mean confidence of the joints, from 0 to 1, below which nobody is there."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        at_least_one(every=self.every)
        if self.width != -1 and self.width < 16:
            raise UserError(f"--width must be -1 or at least 16, not {self.width}")
        at_least_one(padding=self.padding)
        if not 0 <= self.min_confidence <= 1:
            raise UserError(f"--min_confidence must be from 0 to 1, not {self.min_confidence}")
        if self.landmarks:
            refuse_given(self, ("load", "min_confidence", "accelerator"), "with --landmarks")
        if self.crop == "none":
            refuse_given(self, ("padding",), "with --crop none")


def own_finder(options: DancerVideoOptions) -> PoseFinder:
    """The person finder of run.py pose. Raises UserError if its weights are absent."""
    source = options.load or best_shipped()
    predictor = Predictor.load(source, options.accelerator)

    def make() -> FindPose:
        follower = Follower(predictor, options.min_confidence)
        return lambda frame: follower(frame.image).keypoints

    settings = {"min_confidence": options.min_confidence}
    return PoseFinder(predictor.skeleton, make, [resolve(source)], settings)


def prepare_dancer(
    options: DancerVideoOptions,
    make_finder: Callable[[DancerVideoOptions], PoseFinder] = own_finder,
) -> int:
    """Write the dancer's folder, and say how many frames were left out. -> exit code."""
    video = Path(options.video)
    folder = Path(options.output or f"data/dancers/{video.stem}")
    poses = _poses(video, options, make_finder)
    width = None if options.width == -1 else options.width
    written = write_dancer(video, poses, Cutting(width, options.crop, options.padding), folder)
    size = " x ".join(str(length) for length in written.image_size[0])
    print(f"{folder}: {len(written)} pictures of {size} px")
    missing = int((~poses.found).sum())
    if missing:
        print(f"{missing} of {len(poses.frame)} frames left out: nobody was found in them")
    print(f"look at them: python viz.py dancer --dancer {folder}")
    return 0


def _poses(
    video: Path,
    options: DancerVideoOptions,
    make_finder: Callable[[DancerVideoOptions], PoseFinder],
) -> VideoPoses:
    if options.landmarks:
        return given_poses(video, options.every, Path(options.landmarks))
    return find_poses(video, options.every, make_finder(options))
