"""Temporal lifters beside the single-frame one and the public program, on the same views.

    python -m benchmarks.temporal_accuracy --peer FOLDER --data_dir data/mocap --minutes 20

FOLDER is a clone of github.com/facebookresearch/VideoPose3D; how it is trained, says
`benchmarks/public_temporal.py`. Ours are `train.py 2d3d_mocap` and `train.py temporal_mocap` on the
same films: every clip that trains, seen by two cameras that are drawn once. All learn from exact 2D
with errors like a detector's added, between none and those of the shipped hourglass; ours draw them
anew for every window, the public program, which has no such option, gets them in its file. Then all
lift the test subjects' films, with exact 2D and with the detector's full errors. Temporal lifters
begin as networks of single frames and go on as ones of 27, then 81 (`STAGES`). Two train at a time,
each on half of the cores. What is in --output_dir is not made again: an interrupted benchmark goes
on.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import machine, print_rows
from benchmarks.two_at_once import Commands, side_by_side
from twod_threed.detector_noise import add_noise, read_table
from twod_threed.pairs import PosePairs, join_pairs, read_pairs, write_pairs
from twod_threed.pose_rows import lift_pairs as lift_single
from twod_threed.predictor import LiftingModel
from twod_threed.temporal.evaluation import lift_pairs, score_films
from twod_threed.temporal.predictor import TemporalLiftingModel
from twod_threed.temporal.sequences import sequences_of
from twod_threed.views import stored_views
from utils.mocap.store import MotionStore, join_stores, read_store, resample
from utils.pose_file import read_poses
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

RATE = 25.0
CAMERAS = {"train": 2, "val": 1, "test": 2}
SEEDS = {"train": 1, "val": 2, "test": 3}
NAMES = {
    "single": "one frame, 1,024 units",
    "temporal27": "27 frames",
    "temporal81": "81 frames",
    "public": "public VideoPose3D, 27 frames",
}
PAIRED = (("single", "public"), ("temporal27", "temporal81"))
"""Who trains side by side."""


@dataclass(frozen=True)
class Stage:
    """Part of a temporal training; each goes on from the weights of the one before it."""

    architecture: str
    share: float
    """of the minutes"""
    batch_size: int
    lr: float
    epochs: int
    """that are about as long as that, for the schedules"""

    def options(self, minutes: float) -> list[str]:
        """Of `train.py temporal_mocap`."""
        lines = ["--architecture", self.architecture, "--max_minutes", f"{self.share * minutes:g}"]
        lines += ["--batch_size", str(self.batch_size), "--lr", str(self.lr)]
        return [*lines, "--lr_scheduler", "cosine", "--epochs", str(self.epochs)]


# A network of single frames takes a thirteenth of the time of one of 27, for the same poses.
_SINGLE = Stage("1,1,1", share=0.2, batch_size=512, lr=2e-3, epochs=4)
STAGES = {
    "temporal27": (_SINGLE, Stage("3,3,3", share=0.8, batch_size=192, lr=1e-3, epochs=4)),
    "temporal81": (
        _SINGLE,
        Stage("3,3,3", share=0.4, batch_size=192, lr=1e-3, epochs=2),
        Stage("3,3,3,3", share=0.4, batch_size=192, lr=5e-4, epochs=1),
    ),
}
INPUTS = {"test": "exact", "test_noisy": "noisy"}
MEASURES = ("MPJPE", "P-MPJPE", "velocity")
HEAD = ("mm, mm a frame", *(f"{one}, {kind}" for kind in INPUTS.values() for one in MEASURES))


def noisy(pairs: PosePairs, seed: int, everywhere: bool) -> PosePairs:
    """The same films with a detector's errors: all of them, or for each film some share of them."""
    generator, table = torch.Generator().manual_seed(seed), read_table()
    points = torch.from_numpy(pairs.poses_2d)
    amount = torch.ones(len(pairs), 1)
    if not everywhere:
        for film in sequences_of(pairs):
            amount[film] = torch.rand(1, generator=generator)
    return replace(pairs, poses_2d=add_noise(points, table, amount, generator).numpy())


def views_of(store: MotionStore, split: str) -> PosePairs:
    """The films of those who train, validate or test."""
    held_out = {"val": VALIDATION_SUBJECTS["mocap"], "test": TEST_SUBJECTS["mocap"]}
    others = ~np.isin(store.subjects, [name for names in held_out.values() for name in names])
    mask = np.isin(store.subjects, held_out[split]) if split in held_out else others
    films = resample(store.select(mask), RATE)
    return stored_views(films, SEEDS[split], cameras=CAMERAS[split])


