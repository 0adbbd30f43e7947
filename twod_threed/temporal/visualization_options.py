"""Options of the command that renders films of lifted poses. Nothing heavy is imported here.

Names and short forms are those of the published program (Pavllo, Feichtenhofer, Grangier, Auli, "3D
human pose estimation in video with temporal convolutions and semi-supervised training", CVPR 2019).
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from twod_threed.temporal.inference_options import FilmOptions, WeightsOptions
from twod_threed.temporal.options import TemporalDataOptions
from twod_threed.temporal.viz_options import VizOptions
from utils.errors import UserError, need

RenderedDataset = Literal["h36m", "humaneva15", "humaneva20", "mocap", "mannequin"]


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
    viz: VizOptions = field(default_factory=VizOptions)

    def __post_init__(self) -> None:
        if self.viz.viz_output is None and self.viz.viz_export is None:
            raise UserError("say where to with --viz_output FILE.mp4 or --viz_export FILE.npz")
        taken = not (self.poses and self.viz.viz_action)
        need(taken, "--viz_action goes with a data set, not with --poses")
        need(self.person is None or bool(self.poses), "--person goes with --poses")
        need(self.seed >= 0, f"--seed must not be negative, not {self.seed}")


_OF_SCORING = (
    *("input_joints", "actions", "frame_rate", "downsample", "field_of_view", "cameras_at_rest"),
)


def render_options(
    data: TemporalDataOptions, weights: WeightsOptions, viz: VizOptions, seed: int
) -> TemporalRenderOptions:
    """What `--render` of the commands that train and score asks for.

    Raises UserError, also for options that a film does not depend on.
    """
    usual = TemporalDataOptions(data.dataset)
    for name in _OF_SCORING:
        is_usual = getattr(data, name) == getattr(usual, name)
        need(is_usual, f"--{name} changes nothing that --render shows: leave it out")
    dataset = f"humaneva{data.humaneva_joints}" if data.dataset == "humaneva" else data.dataset
    return TemporalRenderOptions(
        dataset=dataset,  # pyright: ignore[reportArgumentType]
        data_dir=data.data_dir,
        keypoints=data.keypoints,
        weights=weights,
        seed=seed,
        viz=viz,
    )
