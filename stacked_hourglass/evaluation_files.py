"""What the scores are made from: published annotations, and predictions in their order.

Only the 14 joints of LSP enter the scores; MPII has two more, the pelvis and the thorax, which its
own tables leave out. Everything here is in px of the picture with (0, 0) the centre of its top-left
pixel; MATLAB's files count from 1, which ends and begins in this module.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import h5py
import numpy as np

from stacked_hourglass.mpii_matlab import picture_names
from stacked_hourglass.pck import head_sizes, torso_lengths
from stacked_hourglass.sources import absent
from utils.errors import UserError
from utils.matlab_files import read_matlab
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.skeleton_conversion import convert
from utils.skeletons import LSP_14, MPII_16, skeleton_named

SCORED = LSP_14
# Numbers of the first and the last picture of each part, as the project's scores are defined.
LSP_SPLITS = {"val": (901, 1000), "test": (1001, 1500)}
MPII_TRUTH_FILE = "detections_our_format.mat"


@dataclass(frozen=True)
class GroundTruth:
    """N annotated people."""

    joints: np.ndarray
    """(N, 14, 2) px in the order of `SCORED`, NaN where not annotated"""
    lengths: np.ndarray
    """(N,) px, the length of each person that distances are measured in"""
    pictures: tuple[str, ...]
    """file name of each person's picture, without folders; empty if the file does not tell"""


def find_mpii_ground_truth(chosen: Path | None, data_dir: Path) -> Path:
    """The file that was chosen, else the published one where it may lie. Raises UserError."""
    if chosen is not None:
        return chosen
    places = [data_dir]
    if os.environ.get("MARIONETTE_DATA"):
        places.append(Path(os.environ["MARIONETTE_DATA"]) / "mpii_eval")
    for place in places:
        if (place / MPII_TRUTH_FILE).is_file():
            return place / MPII_TRUTH_FILE
    raise UserError(
        f"no {MPII_TRUTH_FILE} in {' or '.join(map(str, places))}: it comes with "
        "github.com/bearpaw/pytorch-pose (evaluation/data); put it there or name it with "
        "--ground_truth"
    )


def read_mpii_ground_truth(path: Path) -> GroundTruth:
    """The 2,958 validation people of the published file, in its order.

    Reads pos_gt_src (16, 2, N), jnt_missing (16, N) and headboxes_src (2, 2, N). The file does not
    say which pictures they are in; a valid.h5 of the same people in the same folder does. Raises
    UserError for a file without these arrays.
    """
    content = read_matlab(path)
    joints = _matlab_joints(content, "pos_gt_src", path)
    count = len(joints)
    missing = _array(content, "jnt_missing", (len(MPII_16), count), path)
    boxes = _array(content, "headboxes_src", (2, 2, count), path)
    joints[missing.T != 0] = np.nan
    return GroundTruth(
        joints=scored(joints, MPII_16.name),
        lengths=_positive(
            head_sizes(boxes.transpose(2, 0, 1).astype(np.float64)), "head box", path
        ),
        pictures=_picture_names(path.with_name("valid.h5"), count),
    )


def _picture_names(path: Path, count: int) -> tuple[str, ...]:
    """`imgname` of MPII's validation list, empty where there is no such file."""
    if not path.is_file():
        return ()
    try:
        with h5py.File(path) as content:
            names = tuple(picture_names(content).reshape(-1).tolist())
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"cannot read imgname from {path}: {error}") from error
    if len(names) != count:
        raise UserError(f"{path} lists {len(names)} people, {MPII_TRUTH_FILE} beside it {count}")
    return names


def read_lsp_ground_truth(data_dir: Path, split: str) -> GroundTruth:
    """One person per picture from joints.mat: `joints` (3, 14, pictures), hidden joints included.

    Raises UserError when the file is absent, has another layout, or ends before the split does.
    """
    path = data_dir / "joints.mat"
    if not path.is_file():
        raise absent("lsp", data_dir, "it has no joints.mat (--data_dir names another folder)")
    first, last = LSP_SPLITS[split]
    published = np.asarray(read_matlab(path).get("joints", ()))
    right = published.ndim == 3 and published.shape[:2] == (3, len(LSP_14))
    if not right or published.dtype.kind not in "fiu":
        found = f"{published.dtype} {published.shape}"
        raise UserError(f"{path} is not LSP's: `joints` is {found}, not numbers (3, 14, N)")
    if published.shape[2] < last:
        raise UserError(f"{path} has {published.shape[2]} pictures; {split} needs {last}")
    joints = published[:2, :, first - 1 : last].transpose(2, 1, 0).astype(np.float64) - 1
    return GroundTruth(
        joints=joints,
        lengths=_positive(torso_lengths(joints, LSP_14), "torso", path),
        pictures=tuple(f"im{number:04d}.jpg" for number in range(first, last + 1)),
    )


