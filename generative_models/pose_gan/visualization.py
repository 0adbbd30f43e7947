"""The command that draws models of poses: `viz.py 3d_pose_gan`.

samples.png is a grid of made-up poses; in interpolations.png each row leads from one to another; in
nearest.png each sample stands beside the nearest training pose, and in regression.png each given
pose beside the closest that the model can make.
"""

from collections.abc import Sequence

import numpy as np
import torch

from generative_models.pose_gan import metrics
from generative_models.pose_gan.data import pose_pools
from generative_models.pose_gan.latent import draw_latents, interpolate, regress
from generative_models.pose_gan.predictor import GanModel, VaeModel, decode, load_pose_model
from generative_models.pose_gan.representation import STANDARD_SIZE, to_canonical
from generative_models.pose_gan.visualization_options import VizPoseGanOptions
from utils.errors import UserError
from utils.images import write_image
from utils.pose_json import read_pose_file
from utils.pose_panels import (
    GREY,
    Framing,
    PanelPose,
    PanelView,
    draw_panel,
    frame_poses,
    grid,
)
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, skeleton_named

COLUMNS = 8
STEPS = 8
"""Poses of a way, both ends among them."""
_SMALL, _LARGE = 160, 260
_VIEW = PanelView()
_SIDE = PanelView(azimuth=110.0)
_NEAREST_AMONG = 50_000


def draw(options: VizPoseGanOptions) -> None:
    """Write the pictures that the options ask for. Raises UserError."""
    model = load_pose_model(options.load)
    if not isinstance(model, GanModel | VaeModel):
        raise UserError(f"{options.load} is a Gaussian; viz.py 3d_pose_gan draws a GAN or a VAE")
    targets = None if options.poses is None else poses_of_file(options)
    pictures = {
        "samples": samples(model, options),
        "interpolations": interpolations(model, options),
    }
    if options.data is not None:
        train, held_out = pose_pools(options.data, ("train", "test"), options.seed)
        pictures["nearest"] = nearest(model, train.even_poses(_NEAREST_AMONG), options)
        if targets is None:
            targets = _some(held_out.even_poses(options.num_rows), options.num_rows)
    if targets is not None:
        pictures["regression"] = regression(model, targets, options.seed)
    for name, picture in pictures.items():
        write_image(options.output_dir / f"{name}.png", picture)
    print(f"wrote {', '.join(f'{name}.png' for name in pictures)} to {options.output_dir}")


def samples(model: GanModel | VaeModel, options: VizPoseGanOptions) -> np.ndarray:
    """A picture of samples in rows of eight."""
    poses = model.sample(options.num_samples, options.seed)
    return grid(_panels(poses, _SMALL), COLUMNS)


def interpolations(model: GanModel | VaeModel, options: VizPoseGanOptions) -> np.ndarray:
    """A picture with a row for each way from one latent vector to another."""
    count, size = options.num_interpolations, model.network.architecture.latent_size
    start, end = draw_latents(2 * count, size, options.seed).chunk(2)
    ways = interpolate(start, end, STEPS).flatten(0, 1)
    return grid(_panels(decode(model.generator, ways), _SMALL), STEPS)


def nearest(
    model: GanModel | VaeModel, training: np.ndarray, options: VizPoseGanOptions
) -> np.ndarray:
    """A picture of samples, the nearest of training poses (M, 17, 3) mm, and both in one."""
    poses = model.sample(options.num_rows, options.seed)
    _, rows = metrics.nearest(metrics.joint_features(poses), metrics.joint_features(training))
    return _pairs(poses, training[rows], ("sample", "nearest real pose"))


def regression(model: GanModel | VaeModel, poses: np.ndarray, seed: int) -> np.ndarray:
    """A picture of poses (N, 17, 3), mm, y down, turned to face the viewer, the closest that the
    model can make, and both in one. Raises UserError if a pose has no heading."""
    canonical, _ = to_canonical(torch.as_tensor(poses, dtype=torch.float32))
    usable = canonical.isfinite().flatten(1).all(1)
    if not usable.any():
        raise UserError("no pose has all joints and hips that are not one above the other")
    canonical = canonical[usable].to(model.device)
    latents = regress(model.generator, canonical, model.network.architecture.latent_size, seed)
    targets = (canonical * STANDARD_SIZE).cpu().numpy()
    return _pairs(targets, decode(model.generator, latents), ("given pose", "closest"))


def poses_of_file(options: VizPoseGanOptions) -> np.ndarray:
    """Some 3D poses (N, 17, 3), mm, y down, of the file that the options name. Raises UserError."""
    path = options.poses
    assert path is not None
    rows = read_pose_file(path)
    if rows.keypoints_3d is None or rows.skeleton_3d is None:
        raise UserError(f"{path} has no 3D poses")
    found = convert(rows.keypoints_3d, skeleton_named(rows.skeleton_3d), H36M_17).poses
    whole = found[np.isfinite(found).all(axis=(1, 2))]
    if len(whole) == 0:
        raise UserError(f"{path} has no 3D pose with all seventeen joints of Human3.6M")
    return _some(whole, options.num_rows)


def _some(poses: np.ndarray, count: int) -> np.ndarray:
    return poses[np.linspace(0, len(poses) - 1, min(count, len(poses))).round().astype(int)]


def _framings(poses: np.ndarray) -> list[Framing]:
    """Of poses (N, 17, 3): one scale for all, each pose in the middle with its floor."""
    found = [frame_poses(pose, _VIEW) for pose in poses]
    radius = max(framing.radius for framing in found)
    return [Framing(one.centre, radius, one.floor) for one in found]


def _panels(poses: np.ndarray, size: int) -> list[np.ndarray]:
    return [
        draw_panel([PanelPose(pose, H36M_17)], size, _VIEW, framing)
        for pose, framing in zip(poses, _framings(poses), strict=True)
    ]


def _pairs(first: np.ndarray, second: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Two pairs of poses a row: the first, the second, both from the side with their distance."""
    distances = np.linalg.norm(first - second, axis=-1).mean(axis=1)
    panels = []
    for one, other, distance in zip(first, second, distances, strict=True):
        framing = frame_poses(np.concatenate([one, other]), _VIEW)
        both = [PanelPose(one, H36M_17, GREY, names[0]), PanelPose(other, H36M_17, None, names[1])]
        title = f"{distance:.0f} mm apart"
        panels += [
            draw_panel([PanelPose(one, H36M_17)], _LARGE, _VIEW, framing, title=names[0]),
            draw_panel([PanelPose(other, H36M_17)], _LARGE, _VIEW, framing, title=names[1]),
            draw_panel(both, _LARGE, _SIDE, framing, title=title),
        ]
    return grid(panels, 6)
