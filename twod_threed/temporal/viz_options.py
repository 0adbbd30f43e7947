"""The --viz options of the published program (Pavllo et al. 2019): what to render, and how."""

from dataclasses import dataclass
from pathlib import Path

from utils.errors import UserError, need
from utils.option_checks import at_least_one

FILM_SUFFIXES = (".mp4", ".gif")
EXPORT_SUFFIXES = (".npy", ".npz")


def _need_suffix(name: str, path: Path | None, suffixes: tuple[str, ...]) -> None:
    if path is not None and path.suffix.lower() not in suffixes:
        raise UserError(f"{name} {path} must end in {' or '.join(suffixes)}")


@dataclass
class VizOptions:
    """What to render, and how."""

    viz_subject: str = ""
    """Who: S11, Validate/S2, cmu/07, ...; with --poses the source, where the file has several."""
    viz_action: str = ""
    """Doing what: a take (Walking 1) or an action of which there is one take."""
    viz_camera: int = 0
    """Which of the cameras that saw it, from 0."""
    viz_video: Path | None = None
    """Video to draw the 2D poses on; a black background otherwise."""
    viz_skip: int = 0
    """Leave out the first so many frames of --viz_video: the first pose lies on the next one."""
    viz_output: Path | None = None
    """Film to write, .mp4 or .gif."""
    viz_bitrate: int = 3000
    """Kilobits per second of an .mp4."""
    viz_no_ground_truth: bool = False
    """Leave out the viewport with the truth."""
    viz_limit: int = -1
    """Render so many frames at most; -1 renders all."""
    viz_downsample: int = 1
    """Render every so many-th frame, at a frame rate that is as much lower."""
    viz_size: int = 5
    """Side of a viewport in hundreds of pixels."""
    viz_export: Path | None = None
    """Write the reconstruction of the whole film to a NumPy file: 3D joints in the camera frame,
    mm; .npy for the array (frame, joint, axis) alone, .npz with names and frame numbers."""

    def __post_init__(self) -> None:
        _need_suffix("--viz_output", self.viz_output, FILM_SUFFIXES)
        _need_suffix("--viz_export", self.viz_export, EXPORT_SUFFIXES)
        at_least_one(
            viz_bitrate=self.viz_bitrate,
            viz_downsample=self.viz_downsample,
            viz_size=self.viz_size,
        )
        need(self.viz_limit == -1 or self.viz_limit >= 1, "--viz_limit must be -1 or at least 1")
        need(
            self.viz_camera >= 0 and self.viz_skip >= 0, "--viz_camera and --viz_skip count from 0"
        )
        need(self.viz_skip == 0 or self.viz_video is not None, "--viz_skip goes with --viz_video")


def check_rendered(viz: VizOptions, render: bool) -> None:
    """Raises UserError for options of what to render where nothing is rendered."""
    need(render or viz == VizOptions(), "--viz_... goes with --render")
