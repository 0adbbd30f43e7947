"""The subcommand `h36m_images` of data/prepare.py: pictures cut from Human3.6M's videos."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data.video_frames import cut_frames
from stitched.network.h36m_pictures import INDEX, picture_names
from twod_threed.h36m import read_layout
from twod_threed.h36m_takes import ACTIONS, SUBJECTS, Wanted
from twod_threed.pairs import PROJECTED, PosePairs, write_pairs
from utils.errors import UserError
from utils.option_checks import at_least_one


@dataclass
class H36mImagesOptions:
    """Cut pictures from Human3.6M's videos, and lay their 2D and 3D poses beside them."""

    data_dir: Path = Path("data/h36m")
    """Folder of the download: S1/Videos/Directions.54138969.mp4 ... and
    S1/MyPoseFeatures/D3_Positions/Directions.cdf ..."""
    output: Path | None = None
    """Folder to write to; by default images in --data_dir."""
    subjects: tuple[str, ...] = SUBJECTS
    """People to convert."""
    actions: tuple[str, ...] = ACTIONS
    """Actions to convert."""
    keypoints: str = PROJECTED
    """2D joints: gt for projections of the 3D joints, d2_positions for those of D2_Positions."""
    every: int = 5
    """Take every so many-th frame, of 50 a second."""
    quality: int = 90
    """Of the JPEG pictures, 1 to 100."""

    def __post_init__(self) -> None:
        at_least_one(every=self.every)
        if not 1 <= self.quality <= 100:
            raise UserError(f"--quality must lie in 1 to 100, not {self.quality}")


def prepare_h36m_images(options: H36mImagesOptions) -> int:
    """Write pictures and index, and say what is there and what is amiss. Pictures of an earlier
    call are kept. -> exit code: 1 if a video is absent or damaged."""
    wanted = Wanted(options.subjects, options.actions)
    videos = _videos(options.data_dir, wanted)
    pairs = read_layout(options.data_dir, wanted, options.keypoints, options.every)
    folder = options.output or options.data_dir / "images"
    sources, names = pairs.source_names(), picture_names(pairs)
    views = np.unique(sources).tolist()
    failures = []
    for view in tqdm(views, "videos", leave=False, disable=None):
        rows = np.flatnonzero(sources == view)
        try:
            _cut(videos, view, pairs.select(rows), folder, options.quality)
        except UserError as error:
            failures.append(str(error))
    there = np.array([(folder / name).is_file() for name in names.tolist()])
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    if not there.any():
        raise UserError(f"not one picture could be cut from the videos in {options.data_dir}")
    write_pairs(folder / INDEX, pairs.select(there))
    print(f"{folder / INDEX}: {there.sum()} pictures of {len(views)} views")
    if not there.all():
        print(f"{(~there).sum()} poses are left out, which have no picture")
    return 1 if failures else 0


def _videos(folder: Path, wanted: Wanted) -> dict[str, Path]:
    """The video of each view that is wanted, by the name that the poses give it."""
    found = {}
    for subject in wanted.subjects:
        for path in sorted((folder / subject / "Videos").glob("*.mp4")):
            take, _, camera = path.stem.rpartition(".")
            name = wanted.take(take)
            if name is not None:
                found[f"{subject}/{name}/{camera}"] = path
    if not found:
        raise UserError(
            f"no videos of Human3.6M in {folder}: looked for S1/Videos/Directions.54138969.mp4 and "
            "the like; get them from http://vision.imar.ro/human3.6m"
        )
    return found


def _cut(videos: dict[str, Path], view: str, pairs: PosePairs, folder: Path, quality: int) -> None:
    """Write the pictures of one view that are not there yet. Raises UserError if some cannot be."""
    names = picture_names(pairs).tolist()
    wanted = {f: folder / n for f, n in zip(pairs.frame.tolist(), names, strict=True)}
    if all(path.is_file() for path in wanted.values()):
        return
    if view not in videos:
        raise UserError(f"{view}: there is no video of it")
    size = tuple(pairs.image_size[pairs.camera[0]].tolist())
    try:
        cut_frames(videos[view], wanted, quality, size)
    except UserError as error:
        raise UserError(f"{view}: {error}") from error
