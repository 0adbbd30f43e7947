"""`run.py motion_transfer`: the person of one pose file moves like that of another."""

from generative_models.motion_transfer.options import TransferRunOptions
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.retarget import retarget_bones, retarget_scale
from utils.atomic import check_not_source
from utils.pose_file import Poses, write_poses
from utils.pose_json import read_pose_file, write_pose_json

FILES = ("poses.npz", "poses.json")


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
    folder = options.output_dir
    for name in FILES:
        check_not_source(folder / name, options.source, options.target)
    source, target = read_pose_file(options.source), read_pose_file(options.target)
    poses = retarget(source, target, options)
    write_poses(folder / FILES[0], poses)
    write_pose_json(folder / FILES[1], poses)
    width, height = poses.image_size[0]
    print(f"{len(poses)} frames, by {options.method}, in pictures of {width} x {height} px")
    print(f"poses: {folder / FILES[0]}")
    return 0
