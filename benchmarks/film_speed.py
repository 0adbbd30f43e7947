"""Frames a second of `run.py pose` on a film, with what its switches buy.

    python -m benchmarks.film_speed [--video FILE] [--only "as it is" "backend torch"]

Whole commands in processes of their own, on a film of FILE's first seconds or, without one, of a
mannequin at 640 x 480 and 25 frames/s. A row's figure is the time that the frames after the first
second take: the command's time for the whole film less its time for one second of it, which is
start-up for the most part and stands beside it. The commands run in turn.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.timing import Spread, machine, print_rows, seconds, spread
from utils.mannequin import MannequinOptions, render_clip
from utils.video import VideoReader, VideoWriter

ROOT = Path(__file__).resolve().parents[1]
FPS, SIZE, SEED = 25, (640, 480), 3
Film = tuple[Spread, Spread]
"""Frames a second, and seconds of the first second."""
SWITCHES: dict[str, tuple[str, ...]] = {
    "as it is": (),
    "--mode balanced": ("--mode", "balanced"),
    "--backend torch": ("--backend", "torch"),
    "--overlay_3d False": ("--overlay_3d", "False"),
    "--overlay False --overlay_3d False": ("--overlay", "False", "--overlay_3d", "False"),
    "--overlay False --overlay_3d False --fps 10": (
        *("--overlay", "False", "--overlay_3d", "False", "--fps", "10"),
    ),
    "--lift False --overlay_3d False": ("--lift", "False", "--overlay_3d", "False"),
    "--precision 32-true": ("--precision", "32-true"),
    "--flip_video": ("--flip_video",),
}


def write_clip(path: Path, duration: float, video: str = "") -> int:
    """The first seconds of a film, or of a mannequin; -> how many frames."""
    if not video:
        look = MannequinOptions(*SIZE, occluders=False)
        images = (sample.image for sample in render_clip(SEED, int(duration * FPS), FPS, look))
        with VideoWriter(path, *SIZE, FPS) as writer:
            return sum(writer.write(image) is None for image in images)
    with VideoReader(video, 0, duration) as frames:
        first = next(frame for frame in frames)
    with (
        VideoReader(video, 0, duration) as frames,
        VideoWriter(path, first.image.shape[1], first.image.shape[0], frames.fps) as writer,
    ):
        return sum(writer.write(frame.image) is None for frame in frames)


def command(clip: Path, folder: Path, switches: Sequence[str], end: float | None) -> list[str]:
    """`run.py pose` with the small hourglass, unless the switches name another."""
    words = [sys.executable, "run.py", "pose", str(clip), "--output_dir", str(folder), *switches]
    words += () if "--mode" in switches else ("--mode", "lightweight")
    return words if end is None else [*words, "--end", str(end)]


def film_rate(clip: Path, count: int, folder: Path, switches: Sequence[str], runs: int) -> Film:
    """How fast the frames after the first second are done, and how long that second takes."""
    with VideoReader(str(clip)) as frames:
        later = count - round(frames.fps)

    def run(end: float | None) -> None:
        words = command(clip, folder, switches, end)
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)

    run(1)
    pairs = [(seconds(lambda: run(None)), seconds(lambda: run(1))) for _ in range(runs)]
    rates = [later / (whole - start) for whole, start in pairs]
    return spread(rates), spread([start for _, start in pairs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", default="", help="a film; without one, a mannequin's")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--runs", type=int, default=3)
    rows_of = {name.removeprefix("--"): name for name in SWITCHES}
    parser.add_argument("--only", nargs="+", choices=rows_of, default=list(rows_of))
    chosen = parser.parse_args()
    print(machine())
    rows: list[tuple[str, ...]] = [("run.py pose", "frames/s", "first second, s")]
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "clip.mp4"
        count = write_clip(clip, chosen.seconds, chosen.video)
        for switch in chosen.only:
            words = SWITCHES[rows_of[switch]]
            found = film_rate(clip, count, Path(name) / "out", words, chosen.runs)
            rows.append((rows_of[switch], *map(str, found)))
    print_rows(f"{count} frames", rows)


if __name__ == "__main__":
    main()
