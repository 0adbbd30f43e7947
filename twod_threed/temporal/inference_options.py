"""Options of `run.py temporal_*`, and of all commands that use trained temporal networks.

Nothing heavy is imported here, so that --help stays quick.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from twod_threed.temporal.options import TemporalDataOptions, separated
from utils.errors import UserError, need
from utils.option_checks import check_height, check_lens, check_poses_alone
from utils.skeletons import SKELETONS

Smooth = Literal["none", "one_euro", "savitzky_golay"]


@dataclass
class WeightsOptions:
    """Which trained networks, and how they are used."""

    load: Annotated[str, tyro.conf.arg(aliases=["--evaluate"])] = "temporal"
    """Shipped model, run folder, .safetensors, .ckpt, or a VideoPose3D checkpoint (.bin)."""
    checkpoint_dir: Annotated[str, tyro.conf.arg(aliases=["-c", "--checkpoint"])] = (
        "model_checkpoints"
    )
    """Folder in which --load is looked for first."""
    architecture: Annotated[str, tyro.conf.arg(aliases=["-arc"])] = ""
    """Filter widths that the weights must have, such as 3,3,3. They tell it: leave it out."""
    channels: Annotated[int | None, tyro.conf.arg(aliases=["-ch"])] = None
    """Channels that the weights must have; the same."""
    causal: bool = False
    """Look only at the past: the shipped model is temporal_causal, and other weights must be of
    such a network. VideoPose3D's do not tell: give it if they were trained so."""
    dense: bool = False
    """The same for dense convolutions."""
    skeleton_2d: str = ""
    """VideoPose3D's weights: skeleton of the 2D joints that go in (h36m_17, coco_17, ...), which
    they do not tell."""
    no_test_time_augmentation: Annotated[bool, tyro.conf.arg(aliases=["-no-tta"])] = False
    """Do not average with what is made of the mirror image."""
    max_gap: int = 10
    """Longest run of frames without a joint that is filled by interpolation."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        if self.max_gap < 0:
            raise UserError(f"--max_gap must not be negative, not {self.max_gap}")
        if self.skeleton_2d and self.skeleton_2d not in SKELETONS:
            names = ", ".join(SKELETONS)
            raise UserError(f"--skeleton_2d must be one of {names}, not {self.skeleton_2d}")
        if not all(part.isdecimal() for part in separated([self.architecture])):
            raise UserError(
                f"--architecture takes filter widths such as 3,3,3, not {self.architecture}"
            )

    @property
    def place(self) -> str:
        """What to load: from --checkpoint_dir if it is there."""
        load = "temporal_causal" if self.causal and self.load == "temporal" else self.load
        inside = Path(self.checkpoint_dir) / load
        return str(inside) if inside.exists() else load

    @property
    def widths(self) -> tuple[int, ...]:
        """Filter widths that the weights must have; none if nothing was said."""
        return tuple(int(part) for part in separated([self.architecture]))


@dataclass
class FilmOptions:
    """What is known of a film, and how its 2D joints are calmed."""

    fps: float | None = None
    """Frames per second of --poses that have no times. Films of another rate than that of the
    training are brought to it and back."""
    smooth: Smooth = "none"
    """Smooth the 2D joints before lifting: One-Euro filter, which looks only at the past, or
    Savitzky-Golay, which looks both ways."""
    focal: float | None = None
    """Focal length of an unknown camera, px."""
    fov: float | None = None
    """Field of view of an unknown camera along the longer edge, degrees; 55 if nothing is said."""
    height: float | None = None
    """Standing height of the person, mm. Otherwise the answer has the size of a standard body, or
    with --normalisation screen that which the network guesses."""

    def __post_init__(self) -> None:
        check_lens(self.focal, self.fov)
        check_height(self.height)
        need(self.fps is None or self.fps > 0, f"--fps must be above 0, not {self.fps}")


@dataclass
class TemporalRunOptions:
    """Lift films of 2D poses to 3D."""

    data: TemporalDataOptions = field(default_factory=TemporalDataOptions)
    weights: WeightsOptions = field(default_factory=WeightsOptions)
    film: FilmOptions = field(default_factory=FilmOptions)
    poses: str = ""
    """2D pose file (poses.npz or poses.json) to lift, instead of a data set. Each source and person
    in it is a film of its own."""
    split: Literal["train", "validation", "test"] = "test"
    """Part of the data set."""
    output_dir: str = "visualizations/temporal"
    """Where poses.npz and poses.json go."""
    seed: int = 234
    """Seed of the cameras and the mannequins."""

    def __post_init__(self) -> None:
        check_poses_alone(self.poses, self.data, self.split == "test")
        if self.seed < 0:
            raise UserError(f"--seed must not be negative, not {self.seed}")
