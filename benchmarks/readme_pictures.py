"""The pictures of the README, made from what `run.py demo` leaves in its folder.

    python run.py demo
    python -m benchmarks.readme_pictures

Needs Chromium or Chrome on the PATH, for the picture of the interactive page.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from stitched.demo import CLIP
from stitched.visualization.film import write_film
from stitched.visualization.interactive import write_page
from stitched.visualization.panels import overlay_with_panel
from utils.images import read_image, write_image
from utils.pose_file import Poses, read_poses
from utils.pose_panels import grid
from utils.video import VideoReader

DEMO, DOCS = Path("visualizations/demo"), Path("docs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WINDOW = (1100, 640)
HEIGHT, ORBIT = 240, 45.0  # px and degrees a second, of the film


def surest(poses: Poses) -> int:
    """The frame in the first half whose pose is surest."""
    sure = poses.confidence.mean(axis=1)[: len(poses) // 2]
    return int(poses.frame[sure.argmax()])


def picture(clip: Path, poses: Poses) -> np.ndarray:
    """A frame of the clip with its 2D pose, and its 3D pose beside it."""
    number = surest(poses)
    with VideoReader(clip) as video:
        frame = next(frame for frame in video if frame.index == number)
    return overlay_with_panel(frame.image, poses.select(poses.frame == number))


def strip(clip: Path, poses: Poses) -> np.ndarray:
    """Six frames of the film, in two rows."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        write_film(clip, poses, film, ORBIT, HEIGHT)
        with VideoReader(film) as video:
            frames = [frame.image for frame in video]
    chosen = np.linspace(0, len(frames) - 1, 6).round().astype(int)
    return grid([frames[number] for number in chosen], 3)


def dance_strip() -> np.ndarray:
    """Six frames of the dance, in three rows: the film, the skeleton, the dancer."""
    with VideoReader(DEMO / "dance" / "side_by_side.mp4") as video:
        frames = [frame.image for frame in video]
    chosen = np.linspace(0, len(frames) - 1, 6).round().astype(int)
    return grid([frames[number] for number in chosen], 2)


def page(clip: Path, poses: Poses) -> np.ndarray:
    """What a browser shows of the interactive page, which begins with a sure frame."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"error: none of {', '.join(BROWSERS)} is on the PATH; install Chromium")
    with tempfile.TemporaryDirectory() as folder:
        written, shot = Path(folder) / "page.html", Path(folder) / "page.png"
        write_page(poses.select(poses.frame >= surest(poses)), written, clip)
        width, height = WINDOW
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        words += [f"--user-data-dir={folder}/profile", f"--window-size={width},{height}"]
        words += [f"--screenshot={shot}", written.as_uri()]
        subprocess.run([browser, *words], check=True, stderr=subprocess.DEVNULL)
        return read_image(shot)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    poses = read_poses(DEMO / "poses.npz")
    clip = DEMO / CLIP
    large = picture(clip, poses)
    size = [round(n * 400 / large.shape[0]) for n in (large.shape[1], large.shape[0])]
    small = np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA))
    made = {
        "picture": small,
        "film": strip(clip, poses),
        "interactive": page(clip, poses),
        "dance": dance_strip(),
    }
    for name, image in made.items():
        path = DOCS / f"{name}.jpg"
        write_image(path, image)
        print(f"{path}: {image.shape[1]} x {image.shape[0]} px, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
