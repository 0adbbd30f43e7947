"""Leeds Sports Pose, LSP extended, COCO and the mannequin as tables of people.

Joints that a data set lacks are NaN. Pelvis and thorax are taken as the middles of hips and
shoulders: so MPII defines them (within its rounding to whole pixels), and a network trained on
several data sets then learns one meaning of them. MPII's upper neck and head top are nothing that
COCO's joints fix, so they stay missing there.
"""

from pathlib import Path

import numpy as np

from stacked_hourglass.person_table import PersonTable, PictureFiles, make_table
from stacked_hourglass.sources import absent
from utils.crops import box_around, whole_image_box
from utils.errors import UserError
from utils.images import read_image_size
from utils.matlab_files import read_matlab
from utils.skeleton_conversion import convert
from utils.skeletons import LSP_14, MPII_16, Skeleton

MIDDLES = ("pelvis", "thorax")
LSP_TRAIN_END, LSP_VAL_END = 900, 1000
# LSP extended is annotated in larger pictures. The box that its people's joints span, times this,
# leaves as much room round them as LSP's whole pictures do (its median is 1.3) and MPII's boxes.
LSP_EXTENDED_MARGIN = 1.4


def to_mpii(
    keypoints: np.ndarray, visibility: np.ndarray, skeleton: Skeleton
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (N, J, 2) and visibility (N, J) of a skeleton -> (N, 16, 2) and (N, 16).

    By name; a middle is hidden if one of its two joints is. NaN for the other joints.
    """
    converted = convert(keypoints, skeleton, MPII_16)
    seen = np.floor(convert(visibility[..., None], skeleton, MPII_16).poses[..., 0])
    kept = [
        status == "exact" or (status == "derived" and joint in MIDDLES)
        for joint, status in zip(MPII_16.joints, converted.status, strict=True)
    ]
    points = np.where(np.array(kept)[:, None], converted.poses, np.nan)
    return points, np.where(np.isnan(points).any(axis=-1), np.nan, seen)


def read_lsp(folder: str | Path) -> PersonTable:
    """Leeds Sports Pose: `joints.mat` (3, 14, N) and `images/im0001.jpg`, ...

    The third row of `joints.mat` is 1 where a joint is hidden; the place is annotated all the
    same. Coordinates are 1-based. The whole picture is the box. Pictures 1-900 train, 901-1000
    validate, the rest test. Raises UserError if a file is absent or of another layout.
    """
    folder = Path(folder)
    joints = _read_joints(folder, "lsp", (3, 14, None)).transpose(2, 1, 0)
    names = np.array([f"im{number:04d}.jpg" for number in range(1, len(joints) + 1)])
    rows, skipped = _rows_with_pictures(folder, "lsp", names)
    sizes = np.array([read_image_size(folder / "images" / names[row]) for row in rows])
    keypoints = joints[rows, :, :2] - 1
    hidden = joints[rows, :, 2] != 0
    points, visibility = to_mpii(keypoints, np.where(hidden, 0.0, 1.0), LSP_14)
    box = np.array([whole_image_box(width, height) for width, height in sizes])
    split = np.select([rows < LSP_TRAIN_END, rows < LSP_VAL_END], ["train", "val"], "test")
    pictures = PictureFiles(folder / "images", names[rows])
    return make_table(
        "lsp", pictures, points, visibility, box, split, annotation_id=rows, skipped=skipped
    )


def read_lsp_extended(folder: str | Path) -> PersonTable:
    """LSP extended: `joints.mat` (14, 3, N) and `images/im00001.jpg`, ...; all of it trains.

    The third column of `joints.mat` is 1 where a joint is annotated, else its place means nothing;
    whether it was seen is not told. Coordinates are 1-based. The box is that of the joints times
    `LSP_EXTENDED_MARGIN`. Raises UserError if a file is absent or of another layout.
    """
    folder = Path(folder)
    joints = _read_joints(folder, "lspet", (14, 3, None)).transpose(2, 0, 1)
    names = np.array([f"im{number:05d}.jpg" for number in range(1, len(joints) + 1)])
    rows, skipped = _rows_with_pictures(folder, "lspet", names)
    keypoints = np.where(joints[:, :, 2:] == 1, joints[:, :, :2] - 1, np.nan)
    box = np.array([box_around(points, LSP_EXTENDED_MARGIN) for points in keypoints])
    boxed = ~np.isnan(box[rows, 0])
    skipped["fewer than two joints annotated"] = list(names[rows[~boxed]])
    rows = rows[boxed]
    points, visibility = to_mpii(keypoints[rows], np.full((len(rows), 14), np.nan), LSP_14)
    return make_table(
        "lspet",
        PictureFiles(folder / "images", names[rows]),
        points,
        visibility,
        box[rows],
        np.full(len(rows), "train"),
        annotation_id=rows,
        skipped=skipped,
    )


def _read_joints(folder: Path, data_set: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """`joints` of joints.mat as float64, not-finite values as NaN, its shape checked."""
    path = folder / "joints.mat"
    if not path.is_file() or not (folder / "images").is_dir():
        raise absent(data_set, folder)
    joints = read_matlab(path).get("joints")
    if joints is None or joints.dtype.kind not in "fiu":
        raise UserError(f"{path} has no numeric variable `joints`")
    matches = joints.ndim == 3 and all(
        n in (None, m) for n, m in zip(shape, joints.shape, strict=True)
    )
    if not matches or joints.shape[2] == 0:
        wanted = ", ".join("N" if n is None else str(n) for n in shape)
        raise UserError(f"{path}: `joints` is {joints.shape}, not ({wanted})")
    return np.where(np.isfinite(joints), joints, np.nan).astype(np.float64)


def _rows_with_pictures(
    folder: Path, data_set: str, names: np.ndarray
) -> tuple[np.ndarray, dict[str, list[str]]]:
    """Rows (N,) whose picture lies in `images`, and the names of the other pictures."""
    here = {path.name for path in (folder / "images").iterdir()}
    there = np.array([name in here for name in names])
    if not there.any():
        raise absent(data_set, folder, f"none of its pictures ({names[0]}, ...) is in it")
    return np.flatnonzero(there), {"picture missing": list(names[~there])}
