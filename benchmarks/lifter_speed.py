"""Poses a second of the lifter, beside this machine's matrix-multiply rate and a public program.

    python -m benchmarks.lifter_speed [--peer FOLDER]

FOLDER is a clone of github.com/weigq/3d_pose_baseline_pytorch: its network, data set and update as
its authors ship them (batch 64, samples collated one by one, gradients clipped to norm 1), on this
device. Ours is a whole step of `train.py 2d3d_mannequin`: poses drawn, cameras drawn, normalised,
updated.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.peers import load_file
from benchmarks.timing import (
    Spread,
    machine,
    multiply_rate,
    paired_rates,
    print_rows,
    rate,
)
from twod_threed.data import MotionBatches, measure_bodies
from twod_threed.description import LifterDescription
from twod_threed.detector_noise import read_table
from twod_threed.model import FoldedLifter, Lifter, LifterArchitecture, linear_layers
from twod_threed.options import LifterTrainOptions
from twod_threed.predictor import LiftingModel
from twod_threed.training import Lifting, make_optimizer_fn, update_op
from utils.distributed import start_fabric
from utils.mannequin.motion_store import mannequin_store
from utils.skeletons import MPII_16
from utils.training_functions import seeded_context

STEPS = 8
PEER_POSES, PEER_BATCH = 64 * 40, 64


def operations(model: nn.Module) -> int:
    """Floating-point operations of the linear layers for one pose, forward."""
    return sum(2 * layer.weight.numel() for layer in linear_layers(model))


def our_steps(batch_size: int) -> Callable[[], None]:
    """STEPS training steps, with everything that `train.py 2d3d_mannequin` does in them."""
    options = LifterTrainOptions()
    fabric = start_fabric(options.loop, 0)
    store = mannequin_store(0, 0, 4)
    frames = store.clip_of_frame()
    bodies = measure_bodies(store.positions, store.valid_of_frame(), store.subjects, frames)
    batches = MotionBatches(store, bodies, batch_size, STEPS, 0)
    lifter = Lifter(LifterArchitecture())
    description = LifterDescription(lifter.architecture, bodies.standard_size)
    lifting = Lifting(description.normaliser(fabric.device), read_table(), own_size=True)
    model, optimizer = fabric.setup(lifter, make_optimizer_fn(lifter, options))
    model.train()

    def steps() -> None:
        for step, batch in enumerate(batches.epoch(0)):
            context = seeded_context(fabric, options, options.optim, "training", (0, 0, step, 0))
            update_op(model, optimizer, batch, step, context, lifting)

    return steps


def their_epoch(folder: Path) -> Callable[[], None]:
    """PEER_POSES poses through the public loader and loop."""
    network = load_file(folder, "src/model.py")
    human36m = load_file(folder, "src/datasets/human36m.py").Human36M
    data = human36m.__new__(human36m)  # its constructor reads files that are not distributed
    rng = np.random.default_rng(0)
    data.is_train = True
    data.train_inp = list(rng.normal(size=(PEER_POSES, 32)))
    data.train_out = list(rng.normal(size=(PEER_POSES, 48)))
    loader = DataLoader(data, PEER_BATCH, shuffle=True, num_workers=8)
    model = network.LinearModel()
    model.apply(network.weight_init)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.MSELoss()

    def epoch() -> None:
        for points, poses in loader:
            loss = loss_of(model(points), poses)
            optimizer.zero_grad()
            loss.item()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1)
            optimizer.step()

    return epoch


def alone() -> Spread:
    """Poses a second, one after another, with all that the shipped lifter does."""
    model = LiftingModel.load()
    one, lens = np.random.default_rng(0).uniform(0, 500, (1, 16, 2)), np.array([800, 800, 250, 250])
    return rate(lambda: [model.lift(one, MPII_16.name, intrinsics=lens) for _ in range(200)], 200)


def inference_rows(limit: float) -> list[tuple[str, ...]]:
    """A large batch beside the limit, and one pose alone."""
    lifter = Lifter(LifterArchitecture()).eval()
    network, points = FoldedLifter(lifter), torch.randn(4096, 16, 2)
    found = rate(lambda: network(points), 4096)
    share = found.median * operations(lifter) / limit
    rows: list[tuple[str, ...]] = [("inference, batch 4096", str(found), f"{share:.0%}", "")]
    single = alone()
    took = f"{1000 / single.median:.2f} ms a pose"
    return [*rows, ("one pose at a time, all of `lift`", str(single), took, "")]


def training_rows(limit: float, peer: Path | None) -> list[tuple[str, ...]]:
    """Steps at several batches, the last the public program's, beside the limit and the program."""
    each = 3 * operations(Lifter(LifterArchitecture()))
    theirs = their_epoch(peer) if peer else None
    rows = []
    for batch_size in (4096, 512, PEER_BATCH):
        ours, count = our_steps(batch_size), STEPS * batch_size
        name = f"training step, batch {batch_size}"
        if theirs is None:
            found, ratio = rate(ours, count), ""
        else:
            found, other, pairs = paired_rates(ours, theirs, count, PEER_POSES)
            ratio = f"{pairs.median:.1f}x of {other}"
        rows.append((name, str(found), f"{found.median * each / limit:.0%}", ratio))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="clone of weigq/3d_pose_baseline_pytorch")
    chosen = parser.parse_args()
    limit = multiply_rate()
    head = ("lifter, float32", "poses/s", "share of the limit", "public loop")
    print(machine())
    print(f"limit: {limit / 1e9:.0f} GFLOP/s, (4096, 1024) x (1024, 1024) matrices")
    print_rows("Lifter", [head, *training_rows(limit, chosen.peer), *inference_rows(limit)])


if __name__ == "__main__":
    main()
