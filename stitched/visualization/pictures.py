"""The commands that draw a folder's pictures beside their 3D poses: `viz.py 2d_overlay_3d_pred`
and `viz.py 2d_overlay_3d_gt_3d_pred`."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from stacked_hourglass.visualization import find_pictures
from stitched.visualization.options import (
    OverlayPredictionOptions,
    OverlayTruthOptions,
    ViewOptions,
)
from stitched.visualization.panels import beside, draw_people, panel_height
from stitched.visualization.stage import find_places, make_stage
from utils.errors import UserError, none_left
from utils.images import read_image, write_image
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.pose_metrics import mpjpe, p_mpjpe
from utils.pose_panels import frame_poses

_SAME_FORMAT = {".png", ".jpg", ".jpeg"}

Panels = Callable[[Path, int], list[np.ndarray]]
"""(place of a picture in its folder, px) -> panels of that size to put beside it."""


def draw_overlay_3d_pred(options: OverlayPredictionOptions) -> int:
    """Draw each picture of a pose file with its 2D poses, and a panel of its 3D poses beside it.

    Output and exit code are those of `viz.py 2d_overlay`. Raises UserError if the folders or the
    pose files are not what they must be, or nothing is left to draw.
    """
    file, view = options.threed_pose_estimation, options.view
    lifted = _read(file, options.img_dir)

    def panels(place: Path, size: int) -> list[np.ndarray]:
        people = _people_3d(lifted, place, file)
        stage = make_stage(people, view.azimuth, view.elevation)
        return [stage.panel(int(people.frame[0]), size, "prediction")]

    return _draw_all(options, panels)


def draw_overlay_3d_gt_3d_pred(options: OverlayTruthOptions) -> int:
    """The same with the true 3D poses between the two, and the errors in the title.

    A person is drawn where the truth of the same number stands, so that the panels differ by the
    pose alone. Raises UserError as `draw_overlay_3d_pred`.
    """
    drawn = options.pictures
    files = (options.threed_pose_ground_truths, drawn.threed_pose_estimation)
    contents = [_read(file, drawn.img_dir) for file in files]

    def panels(place: Path, size: int) -> list[np.ndarray]:
        pairs = zip(contents, files, strict=True)
        truth, prediction = (_people_3d(content, place, file) for content, file in pairs)
        return _compared(truth, prediction, size, drawn.view)

    return _draw_all(drawn, panels)


class _Pictures(NamedTuple):
    """Poses of each picture, by its place in the folder, and a line for each left out."""

    poses: dict[Path, Poses]
    problems: list[str]


def _read(path: Path, folder: Path, limit: int | None = None) -> _Pictures:
    """The poses of a file by the pictures in `folder` that they are of, at most `limit` of them.

    Raises UserError if the folder or the file is not what it must be.
    """
    if not folder.is_dir():
        raise UserError(f"--img_dir {folder} is not a folder")
    poses = read_pose_file(path)
    if len(poses) == 0:
        raise UserError(f"{path} has no poses")
    films = dict.fromkeys(poses.source[np.isfinite(poses.time)].tolist())
    pictures = [name for name in dict.fromkeys(poses.source.tolist()) if name not in films]
    places, problems = find_pictures(pictures[:limit], folder)
    problems += [f"{film} is a video: `viz.py video` draws on it" for film in films]
    found = {place: poses.select(poses.source == source) for source, place in places.items()}
    return _Pictures(found, problems)


def _draw_all(options: OverlayPredictionOptions, panels: Panels) -> int:
    """Draw every picture with what `panels` gives for it. -> exit code."""
    if options.output_dir.resolve() == options.img_dir.resolve():
        raise UserError("--output_dir is --img_dir: the pictures would be drawn over")
    poses, problems = _read(options.twod_pose_estimations, options.img_dir, options.limit)
    drawn = 0
    for place, people in tqdm(poses.items(), unit="picture", disable=None, leave=False):
        try:
            image = read_image(options.img_dir / place)
            height = panel_height(image)
            picture = beside(draw_people(image, people, height), panels(place, height))
        except UserError as error:
            problems.append(str(error))
            continue
        suffix = "" if place.suffix.lower() in _SAME_FORMAT else ".png"
        write_image(options.output_dir / f"{place}{suffix}", picture)
        drawn += 1
    if not drawn:
        raise none_left("nothing to draw", problems)
    for problem in problems:
        print(f"skipped: {problem}", file=sys.stderr)
    print(f"drew {drawn} of {drawn + len(problems)} pictures, in {options.output_dir}")
    return int(bool(problems))


def _people_3d(pictures: _Pictures, place: Path, path: Path) -> Poses:
    """The rows of a picture. Raises UserError if the file, `path`, has no 3D poses of it."""
    poses = pictures.poses.get(place)
    if poses is None or poses.keypoints_3d is None:
        raise UserError(f"{path} has no 3D poses of {place}")
    return poses


def _compared(truth: Poses, prediction: Poses, size: int, view: ViewOptions) -> list[np.ndarray]:
    """Panels of the true and the lifted poses of one picture, alike but for the poses."""
    where = dict(zip(truth.person.tolist(), find_places(truth), strict=True))
    own = zip(prediction.person.tolist(), find_places(prediction), strict=True)
    places = np.array([where.get(person, place) for person, place in own])
    true = make_stage(truth, view.azimuth, view.elevation)
    lifted = make_stage(prediction, places=places)
    points = [stage.joints.reshape(-1, 3) for stage in (true, lifted)]
    shown = frame_poses(np.concatenate(points), true.view)
    titles = ("truth", f"prediction{_errors(truth, prediction)}")
    return [
        replace(
            stage,
            centres=shown.centre[None],
            radius=shown.radius,
            floor=shown.floor,
            view=true.view,
        ).panel(int(stage.frames[0]), size, title)
        for stage, title in zip((true, lifted), titles, strict=True)
    ]


def _errors(truth: Poses, prediction: Poses) -> str:
    """MPJPE and P-MPJPE of the people that both have, for a title; empty if there are none."""
    assert truth.keypoints_3d is not None and prediction.keypoints_3d is not None
    _, a, b = np.intersect1d(truth.person, prediction.person, return_indices=True)
    if truth.skeleton_3d != prediction.skeleton_3d or not len(a):
        return ""
    pair = (prediction.keypoints_3d[b], truth.keypoints_3d[a])
    return f": {mpjpe(*pair):.0f} mm, aligned {p_mpjpe(*pair):.0f}"
