"""Train the public temporal lifter on a file of films for some minutes, then lift others with it.

    python -m benchmarks.public_temporal --peer FOLDER --train PAIRS --test PAIRS [PAIRS ...] \\
        --minutes 20 --output_dir FOLDER

FOLDER is a clone of github.com/facebookresearch/VideoPose3D: its optimised network of 27 frames and
1,024 channels, its generator of batches (1,024 windows, mirrored as well), Adam with AMSGrad at
0.001, as its authors train it. Learning rate and batch norm's momentum fall by what they fall by in
its 60 epochs, spread over the minutes. Other than theirs, joints that a data set does not really
have are left out of the loss, and 2D joints that are missing are interpolated. Films are lifted
whole, averaged with their mirror image.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.peers import load_file
from twod_threed.alignment import about_hip
from twod_threed.pairs import PosePairs, read_pairs
from twod_threed.pose_rows import rows_of_pairs
from twod_threed.temporal.sequences import sequences_of
from twod_threed.video import fill_gaps
from utils.pose_file import write_poses
from utils.skeletons import H36M_17, MPII_16

BATCH, FRAMES, PAD, LR, EPOCHS = 1024, 27, 13, 1e-3, 60
SIZES: dict[str, Any] = {"filter_widths": [3, 3, 3], "channels": 1024}
LEFT_2D, RIGHT_2D = ([*side] for side in zip(*MPII_16.pairs, strict=True))
LEFT_3D, RIGHT_3D = ([*side] for side in zip(*H36M_17.pairs, strict=True))


def film_inputs(pairs: PosePairs, film: np.ndarray) -> np.ndarray:
    """(T, 16, 2) in the published units of the picture; joints never seen are its middle."""
    points = fill_gaps(pairs.poses_2d[film], pairs.frame[film], len(film) * 10)
    for joint in range(points.shape[1]):
        known = np.flatnonzero(~np.isnan(points[:, joint, 0]))
        if len(known):  # what is missing at the ends
            points[: known[0], joint] = points[known[0], joint]
            points[known[-1] :, joint] = points[known[-1], joint]
    width, height = pairs.image_size[pairs.camera[film[0]]]
    return np.nan_to_num(points * 2 / width - np.array([1, height / width])).astype(np.float32)


def film_targets(pairs: PosePairs, film: np.ndarray) -> np.ndarray:
    """(T, 17, 3) m relative to the hip, NaN where a joint must not be learnt."""
    poses = np.where(pairs.valid[film][..., None], pairs.poses_3d[film], np.nan)
    return about_hip(torch.from_numpy(poses)).numpy() / 1000


def batches(folder: Path, pairs: PosePairs, seed: int) -> Iterator[tuple[Any, ...]]:
    """(_, 3D poses, 2D poses) of the public generator, for ever."""
    films = sequences_of(pairs)
    generator = load_file(folder, "common/generators.py").ChunkedGenerator(
        BATCH,
        None,
        [film_targets(pairs, film) for film in films],
        [film_inputs(pairs, film) for film in films],
        1,
        pad=PAD,
        random_seed=seed,
        augment=True,
        kps_left=LEFT_2D,
        kps_right=RIGHT_2D,
        joints_left=LEFT_3D,
        joints_right=RIGHT_3D,
        endless=True,
    )
    return generator.next_epoch()


def masked_mpjpe(poses: Tensor, targets: Tensor) -> Tensor:
    """Mean distance over the joints that are known."""
    known = ~targets.isnan().any(-1)
    distances = torch.linalg.vector_norm(poses - targets.nan_to_num(0), dim=-1)
    return (distances * known).sum() / known.sum()


def train(model: Any, source: Iterator[tuple[Any, ...]], minutes: float) -> int:
    """Steps until the minutes are over; -> how many."""
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, amsgrad=True)
    begin, step, share = time.monotonic(), 0, 0.0
    model.train()
    for _, poses, points in source:
        model.set_bn_momentum(0.1 * math.exp(-share * math.log(100)))
        for group in optimizer.param_groups:
            group["lr"] = LR * 0.95 ** (EPOCHS * share)
        targets, inputs = (torch.from_numpy(one.astype("float32")) for one in (poses, points))
        optimizer.zero_grad()
        masked_mpjpe(model(inputs), targets).backward()
        optimizer.step()
        step += 1
        share = (time.monotonic() - begin) / (60 * minutes)
        if share >= 1:
            break
    return step


@torch.inference_mode()
def lift(model: nn.Module, pairs: PosePairs) -> np.ndarray:
    """(N, 17, 3) mm relative to the hip."""
    poses = np.zeros(pairs.poses_3d.shape, np.float32)
    for film in sequences_of(pairs):
        padded = np.pad(film_inputs(pairs, film), ((PAD, PAD), (0, 0), (0, 0)), "edge")
        points = torch.from_numpy(padded)
        mirrored = points[:, MPII_16.flip_order] * torch.tensor([-1.0, 1.0])
        one, other = model(torch.stack([points, mirrored]))
        back = other[:, H36M_17.flip_order] * torch.tensor([-1.0, 1.0, 1.0])
        poses[film] = 1000 * ((one + back) / 2).numpy()
    return poses - poses[:, H36M_17.root, None]


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("peer", "train", "output_dir"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--test", type=Path, nargs="+", required=True)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(words)
    torch.manual_seed(chosen.seed)
    networks = load_file(chosen.peer, "common/model.py")
    model = networks.TemporalModelOptimized1f(16, 2, 17, **SIZES)
    source = batches(chosen.peer, read_pairs(chosen.train), chosen.seed)
    steps = train(model, source, chosen.minutes)
    whole = networks.TemporalModel(16, 2, 17, **SIZES)
    whole.load_state_dict(model.state_dict())
    for path in chosen.test:
        pairs = read_pairs(path)
        poses = lift(whole.eval(), pairs)
        rows = replace(rows_of_pairs(pairs), keypoints_3d=poses, skeleton_3d=H36M_17.name)
        write_poses(chosen.output_dir / f"public_{path.stem}.npz", rows)
    print(f"{steps} steps of {BATCH} windows")


if __name__ == "__main__":
    main()
