"""3D panels, overlays with panels, frames of films and pages that one core draws in a minute.

    python -m benchmarks.panel_speed

Counted is the processor's time, of all threads, so that other programs do not disturb.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.timing import machine, spread
from stitched.visualization.film import write_film
from stitched.visualization.interactive import write_page
from stitched.visualization.panels import overlay_with_panel
from stitched.visualization.stage import make_stage
from utils.images import write_image
from utils.mannequin import MannequinOptions, MannequinSample, render_clip
from utils.pose_file import Poses
from utils.skeletons import H36M_17, MPII_16
from utils.video import VideoWriter

FRAMES, FPS, SIZE = 25, 25, (640, 360)
RUNS = 5


def rows(samples: list[MannequinSample]) -> Poses:
    """Exact poses of a clip of one person."""
    people = [sample.people[0] for sample in samples]
    joints = np.stack([person.keypoints_3d_h36m for person in people])
    hips = joints[:, H36M_17.index("hip")]
    return Poses(
        source=np.array(["clip.mp4"] * len(people)),
        frame=np.arange(len(people)),
        time=np.arange(len(people)) / FPS,
        person=np.zeros(len(people), int),
        box=np.stack([person.box for person in people]),
        image_size=np.tile(SIZE, (len(people), 1)),
        keypoints_2d=np.stack([person.keypoints_2d_mpii for person in people]),
        confidence=np.ones((len(people), len(MPII_16))),
        skeleton_2d=MPII_16.name,
        keypoints_3d=joints - hips[:, None],
        root_camera=hips,
        skeleton_3d=H36M_17.name,
    )


def per_minute(work: Callable[[], object]) -> str:
    """Of `work`, which makes FRAMES things, after one call to warm up."""
    work()
    found = []
    for _ in range(RUNS):
        begin = time.process_time()
        work()
        found.append(60 * FRAMES / (time.process_time() - begin))
    return str(spread(found))


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(machine())
    look = MannequinOptions(*SIZE, occluders=False, degradation=False)
    samples = list(render_clip(3, FRAMES, FPS, look))
    poses = rows(samples)
    stage = make_stage(poses)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        with VideoWriter(clip, *SIZE, FPS) as video:
            for sample in samples:
                video.write(sample.image)

        def pictures(suffix: str) -> None:
            for number, sample in enumerate(samples):
                drawn = overlay_with_panel(sample.image, poses.select([number]))
                write_image(folder / f"{number}{suffix}", drawn)

        works: dict[str, Callable[[], object]] = {
            "panel, 320 px": lambda: [stage.panel(n, 320) for n in range(FRAMES)],
            "panel, 480 px": lambda: [stage.panel(n, 480) for n in range(FRAMES)],
            "640 x 360 picture and panel": lambda: [
                overlay_with_panel(sample.image, poses.select([number]))
                for number, sample in enumerate(samples)
            ],
            "the same, written as JPG": lambda: pictures(".jpg"),
            "the same, written as PNG": lambda: pictures(".png"),
            "frame of a film, 360 px": lambda: write_film(
                clip, poses, folder / "3d.mp4", 30.0, 360
            ),
            "frame of a page": lambda: write_page(poses, folder / "page.html", clip),
        }
        for title, work in works.items():
            print(f"{title:34}{per_minute(work)} a minute")


if __name__ == "__main__":
    main()
