"""What it is worth to mend LSP extended's annotations, or to leave out those that look wrong.

    python -m benchmarks.label_noise [--lsp data/lsp] [--lspet data/lspet] [--mend_with balanced]

Trains the same small network on LSP extended alone, on the same pictures in the same order: as it
is annotated, mended by `prepare.py pack --mend_with`, and with --trim_share; each from several
seeds, two trainings at a time, each on half of the cores. Scores are of LSP's 1,000 training
pictures, which none of them has seen and which others annotated, each with its mirror image:
PCK@0.2 of the torso, all joints. Packs and runs stay in --output_dir, and what is there is not made
again.
"""

import argparse
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.timing import machine, print_rows
from benchmarks.two_at_once import train_missing
from stacked_hourglass.calibration import joints_found
from stacked_hourglass.data import read_people
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.reading import read_people_joints

BATCH, SIZE = 32, 96
WAYS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "as it is": (False, ()),
    "mended": (True, ()),
    "--trim_share 0.02": (False, ("--trim_share", "0.02", "--trim_from_epoch", "2")),
}
"""Whether each row's annotations are mended, and options."""


def pack_path(chosen: argparse.Namespace, mended: bool) -> Path:
    """Where LSP extended is, mended or not."""
    name = f"mended_with_{Path(chosen.mend_with).stem}" if mended else "plain"
    return chosen.output_dir / f"{name}.pack"


def make_pack(chosen: argparse.Namespace, mended: bool) -> None:
    """Write LSP extended into one file, unless it is there."""
    path = pack_path(chosen, mended)
    if path.is_file():
        return
    words = ["pack", "--sources", f"lspet={chosen.lspet}", "--size", str(SIZE), "--quality", "60"]
    words += ["--mend_with", chosen.mend_with] if mended else []
    command = [sys.executable, "data/prepare.py", *words, "--output", str(path)]
    subprocess.run(command, check=True)


def run_name(way: str, seed: int) -> str:
    """Name of a training."""
    return f"{list(WAYS).index(way)}_{seed}"


def command(chosen: argparse.Namespace, way: str, seed: int) -> list[str]:
    """What trains one of them."""
    mended, options = WAYS[way]
    folder = str(chosen.output_dir)
    words = ["--sources", str(pack_path(chosen, mended)), "--seed", str(seed), *options]
    words += ["--stacks", "1", "--features", "64", "--resolution", "64", "--optimizer", "adam"]
    words += ["--lr", "2e-3", "--lr_scheduler", "cosine", "--warmup_steps", "50"]
    words += ["--train_batch_size", "16", "--test_batch_size", "20", "--ema_decay", "0.998"]
    words += ["--max_steps", str(chosen.steps), "--epochs", "10000", "--overwrite"]
    words += ["--checkpoint_dir", folder, "--tb_dir", folder, "--exp", run_name(way, seed)]
    return [sys.executable, "train.py", "hourglass_people", *words]


def run_folder(chosen: argparse.Namespace, way: str, seed: int) -> Path:
    """Where a training is."""
    return chosen.output_dir / f"hourglass_people_{run_name(way, seed)}"


def score(chosen: argparse.Namespace, people: PersonTable, way: str, seed: int) -> float:
    """Joints found, %."""
    predictor = Predictor.load(str(run_folder(chosen, way, seed)))
    reading = read_people_joints(predictor, people, ("dark",), True, BATCH)
    seen = people.rows(reading.rows)
    found, labelled = joints_found(reading.points["dark"], seen, predictor.description)
    return 100 * float(found.sum() / labelled.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lsp", type=Path, default=Path("data/lsp"), help="folder of LSP")
    parser.add_argument("--lspet", type=Path, default=Path("data/lspet"), help="LSP extended")
    parser.add_argument("--mend_with", default="balanced")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output_dir", type=Path, default=Path("visualizations/label_noise"))
    chosen = parser.parse_args()
    chosen.output_dir.mkdir(parents=True, exist_ok=True)
    print(machine())
    for mended in (False, True):
        make_pack(chosen, mended)
    every = [(way, seed) for seed in range(chosen.seeds) for way in WAYS]
    train_missing({run_folder(chosen, *one): command(chosen, *one) for one in every})
    lsp = read_people("lsp", chosen.lsp)
    people = lsp.rows(np.flatnonzero(lsp.split != "test"))
    of_seed = partial(score, chosen, people)
    rows = [("annotations", *(f"seed {seed}" for seed in range(chosen.seeds)), "mean")]
    for way in WAYS:
        scores = [of_seed(way, seed) for seed in range(chosen.seeds)]
        rows.append((way, *(f"{one:.2f}" for one in scores), f"{statistics.mean(scores):.2f}"))
    print_rows(f"joints found of {len(people)} people, %, after {chosen.steps} steps", rows)


if __name__ == "__main__":
    main()
