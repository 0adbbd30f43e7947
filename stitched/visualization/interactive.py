"""One HTML page with a video or picture and its poses in 2D and 3D: `viz.py interactive`.

The page holds everything that it shows and asks nothing of any network.
"""

import base64
import html
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from stitched.visualization.film import wanted_frames
from stitched.visualization.options import InteractiveOptions, ViewOptions
from stitched.visualization.panels import DRAWN_CONFIDENCE, check_size
from stitched.visualization.sources import read_rows
from stitched.visualization.stage import make_stage
from utils.atomic import atomic_path
from utils.errors import UserError
from utils.frames import Frame
from utils.images import IMAGE_SUFFIXES, read_image
from utils.pose_file import Poses
from utils.pose_sources import rows_of
from utils.skeletons import SIDE_COLOURS, Skeleton, skeleton_named
from utils.video import VideoReader

_PARTS = {"style": "page.css", "script": "page.js"}
_FRAME_RATE = 25.0  # of frames without times
_BASE64 = 4 / 3  # bytes in the page for each byte of a picture


class Page(NamedTuple):
    """What a page holds: so many `frames` of poses, and `pictures` of every `step`-th of them;
    `damage`: one line on what of the video could not be read, or None."""

    frames: int
    pictures: int
    step: int
    damage: str | None


class Thinned(NamedTuple):
    """Pictures of every `step`-th frame: number of the frame -> JPEG file."""

    jpegs: dict[int, bytes]
    step: int


def draw_interactive(options: InteractiveOptions) -> int:
    """Write the page that the options ask for. -> exit code: 1 if the video is damaged, else 0.

    Raises UserError for a video or poses that are absent or do not belong together.
    """
    poses = read_rows(options.poses, options.source or str(options.video or ""))
    name = Path(str(options.video or poses.source[0]).replace("\\", "/")).stem
    path = options.output_dir / f"{name}_interactive.html"
    page = write_page(
        poses,
        path,
        options.video,
        options.image_size,
        options.quality,
        options.max_megabytes,
        options.view,
    )
    if page.damage:
        print(f"error: {page.damage}", file=sys.stderr)
    size = path.stat().st_size / 1e6
    frames = f"{page.frames} frames" if page.frames > 1 else "one frame"
    print(f"wrote {frames} of {name}, {size:.1f} MB: open {path} in a browser")
    if page.step > 1:
        print(
            f"it has a picture of one frame in {page.step}; for more, raise --max_megabytes or "
            "lower --image_size"
        )
    return int(page.damage is not None)


def write_page(
    poses: Poses,
    output: Path,
    source: Path | None = None,
    image_size: int = 480,
    quality: int = 80,
    max_megabytes: float = 20.0,
    view: ViewOptions | None = None,
) -> Page:
    """Write the page of one video or picture, `source`; without one, of poses alone.

    image_size: px of the longer side of its pictures, at most; quality: of their JPEGs, 1 to 100;
    max_megabytes: of all pictures together, as they stand in the page. Frames are streamed. Raises
    UserError for a file that cannot be read, that the poses do not belong to or that has none of
    their frames, and for a place that cannot be written.
    """
    poses = rows_of(poses, str(source or poses.source[0] if len(poses) else ""))
    frames = np.unique(poses.frame).tolist()
    pictures, damage = Thinned({}, 1), None
    if source is not None:
        pictures, damage = _read_pictures(
            source, poses, frames, image_size, quality, 1e6 * max_megabytes
        )
    content = page_content(poses, pictures.jpegs, view or ViewOptions())
    title = html.escape(Path(poses.source[0].replace("\\", "/")).name)
    text = _fill(title, content)
    with atomic_path(output) as temporary:
        # The name of a file may be no UTF-8; a page must be.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    return Page(len(frames), len(pictures.jpegs), pictures.step, damage)


def _fill(title: str, content: dict) -> str:
    """The page with its style, script and data in it."""
    folder = Path(__file__).parent
    parts = {name: (folder / file).read_text(encoding="utf-8") for name, file in _PARTS.items()}
    # So that no text of a file's name can end the element that the data stand in.
    data = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    text = (folder / "page.html").read_text(encoding="utf-8")
    for name, part in {**parts, "title": title, "data": data}.items():
        text = text.replace("{{" + name + "}}", part)
    return text