def read_mpii_predictions(path: Path, truth: GroundTruth) -> np.ndarray:
    """Predictions (N, 14, 2), NaN where missing, in the order of the annotated people.

    A pose file must have exactly one row for each of them. If the pictures are known, rows are
    matched by the picture's file name and, within a picture, in the order of their `person` (the
    published list numbers people upwards); otherwise they must be in the published order. MATLAB
    files are in that order: `preds` (N, 16, 2) or `pos_pred_src` (16, 2, N). Raises UserError.
    """
    count = len(truth.joints)
    if path.suffix == ".mat":
        joints = _matlab_predictions(path)
        if len(joints) != count:
            raise UserError(f"{path} has {len(joints)} people, the ground truth {count}")
        return scored(joints, MPII_16.name)
    poses = read_pose_file(path)
    if truth.pictures:
        rows = _rows_of_people(poses, truth.pictures, path)
    elif len(poses) == count:
        rows = np.arange(count)
    else:
        raise UserError(
            f"{path} has {len(poses)} rows, the ground truth {count} people: it needs one row each"
        )
    return scored(poses.keypoints_2d[rows], poses.skeleton_2d)


def _rows_of_people(poses: Poses, pictures: tuple[str, ...], path: Path) -> np.ndarray:
    """Row of `poses` for each entry of `pictures`; several of one picture by rising person."""
    by_person = np.argsort(poses.person, kind="stable").tolist()
    rows = _rows_by_picture(poses, by_person)
    wanted = defaultdict(int)
    for name in pictures:
        wanted[name] += 1
    for name in {**wanted, **rows}:
        if len(rows.get(name, ())) != wanted.get(name, 0):
            raise UserError(
                f"{path} has {len(rows.get(name, ()))} people in {name}, the validation list "
                f"{wanted.get(name, 0)}: it needs one row for each person of that list, no others"
            )
    remaining = {name: iter(members) for name, members in rows.items()}
    return np.array([next(remaining[name]) for name in pictures])


def read_lsp_predictions(path: Path, truth: GroundTruth) -> tuple[np.ndarray, int]:
    """Predictions (N, 14, 2) matched by picture name, and how many pictures have none (NaN).

    Other pictures in the file are left out. Raises UserError if the file has none of the pictures,
    or several people in one: the score is of one person per picture.
    """
    poses = read_pose_file(path)
    rows = _rows_by_picture(poses, range(len(poses)))
    pictures = truth.pictures
    found = [number for number, name in enumerate(pictures) if name in rows]
    if not found:
        raise UserError(f"{path} has none of the pictures {pictures[0]} to {pictures[-1]}")
    for number in found:
        people = len(rows[pictures[number]])
        if people > 1:
            raise UserError(f"{path} has {people} people in {pictures[number]}; LSP scores one")
    predictions = np.full(truth.joints.shape, np.nan)
    chosen = [rows[pictures[number]][0] for number in found]
    predictions[found] = scored(poses.keypoints_2d[chosen], poses.skeleton_2d)
    return predictions, len(pictures) - len(found)


def _rows_by_picture(poses: Poses, order: Iterable[int]) -> dict[str, list[int]]:
    """Rows of each picture's file name (folders left out), in the order given."""
    rows = defaultdict(list)
    for row in order:
        rows[PurePosixPath(str(poses.source[row]).replace("\\", "/")).name].append(row)
    return dict(rows)


def _matlab_predictions(path: Path) -> np.ndarray:
    """(N, 16, 2) px from either of the published layouts."""
    content = read_matlab(path)
    if "preds" not in content:
        return _matlab_joints(content, "pos_pred_src", path)
    preds = content["preds"]
    return _array(content, "preds", (preds.shape[0], len(MPII_16), 2), path).astype(np.float64) - 1


def _matlab_joints(content: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    """(N, 16, 2) px from an array (16, 2, N) that counts from 1."""
    count = content[name].shape[-1] if name in content else 0
    values = _array(content, name, (len(MPII_16), 2, count), path)
    return values.transpose(2, 0, 1).astype(np.float64) - 1


def _array(
    content: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: Path
) -> np.ndarray:
    if name not in content:
        held = ", ".join(content) or "nothing"
        raise UserError(f"{path} has no {name}; it holds {held}")
    array = content[name]
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise UserError(f"{name} in {path} is {array.dtype} {array.shape}, not numbers {shape}")
    return array


def scored(joints: np.ndarray, skeleton: str) -> np.ndarray:
    """The scored joints (N, 14, 2) by name; guesses, which are only good to draw, become NaN."""
    conversion = convert(joints.astype(np.float64), skeleton_named(skeleton), SCORED)
    guessed = [status in ("invented", "missing") for status in conversion.status]
    poses = conversion.poses.copy()
    poses[:, guessed] = np.nan
    return poses


def _positive(lengths: np.ndarray, what: str, path: Path) -> np.ndarray:
    if not (lengths > 0).all():
        person = int(np.flatnonzero(~(lengths > 0))[0]) + 1
        raise UserError(f"{path}: person {person} has no {what} to measure distances in")
    return lengths
