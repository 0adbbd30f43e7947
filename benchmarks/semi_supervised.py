"""What films without 3D poses add to a few with them: temporal lifters on motion capture.

    python -m benchmarks.semi_supervised --data_dir data/mocap [--minutes 20] [-- OPTION ...]

As in section 6.3 of Pavllo et al. 2019: both networks learn from the same labels, --share of all
frames that train; one of them also sees the other people's films in 2D. Labels are from one person
of each data set. A first network learns from the labels alone; from its weights both go on, side by
side, each on half of the cores: for as many --epochs of the labels, as in the paper, or with
--minutes for the same time, in which labels alone make nearly three times as many steps. All are
`train.py temporal_mocap` with the published way to see (metres, the picture's coordinates). As in
Human3.6M everybody, with labels, without and in the test, is filmed by the same --cameras_at_rest,
four, of a known field of view; with 0 each training window and each test clip has a camera of its
own. The test subjects' films are scored with exact 2D.

An epoch is then all windows of the labelled films, one for each frame, camera and mirror image,
once: of CMU, HDM05, UI-PRMD and ReActIdle (161,341 frames train) 126 steps of --batch_size 1024, so
504 steps from labels alone and 630 more of each of both. With --cameras_at_rest 0 it is
--epoch_frames: 256 steps, so 1,024 and 1,280. The unlabelled films come along a batch a step, again
and again, and take longer than an epoch to be seen once.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.timing import machine, print_rows
from benchmarks.two_at_once import side_by_side
from twod_threed.temporal.evaluation import lift_pairs, score_films
from twod_threed.temporal.films import fixed_films
from twod_threed.temporal.options import TemporalDataOptions
from twod_threed.temporal.predictor import TemporalLiftingModel
from utils.mocap.store import MotionStore, join_stores, read_store, resample

RATE = 25.0
FIELD_OF_VIEW = (55.0, 55.0)
NAMES = {
    "start": "where both begin",
    "labelled": "labels alone",
    "both": "and films without 3D",
}


def parted(store: MotionStore) -> tuple[list[str], list[str], float]:
    """Who is labelled, the first subject of each data set; the others; the share of the frames
    (of all that train) that the labelled have."""
    held_out = TemporalDataOptions(dataset="mocap").held_out
    names = [str(name) for name in np.unique(store.subjects) if name not in held_out]
    first = {name.split("/")[0]: name for name in reversed(names)}
    labelled = sorted(first.values())
    lengths = {name: len(store.select(store.subjects == name).positions) for name in names}
    share = sum(lengths[name] for name in labelled) / sum(lengths.values())
    return labelled, [name for name in names if name not in labelled], share


def commands(chosen: argparse.Namespace, store: MotionStore) -> list[list[str]]:
    """The trainings: the start, and the two that go on."""
    labelled, others, share = parted(store)
    if share < chosen.share:
        raise SystemExit(f"error: the labelled have only {share:.1%} of the frames")
    folder = str(chosen.output_dir)
    lines = [sys.executable, "train.py", "temporal_mocap", "--data_dir", str(chosen.data_dir)]
    lines += ["--checkpoint_dir", folder, "--tb_dir", folder, "--overwrite"]
    lines += ["--normalisation", "screen", "--frame_rate", str(RATE), "--seed", str(chosen.seed)]
    lines += ["--cameras_at_rest", str(chosen.cameras_at_rest)]
    lines += ["--field_of_view", *map(str, FIELD_OF_VIEW), "--subjects_train", *labelled]
    lines += ["--subset", f"{chosen.share / share:.4f}", *chosen.options]
    start = [*lines, "--exp", "start", "--epochs", str(chosen.start_epochs)]
    lines += ["--epochs", str(chosen.epochs)]
    lines += ["--max_minutes", f"{chosen.minutes:g}"] if chosen.minutes else []
    lines += ["--load", str(run_of("start", chosen) / "best.safetensors")]
    unlabelled = ["--subjects_unlabeled", *others]
    return [start, [*lines, "--exp", "labelled"], [*lines, "--exp", "both", *unlabelled]]


def run_of(name: str, chosen: argparse.Namespace) -> Path:
    """Run folder of a training."""
    return chosen.output_dir / f"temporal_mocap_{name}"


def has_ended(name: str, chosen: argparse.Namespace) -> bool:
    """Whether a training has written its last file, and is not to be done again."""
    return (run_of(name, chosen) / "predictions.npz").exists()


def row(name: str, chosen: argparse.Namespace) -> tuple[str, ...]:
    """Errors of one of them on the test subjects, mean over the data sets."""
    model = TemporalLiftingModel.load(str(run_of(name, chosen)))
    data = TemporalDataOptions(
        dataset="mocap",
        data_dir=str(chosen.data_dir),
        field_of_view=FIELD_OF_VIEW,
        cameras_at_rest=chosen.cameras_at_rest,
    )
    pairs = fixed_films(data, "test", chosen.seed)
    scores = score_films(name, chosen.output_dir, lift_pairs(model, pairs), pairs)
    means = [scores.main.mean(one) for one in ("MPJPE", "P-MPJPE", "N-MPJPE", "MPJVE")]
    return (NAMES[name], *(f"{mean:.1f}" for mean in means))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=Path, default=Path("data/mocap"), help="motion stores")
    parser.add_argument("--output_dir", type=Path, default=Path("visualizations/semi_supervised"))
    parser.add_argument("--start_epochs", type=int, default=4, help="from labels alone")
    parser.add_argument("--epochs", type=int, default=5, help="of each of both, from there")
    parser.add_argument("--minutes", type=float, help="of each of both at most")
    parser.add_argument("--share", type=float, default=0.1, help="of the frames, with labels")
    parser.add_argument("--cameras_at_rest", type=int, default=4, help="0 draws them instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("options", nargs="*", help="options of train.py temporal_mocap, after --")
    chosen = parser.parse_args(words)
    chosen.output_dir.mkdir(parents=True, exist_ok=True)
    stores = [read_store(path) for path in sorted(chosen.data_dir.glob("*.npz"))]
    start, *pair = commands(chosen, resample(join_stores(stores), RATE))
    if not has_ended("start", chosen):
        subprocess.run(start, check=True)
    names = ("labelled", "both")
    left = [[line] for name, line in zip(names, pair, strict=True) if not has_ended(name, chosen)]
    logs = [chosen.output_dir / f"{name}.log" for name in names if not has_ended(name, chosen)]
    side_by_side(left, logs)
    head = ("mm, mm a frame", "MPJPE", "P-MPJPE", "N-MPJPE", "velocity")
    print(machine())
    spent = f"{chosen.minutes:g} minutes" if chosen.minutes else f"{chosen.epochs} epochs"
    print_rows(
        f"labels for {chosen.share:.0%} of the frames, {spent}",
        [head, *(row(name, chosen) for name in NAMES)],
    )


if __name__ == "__main__":
    main()