def _read_pictures(
    path: Path, poses: Poses, frames: list[int], size: int, quality: int, limit: float
) -> tuple[Thinned, str | None]:
    """JPEGs of the frames of a video or picture that have poses, and what of it is damaged."""
    if path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
        image = read_image(path)
        check_size(image, poses)
        return Thinned({frames[0]: to_jpeg(image, size, quality)}, 1), None
    with VideoReader(path) as video:
        found = thinned(_checked(wanted_frames(video, frames), poses), size, quality, limit)
    if not found.jpegs:
        raise UserError(f"{path} has none of the frames that the poses are of")
    return found, video.damage


def _checked(frames: Iterable[Frame], poses: Poses) -> Iterable[Frame]:
    for frame in frames:
        check_size(frame.image, poses)
        yield frame


def thinned(frames: Iterable[Frame], size: int, quality: int, limit: float) -> Thinned:
    """Frames as JPEGs that take at most `limit` bytes in the page, of all or else of every second,
    fourth, ... frame; the first is always there."""
    kept: list[tuple[int, int, bytes]] = []
    step = 1
    for number, frame in enumerate(frames):
        if number % step:
            continue
        kept.append((number, frame.index, to_jpeg(frame.image, size, quality)))
        while len(kept) > 1 and _BASE64 * sum(len(jpeg) for *_, jpeg in kept) > limit:
            step *= 2
            kept = [one for one in kept if one[0] % step == 0]
    return Thinned({index: jpeg for _, index, jpeg in kept}, step)


def to_jpeg(image: np.ndarray, size: int, quality: int) -> bytes:
    """A JPEG file of a picture (H, W, 3), shrunk so that its longer side has at most `size` px."""
    scale = size / max(image.shape[:2])
    if scale < 1:
        shape = [max(round(n * scale), 1) for n in (image.shape[1], image.shape[0])]
        image = np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA))
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
    assert done
    return encoded.tobytes()


def page_content(poses: Poses, jpegs: dict[int, bytes], view: ViewOptions) -> dict:
    """What the page's script reads: rows of one video or picture, and pictures by frame.

    3D places are whole mm to the right, up from the floor and forward, of a camera that was turned
    level; 2D places px with one decimal; null where a joint is missing.
    """
    stage = make_stage(poses, view.azimuth, view.elevation)
    people = np.unique(poses.person)
    raised = np.array([0.0, stage.floor, 0.0])
    joints = np.round(stage.joints @ stage.view.ground.T - raised)
    times = poses.time[np.searchsorted(poses.frame, stage.frames)]
    if not np.isfinite(times).all():
        times = (stage.frames - stage.frames[0]) / _FRAME_RATE
    columns = (
        np.searchsorted(stage.frames, poses.frame).tolist(),
        np.searchsorted(people, poses.person).tolist(),
        [_plain(np.nan_to_num(points).astype(int), points) for points in joints],
        [_plain(np.round(points, 1), points) for points in poses.keypoints_2d.astype(float)],
        np.round(poses.confidence.astype(float), 2).tolist(),
    )
    return {
        "frames": stage.frames.tolist(),
        "times": np.round(times - times[0], 4).tolist(),
        "lastFor": float(np.median(np.diff(times))) if len(times) > 1 else 0.0,
        "people": people.tolist(),
        "rows": list(zip(*columns, strict=True)),
        "centres": np.round(stage.centres @ stage.view.ground.T - raised, 1).tolist(),
        "radius": stage.radius,
        "view": {"azimuth": view.azimuth, "elevation": view.elevation},
        "sides": SIDE_COLOURS,
        "skeleton2d": _skeleton(skeleton_named(poses.skeleton_2d)),
        "skeleton3d": _skeleton(stage.skeleton),
        "imageSize": poses.image_size[0].tolist(),
        "minConfidence": DRAWN_CONFIDENCE,
        "pictures": [base64.b64encode(jpeg).decode("ascii") for jpeg in jpegs.values()],
        "pictureOf": (np.searchsorted(list(jpegs), stage.frames, side="right") - 1).tolist(),
    }


def _plain(values: np.ndarray, places: np.ndarray) -> list:
    """Values (J, D) as lists, null for each joint whose place is not known."""
    known = np.asarray(np.isfinite(places).all(axis=1))
    return [row if there else None for row, there in zip(values.tolist(), known, strict=True)]


def _skeleton(skeleton: Skeleton) -> dict:
    pairs = zip(skeleton.bones, skeleton.bone_colours, strict=True)
    return {
        "joints": skeleton.joints,
        "bones": [[a, b, colour] for (a, b), colour in pairs],
        "colours": skeleton.joint_colours,
    }
