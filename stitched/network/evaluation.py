"""`eval.py stitched_*`: 2D and 3D errors of a stitched network on pictures with known poses."""

import csv
from pathlib import Path

import numpy as np

from stitched.network.data import PicturedPairs
from stitched.network.inference import known_people
from stitched.network.options import StitchedEvalOptions, StitchedRunOptions
from stitched.network.predictor import StitchedModel, find_pairs
from twod_threed.evaluation import Truth, score
from twod_threed.evaluation_report import Grouping, ModelScores, tables, write_report
from twod_threed.h36m import NOT_OF_14
from twod_threed.h36m_takes import ACTIONS
from twod_threed.pose_rows import write_lifted
from utils.atomic import atomic_path
from utils.comparison import aligned
from utils.pose_file import Poses
from utils.pose_metrics import joint_mean
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16, skeleton_named


def evaluate(options: StitchedEvalOptions) -> int:
    """Find the joints, print their errors, write them with tables and plots. -> exit code 0.

    Raises UserError for weights or data that are absent.
    """
    weights, folder = options.weights, Path(options.output_dir)
    model = StitchedModel.load(weights.load, options.join, weights.accelerator, weights.precision)
    people = known_people(
        StitchedRunOptions(
            dataset=options.dataset,
            data_dir=options.data_dir,
            split=options.split,
            mannequin_count=options.mannequin_count,
            seed=options.seed,
        )
    )
    found = find_pairs(model, people, weights.flip, weights.test_batch_size)
    assert found.intrinsics is not None
    write_lifted(folder, model.lift(found, found.intrinsics), people.pairs)
    name = Path(weights.load).name or "joined"
    scores = score_3d(name, folder / "poses.npz", people, options.joints)
    errors = place_errors(found, people)
    print(f"{tables([scores])}\n\n{table_2d(errors)}")
    files = [*write_report([scores], folder), write_2d(folder / "2d.csv", errors)]
    print(f"\nwrote {', '.join(path.name for path in files)} to {folder}")
    return 0


def score_3d(name: str, path: Path, people: PicturedPairs, joints: int = 17) -> ModelScores:
    """Scores of a pose file of these people, over `joints` (17 or 14); the mean is over actions for
    Human3.6M. Raises UserError if the file is not of them."""
    pairs = people.pairs
    scored = tuple(one for one in H36M_17.joints if joints == 17 or one not in NOT_OF_14)
    grouping = Grouping.of("action", pairs.actions, order=ACTIONS)
    return score(name, path, Truth(path, pairs, (grouping,), scored))


def place_errors(found: Poses, people: PicturedPairs) -> dict[str, tuple[float, float]]:
    """2D joint -> mean error in px and in per cent of the box's side; "mean" of all joints.

    Joints that the data really know, inside the picture.
    """
    pairs = people.pairs
    points = convert(found.keypoints_2d, skeleton_named(found.skeleton_2d), MPII_16).poses
    size = pairs.image_size[pairs.camera][:, None]
    shown = ((pairs.poses_2d >= -0.5) & (pairs.poses_2d < size - 0.5)).all(-1)
    shown &= np.isin(MPII_16.joints, people.supervised)
    pixels = np.linalg.norm(points - pairs.poses_2d, axis=-1)
    pixels = np.where(shown, pixels, np.nan)
    share = 100 * pixels / people.boxes()[:, 2:]
    names = (*MPII_16.joints, "mean")
    columns = (np.append(joint_mean(one.T), joint_mean(one.ravel())) for one in (pixels, share))
    rows = zip(names, *(column.tolist() for column in columns), strict=True)
    return {joint: (px, per_cent) for joint, px, per_cent in rows}


def table_2d(errors: dict[str, tuple[float, float]]) -> str:
    """The errors of `place_errors` for the terminal."""
    lines = [("2D error by joint", "px", "% of box"), ()]
    for joint, (px, share) in errors.items():
        lines.append((joint.replace("_", " "), f"{px:.2f}", f"{share:.2f}"))
    return aligned(lines)


def write_2d(path: Path, errors: dict[str, tuple[float, float]]) -> Path:
    """The errors of `place_errors` as CSV."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["joint", "pixels", "percent_of_box"])
        writer.writerows(
            (joint, f"{px:.4f}", f"{share:.4f}") for joint, (px, share) in errors.items()
        )
    return path
