"""`run.py 3d_pose_gan`: poses made up by a GAN or a VAE, as a pose file.

They are seen by a level camera, so that whatever draws 2D poses can draw them.
"""

from pathlib import Path

import numpy as np

from generative_models.pose_gan.options import SampleOptions
from generative_models.pose_gan.predictor import load_sampler
from generative_models.pose_gan.representation import SIZE_PER_HEIGHT, STANDARD_SIZE
from utils.cameras import intrinsics_from_field_of_view
from utils.pose_file import Poses, write_poses
from utils.pose_json import write_pose_json
from utils.skeletons import H36M_17

PICTURE = (1000, 1000)
"""Width and height, px."""
_FIELD_OF_VIEW = 40.0
_DISTANCE = 4000.0
"""From the camera to the hip, mm."""


def run(options: SampleOptions) -> int:
    """Make up poses: poses.npz and poses.json. -> exit code 0. Raises UserError."""
    poses = load_sampler(options.load, options.accelerator).sample(options.count, options.seed)
    if options.height is not None:
        poses = poses * (options.height * SIZE_PER_HEIGHT / STANDARD_SIZE)
    rows = rows_of_samples(poses, Path(options.load).name)
    folder = Path(options.output_dir)
    write_poses(folder / "poses.npz", rows)
    write_pose_json(folder / "poses.json", rows)
    print(f"{options.count} poses made up: {folder / 'poses.npz'}")
    return 0


def rows_of_samples(poses: np.ndarray, source: str) -> Poses:
    """Poses (N, 17, 3), mm about the hip, y down, as N frames of `source`.

    Their 2D joints, also of Human3.6M-17, are what a camera sees that stands 4 m away, level with
    the hip.
    """
    count = len(poses)
    lens = np.array(intrinsics_from_field_of_view(*PICTURE, _FIELD_OF_VIEW))
    root = np.array([0.0, 0.0, _DISTANCE])
    places = poses + root
    points = places[..., :2] / places[..., 2:] * lens[:2] + lens[2:]
    return Poses(
        source=np.full(count, source),
        frame=np.arange(count),
        time=np.full(count, np.nan),
        person=np.zeros(count, np.int64),
        box=np.full((count, 3), np.nan),
        image_size=np.tile(PICTURE, (count, 1)),
        keypoints_2d=points,
        confidence=np.ones(points.shape[:2]),
        keypoints_3d=poses,
        root_camera=np.tile(root, (count, 1)),
        intrinsics=np.tile(lens, (count, 1)),
        skeleton_2d=H36M_17.name,
        skeleton_3d=H36M_17.name,
    )
