"""Train the public lifter on a file of pairs for some minutes, then lift another file with it.

    python -m benchmarks.public_lifter --peer FOLDER --train PAIRS --test PAIRS --minutes 30 \\
        --seed 0 --output POSES

FOLDER is a clone of github.com/weigq/3d_pose_baseline_pytorch. The network is trained as its
authors train it: Adam at 0.001 that decays by 0.96 in 100,000 steps, batch 64, gradients clipped to
norm 1, inputs and targets normalised over the data set, all joints but the hip put out. Other than
theirs, samples are not collated one by one, and joints that a data set does not really have are
left out of the loss: it gets more steps into the same minutes, and learns nothing false.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.peers import load_file
from twod_threed.alignment import about_hip
from twod_threed.normalisation import Statistics, measure_statistics
from twod_threed.pairs import PosePairs, read_pairs
from twod_threed.pose_rows import rows_of_pairs
from utils.pose_file import write_poses
from utils.skeletons import H36M_17

BATCH, LR, DECAY, DECAY_STEPS = 64, 1e-3, 0.96, 100_000
OUT = [joint for joint in range(len(H36M_17)) if joint != H36M_17.root]


@dataclass(frozen=True)
class Normalised:
    """Inputs (N, 32), targets (N, 16, 3), and which joints of them are known (N, 16, 1)."""

    inputs: Tensor
    targets: Tensor
    known: Tensor


def hip_relative(pairs: PosePairs) -> Tensor:
    """(N, 17, 3) mm, NaN where a joint must not be learnt."""
    poses = torch.from_numpy(np.where(pairs.valid[..., None], pairs.poses_3d, np.nan))
    return about_hip(poses)


def normalised(pairs: PosePairs, statistics: Statistics) -> Normalised:
    """Coordinates less their means, divided by their deviations; 0 where unknown."""
    inputs = (torch.from_numpy(pairs.poses_2d) - torch.tensor(statistics.mean_2d)) / torch.tensor(
        statistics.std_2d
    )
    poses = hip_relative(pairs) - torch.tensor(statistics.mean_3d)
    targets = (poses / torch.tensor(statistics.std_3d))[:, OUT]
    known = ~targets.isnan().any(-1, keepdim=True)
    return Normalised(inputs.nan_to_num(0).flatten(1), targets.nan_to_num(0), known)


def train(model: nn.Module, data: Normalised, minutes: float) -> int:
    """Steps until the minutes are over; -> how many."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    end, step = time.monotonic() + 60 * minutes, 0
    model.train()
    while True:
        order = torch.randperm(len(data.inputs))
        for rows in order.split(BATCH)[: len(order) // BATCH]:
            for group in optimizer.param_groups:
                group["lr"] = LR * DECAY ** (step / DECAY_STEPS)
            outputs = model(data.inputs[rows]).unflatten(1, (len(OUT), 3))
            known = data.known[rows]
            errors = (outputs - data.targets[rows]).square() * known
            optimizer.zero_grad()
            (errors.sum() / (3 * known.sum())).backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1)
            optimizer.step()
            step += 1
            if time.monotonic() > end:
                return step


@torch.inference_mode()
def lift(model: nn.Module, pairs: PosePairs, statistics: Statistics) -> np.ndarray:
    """(N, 17, 3) mm relative to the hip."""
    model.eval()
    inputs = normalised(pairs, statistics).inputs
    outputs = torch.cat([model(part) for part in inputs.split(4096)]).unflatten(1, (-1, 3))
    poses = torch.zeros(len(pairs), len(H36M_17), 3)
    deviation, mean = torch.tensor(statistics.std_3d), torch.tensor(statistics.mean_3d)
    poses[:, OUT] = outputs * deviation[OUT] + mean[OUT]
    return poses.numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("peer", "train", "test", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.manual_seed(chosen.seed)
    network = load_file(chosen.peer, "src/model.py")
    pairs, test = read_pairs(chosen.train), read_pairs(chosen.test)
    statistics = measure_statistics(torch.from_numpy(pairs.poses_2d), hip_relative(pairs))
    model = network.LinearModel()
    model.apply(network.weight_init)
    steps = train(model, normalised(pairs, statistics), chosen.minutes)
    rows = rows_of_pairs(test)
    poses = lift(model, test, statistics)
    write_poses(chosen.output, replace(rows, keypoints_3d=poses, skeleton_3d=H36M_17.name))
    print(f"{steps} steps of {BATCH}: {chosen.output}")


if __name__ == "__main__":
    main()
