"""The lifter beside a public one, trained on the same views for the same minutes.

    python -m benchmarks.lifter_accuracy --peer FOLDER --data_dir data/mocap [-- OPTION ...]

FOLDER is a clone of github.com/weigq/3d_pose_baseline_pytorch; how it is trained, says
`benchmarks/public_lifter.py`. Ours is `train.py 2d3d_mocap` on the same file of views, with the
options after `--`. For each seed the two run side by side, each on half of the cores, so that
whatever else the machine does slows both. Views and poses stay in --output_dir, and what is there
is not made again: an interrupted benchmark goes on. The scores are those of `eval.py mocap_mpjpe`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import Spread, machine, print_rows, spread
from benchmarks.two_at_once import side_by_side
from twod_threed.evaluation import score_mocap
from twod_threed.evaluation_options import EvalMocapOptions
from twod_threed.evaluation_report import ModelScores
from twod_threed.pairs import join_pairs, read_pairs, write_pairs
from twod_threed.pose_rows import lift_pairs
from twod_threed.predictor import LiftingModel
from twod_threed.views import stored_views
from utils.mocap.store import MotionStore, join_stores, read_store
from utils.pose_file import write_poses
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

EVERY = {"train": 2, "val": 8, "test": 4}
"""Every so many-th frame is looked at, each by a camera of its own."""
SEEDS = {"train": 1, "val": 2, "test": 3}


def draw_views(store: MotionStore, folder: Path) -> None:
    """Files of pairs: train, val, test; training, for `train.py`, is the first two in one."""
    held_out = {"val": VALIDATION_SUBJECTS["mocap"], "test": TEST_SUBJECTS["mocap"]}
    others = ~np.isin(store.subjects, [name for names in held_out.values() for name in names])
    for split, every in EVERY.items():
        mask = np.isin(store.subjects, held_out[split]) if split in held_out else others
        pairs = stored_views(store.select(mask), SEEDS[split], every, camera_per_frame=True)
        write_pairs(folder / f"{split}.npz", pairs)
    parts = [read_pairs(folder / f"{split}.npz") for split in ("train", "val")]
    write_pairs(folder / "training.npz", join_pairs(parts))


def train_both(chosen: argparse.Namespace, folder: Path, seed: int) -> None:
    """Both trainings of a seed; the poses that come out go to ours_SEED.npz and public_SEED.npz."""
    ours, public = folder / f"ours_{seed}.npz", folder / f"public_{seed}.npz"
    if ours.exists() and public.exists():
        return
    common = ["--seed", str(seed)]
    train = [sys.executable, "train.py", "2d3d_mocap", "--data_dir", str(folder / "training.npz")]
    train += ["--exp", f"seed{seed}", "--checkpoint_dir", str(folder), "--tb_dir", str(folder)]
    train += ["--overwrite", "--max_minutes", str(chosen.minutes), *common, *chosen.options]
    peer = [sys.executable, "-m", "benchmarks.public_lifter", "--peer", str(chosen.peer)]
    peer += ["--train", str(folder / "train.npz"), "--test", str(folder / "test.npz")]
    peer += ["--minutes", str(chosen.minutes), "--output", str(public), *common]
    logs = [folder / f"ours_{seed}.log", folder / f"public_{seed}.log"]
    side_by_side([[train], [peer]], logs)
    model = LiftingModel.load(str(folder / f"2d3d_mocap_seed{seed}"))
    write_poses(ours, lift_pairs(model, read_pairs(folder / "test.npz")))


def scores(folder: Path, name: str, seeds: list[int]) -> list[ModelScores]:
    """Of the test poses of each seed."""
    files = tuple(folder / f"{name}_{seed}.npz" for seed in seeds)
    return score_mocap(EvalMocapOptions(files, folder / "test.npz"))


def rows_of(ours: list[ModelScores], public: list[ModelScores]) -> list[tuple[str, ...]]:
    """MPJPE of both by data set, and the mean over the sets: median and range over the seeds."""
    names = [*ours[0].main.grouping.names, "mean"]

    def columns(found: list[ModelScores]) -> list[Spread]:
        values = [[*one.main.values["MPJPE"], one.main.mean("MPJPE")] for one in found]
        return [spread(list(column)) for column in zip(*values, strict=True)]

    return [
        (name, str(mine), str(theirs), f"{1 - mine.median / theirs.median:.1%}")
        for name, mine, theirs in zip(names, columns(ours), columns(public), strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, help="clone of the public program")
    parser.add_argument("--data_dir", type=Path, default=Path("data/mocap"), help="motion stores")
    parser.add_argument("--output_dir", type=Path, default=Path("visualizations/lifter_accuracy"))
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("options", nargs="*", help="options of train.py 2d3d_mocap, after --")
    chosen = parser.parse_args()
    folder = chosen.output_dir
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "training.npz").exists():
        stores = sorted(chosen.data_dir.glob("*.npz"))
        draw_views(join_stores([read_store(path) for path in stores]), folder)
    for seed in chosen.seeds:
        train_both(chosen, folder, seed)
    found = [scores(folder, name, chosen.seeds) for name in ("ours", "public")]
    head = ("MPJPE, mm", "ours", "public", "lower by")
    print(machine())
    title = f"{chosen.minutes:g} minutes, {len(chosen.seeds)} seeds, exact 2D, test subjects"
    print_rows(title, [head, *rows_of(*found)])


if __name__ == "__main__":
    main()
