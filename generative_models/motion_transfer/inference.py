"""`run.py motion_transfer`: the person of one pose file moves like that of another."""

from generative_models.motion_transfer.options import TransferRunOptions
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.retarget import retarget_bones, retarget_scale
from utils.pose_file import Poses, write_poses
from utils.pose_json import read_pose_file, write_pose_json


def retarget(source: Poses, target: Poses, options: TransferRunOptions) -> Poses:
    """Retarget as --method says. Raises UserError for poses or weights that do not do."""
    if options.method == "scale":
        return retarget_scale(source, target)
    if options.method == "bones":
        return retarget_bones(source, target)
    weights = options.weights
    return LearnedRetargeter.load(weights.load, weights.accelerator)(source, target)


def run(options: TransferRunOptions) -> int:
    """Retarget one pose file to another's person and write poses.npz and poses.json. -> 0."""
    source, target = read_pose_file(options.source), read_pose_file(options.target)
    poses = retarget(source, target, options)
    folder = options.output_dir
    write_poses(folder / "poses.npz", poses)
    write_pose_json(folder / "poses.json", poses)
    width, height = poses.image_size[0]
    print(f"{len(poses)} frames, by {options.method}, in pictures of {width} x {height} px")
    print(f"poses: {folder / 'poses.npz'}")
    return 0
