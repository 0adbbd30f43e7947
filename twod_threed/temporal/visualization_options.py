"""Options of the command that renders films of lifted poses. Nothing heavy is imported here.

Names and short forms are those of the published program (Pavllo, Feichtenhofer, Grangier, Auli, "3D
human pose estimation in video with temporal convolutions and semi-supervised training", CVPR 2019).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from twod_threed.temporal.inference_options import FilmOptions, WeightsOptions
from utils.errors import UserError

RenderedDataset = Literal["h36m", "humaneva15", "humaneva20", "mocap", "mannequin"]
FILM_SUFFIXES = (".mp4", ".gif")
EXPORT_SUFFIXES = (".npy", ".npz")


@dataclass
class TemporalRenderOptions:
    """Render a film in three viewports: the 2D input, the reconstruction, the truth."""

    dataset: Annotated[RenderedDataset, tyro.conf.arg(aliases=["-d"])] = "h36m"
    """Data set that the film is of, unless --poses names a file."""
    data_dir: str = ""
    """Its folder or file, as for training; empty means data/<name>. The mannequin needs none."""
    keypoints: Annotated[str, tyro.conf.arg(aliases=["-k"])] = ""
    """h36m, humaneva: 2D joints: gt for projections, or the name of a detector whose joints are
    there; empty means cpn_ft_h36m_dbb or detectron_pt_coco."""
    poses: str = ""
    """2D pose file of a video (poses.npz or poses.json) to render instead of a data set. Its 3D
    poses are rendered, if it has any and --load names no model."""
    person: int | None = None
    """--poses: which of several people; by default the one seen in the most frames."""
    weights: WeightsOptions = field(default_factory=lambda: WeightsOptions(load=""))
    film: FilmOptions = field(default_factory=FilmOptions)
    seed: int = 234
    """mocap, mannequin: seed of the cameras and the mannequins."""

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
        if self.viz_output is None and self.viz_export is None:
            raise UserError("say where to with --viz_output FILE.mp4 or --viz_export FILE.npz")
        _need_suffix("--viz_output", self.viz_output, FILM_SUFFIXES)
        _need_suffix("--viz_export", self.viz_export, EXPORT_SUFFIXES)
        for name in ("viz_bitrate", "viz_downsample", "viz_size"):
            _need(getattr(self, name) >= 1, f"--{name} must be at least 1")
        _need(self.viz_limit == -1 or self.viz_limit >= 1, "--viz_limit must be -1 or at least 1")
        _need(
            self.viz_camera >= 0 and self.viz_skip >= 0, "--viz_camera and --viz_skip count from 0"
        )
        _need(self.viz_skip == 0 or self.viz_video is not None, "--viz_skip goes with --viz_video")
        taken = not (self.poses and self.viz_action)
        _need(taken, "--viz_action goes with a data set, not with --poses")
        _need(self.person is None or bool(self.poses), "--person goes with --poses")
        _need(self.seed >= 0, f"--seed must not be negative, not {self.seed}")


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise UserError(message)


def _need_suffix(name: str, path: Path | None, suffixes: tuple[str, ...]) -> None:
    if path is not None and path.suffix.lower() not in suffixes:
        raise UserError(f"{name} {path} must end in {' or '.join(suffixes)}")
