"""The command that draws 2D poses on their pictures: `viz.py 2d_overlay`."""

import sys
from collections import Counter
from collections.abc import Sequence
from os.path import isfile
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from stacked_hourglass.evaluation_options import Overlay2dOptions
from utils.drawing import draw_pose
from utils.errors import UserError, none_left
from utils.images import read_image, write_image
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.skeletons import skeleton_named

_SAME_FORMAT = {".png", ".jpg", ".jpeg"}


def overlay_2d(options: Overlay2dOptions) -> int:
    """Draw the people of a pose file on their pictures, all of one picture together.

    A drawn picture gets the subfolder and the name that its picture has in `img_dir` (and `.png`
    after it where that kind of picture is not written); one in which nobody was found is written
    as it is. Videos, and pictures that are absent, unreadable, or of another size than the poses
    were found in, are named on stderr and left out. Returns the exit code: 1 if there were any,
    else 0. Raises UserError if the folders or the pose file are not what they must be, or nothing
    is left.
    """
    poses = read_pose_file(options.twod_pose_estimations)
    _check(options, poses)
    videos = list(dict.fromkeys(poses.source[np.isfinite(poses.time)].tolist()))
    pictures = [name for name in dict.fromkeys(poses.source.tolist()) if name not in videos]
    pictures = pictures[: options.limit]
    places, problems = find_pictures(pictures, options.img_dir)
    problems += map(_about_video, videos)
    found = []
    for source, place in tqdm(places.items(), unit="picture", disable=None):
        people = poses.select(poses.source == source)
        try:
            picture = _overlay(options.img_dir / place, people)
        except UserError as error:
            problems.append(str(error))
            continue
        suffix = "" if place.suffix.lower() in _SAME_FORMAT else ".png"
        write_image(options.output_dir / f"{place}{suffix}", picture)
        found.append(bool(people.found.any()))
    _report(found, len(pictures), problems, options.output_dir)
    return 1 if problems else 0


def _about_video(source: str) -> str:
    return (
        f"{source} is a video, and only pictures are drawn on: `run.py pose` has written it with "
        "its poses, beside the pose file"
    )


def _report(found: Sequence[bool], count: int, problems: Sequence[str], folder: Path) -> None:
    """Say what became of `count` pictures; `found` tells of each that was written if anybody is
    in it. Raises UserError if none was.
    """
    if not found:
        raise none_left("nothing to draw on", list(problems))
    for problem in problems:
        print(f"skipped: {problem}", file=sys.stderr)
    nobody = f"; in {found.count(False)} nobody was found" if False in found else ""
    print(f"drew poses on {sum(found)} of {count} pictures, in {folder}{nobody}")


def _check(options: Overlay2dOptions, poses: Poses) -> None:
    if not options.img_dir.is_dir():
        raise UserError(f"--img_dir {options.img_dir} is not a folder")
    if options.output_dir.resolve() == options.img_dir.resolve():
        raise UserError(
            "--output_dir is --img_dir: the pictures would be drawn over; choose another"
        )
    if len(poses) == 0:
        raise UserError(f"{options.twod_pose_estimations} has no poses")


def find_pictures(sources: Sequence[str], folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Place of each source's picture, relative to `folder`, and a line for each without one.

    The folders that a pose file names may lie elsewhere now, or be `folder` itself, so that they
    are left off one by one until a picture is there. A picture that several sources lead to is
    given to none of them: all but one of their poses would be somebody else's.
    """
    found = {source: _find_picture(source, folder) for source in sources}
    uses = Counter(found.values())
    places: dict[str, Path] = {}
    problems: list[str] = []
    for source, place in found.items():
        if place is None:
            problems.append(f"no picture {source} in {folder}")
        elif uses[place] > 1:
            problems.append(f"{source}: {folder / place} could be that of {uses[place]} sources")
        else:
            places[source] = place
    return places, problems


def _find_picture(source: str, folder: Path) -> Path | None:
    path = PurePosixPath(source.replace("\\", "/"))
    parts = [part for part in path.parts if part not in (path.anchor, "..")]
    for start in range(len(parts)):
        place = Path(*parts[start:])
        if isfile(folder / place):  # Path.is_file raises for a name that is too long
            return place
    return None


def _overlay(path: Path, poses: Poses) -> np.ndarray:
    """The picture with its people. Raises UserError if it is unreadable or of another size."""
    image = read_image(path)
    height, width = image.shape[:2]
    for row in range(len(poses)):
        expected_width, expected_height = poses.image_size[row].tolist()
        if (width, height) != (expected_width, expected_height):
            raise UserError(
                f"{path} is {width} x {height} px, its poses were found in one of "
                f"{expected_width} x {expected_height}"
            )
        skeleton = skeleton_named(poses.skeleton_2d)
        image = draw_pose(image, poses.keypoints_2d[row], poses.confidence[row], skeleton)
    return image