def draw_test_views(store: MotionStore, folder: Path) -> PosePairs:
    """Files of the test subjects' films, exact and noisy; -> the exact ones."""
    test = views_of(store, "test")
    write_pairs(folder / "test_noisy.npz", noisy(test, 5, everywhere=True))
    write_pairs(folder / "test.npz", test)
    return test


def draw_views(store: MotionStore, folder: Path) -> None:
    """Files of films; training, for `train.py`, is all, which it parts by subjects."""
    train, val, test = (
        views_of(store, "train"),
        views_of(store, "val"),
        draw_test_views(store, folder),
    )
    write_pairs(folder / "train_noisy.npz", noisy(train, 4, everywhere=False))
    write_pairs(folder / "training.npz", join_pairs([train, val, test]))


def commands(name: str, chosen: argparse.Namespace) -> Commands:
    """The training of one row of the table."""
    folder, seed = chosen.output_dir, ["--seed", str(chosen.seed)]
    if name == "public":
        lines = [sys.executable, "-m", "benchmarks.public_temporal", "--peer", str(chosen.peer)]
        lines += ["--train", str(folder / "train_noisy.npz"), "--output_dir", str(folder)]
        lines += ["--test", *(str(folder / f"{one}.npz") for one in INPUTS)]
        return [[*lines, "--minutes", str(chosen.minutes), *seed]]
    where = ["--data_dir", str(folder / "training.npz"), "--checkpoint_dir", str(folder)]
    where += ["--tb_dir", str(folder), "--overwrite", "--input_noise", "1", *seed]
    if name == "single":
        single = [sys.executable, "train.py", "2d3d_mocap", "--exp", name, *where]
        return [[*single, "--max_minutes", str(chosen.minutes)]]
    lines = [sys.executable, "train.py", "temporal_mocap", *where, *chosen.options]
    names = [*(f"{name}_{number}" for number in range(len(STAGES[name]) - 1)), name]
    starts = [[], *(["--load", str(run_of(one, folder) / "best.safetensors")] for one in names)]
    return [
        [*lines, "--exp", exp, *start, *stage.options(chosen.minutes)]
        for exp, start, stage in zip(names, starts, STAGES[name], strict=False)
    ]


def run_of(name: str, folder: Path) -> Path:
    """Run folder of a temporal training."""
    return folder / f"temporal_mocap_{name}"


def poses_of(name: str, folder: Path, films: str) -> np.ndarray:
    """(N, 17, 3) mm, relative to the hip: what a row's network makes of films."""
    pairs = read_pairs(folder / f"{films}.npz")
    if name == "public":
        found = read_poses(folder / f"public_{films}.npz").keypoints_3d
    elif name == "single":
        found = lift_single(
            LiftingModel.load(str(folder / "2d3d_mocap_single")), pairs
        ).keypoints_3d
    else:
        found = lift_pairs(TemporalLiftingModel.load(str(run_of(name, folder))), pairs)
    assert found is not None
    return found


def row(label: str, folder: Path, poses: Callable[[str], np.ndarray]) -> tuple[str, ...]:
    """MPJPE, P-MPJPE and velocity error with exact and with noisy 2D, mean over data sets.

    poses: of INPUTS -> what a network makes of these films in `folder`, (N, 17, 3) mm.
    """
    cells = [label]
    for films in INPUTS:
        pairs = read_pairs(folder / f"{films}.npz")
        scores = score_films(label, folder, poses(films), pairs)
        means = (scores.main.mean(one) for one in ("MPJPE", "P-MPJPE", "MPJVE"))
        cells += [f"{mean:.1f}" for mean in means]
    return tuple(cells)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, help="clone of the public program")
    parser.add_argument("--data_dir", type=Path, default=Path("data/mocap"), help="motion stores")
    parser.add_argument("--output_dir", type=Path, default=Path("visualizations/temporal_accuracy"))
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("options", nargs="*", help="options of train.py temporal_mocap, after --")
    chosen = parser.parse_args(words)
    folder = chosen.output_dir
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "training.npz").exists():
        stores = sorted(chosen.data_dir.glob("*.npz"))
        draw_views(join_stores([read_store(path) for path in stores]), folder)
    for pair in PAIRED:
        done = folder / f"{'_'.join(pair)}.done"
        if not done.exists():
            one, other = (commands(name, chosen) for name in pair)
            side_by_side((one, other), [folder / f"{name}.log" for name in pair])
            done.touch()
    rows = [row(NAMES[name], folder, partial(poses_of, name, folder)) for name in NAMES]
    print(machine())
    print_rows(f"{chosen.minutes:g} minutes, test subjects", [HEAD, *rows])


if __name__ == "__main__":
    main()
