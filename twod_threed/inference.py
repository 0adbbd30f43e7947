"""`run.py 2d3d_*`: the 3D poses of a pose file, or of a data set's 2D joints."""

from pathlib import Path

from twod_threed.options import LifterRunOptions
from twod_threed.pairs import PosePairs
from twod_threed.pose_rows import find_intrinsics, lift_rows, rows_of_pairs, write_lifted
from twod_threed.predictor import LiftingModel
from twod_threed.training_data import fixed_pairs, tell_who_trained
from utils.pose_file import Poses
from utils.pose_json import read_pose_file


def find_poses(options: LifterRunOptions) -> tuple[Poses, PosePairs | None]:
    """The 2D poses that the options ask for, and the pairs of a data set that they come from.

    Raises UserError if they are absent or damaged.
    """
    if not options.poses:
        pairs = fixed_pairs(options.data, options.split, options.seed)
        return rows_of_pairs(pairs), pairs
    return read_pose_file(options.poses), None


def run(options: LifterRunOptions) -> int:
    """Lift the poses and write them as poses.npz and poses.json, and beside them the ground truth
    of a data set, which `eval.py` and `viz.py` take. -> exit code 0."""
    poses, pairs = find_poses(options)
    model = LiftingModel.load(options.load, options.accelerator, options.statistics)
    if pairs is not None:
        tell_who_trained(model.description.people, pairs, options.split)
    lifted = lift_rows(
        model,
        poses,
        find_intrinsics(poses, options.focal, options.fov),
        options.height,
        options.process_as_video,
        options.max_gap,
        options.test_batch_size,
    )
    write_lifted(Path(options.output_dir), lifted, pairs)
    return 0
