"""Does a prior over 3D poses help a lifter whose 2D joints are noisy?

    python -m benchmarks.pose_prior --vae FOLDER --data_dir data/mocap [--split val|test]

Held-out people are seen by cameras drawn at random. Their exact 2D joints get errors like a
detector's (`twod_threed/detector_noise.py`), as large as measured and several times that; the
shipped lifter lifts them, and they go a part of the way to where the VAE puts them.
"""

import argparse

import numpy as np
import torch

from benchmarks.timing import print_rows
from generative_models.pose_gan.data import read_motion
from generative_models.pose_gan.predictor import VaeModel, load_vae
from twod_threed.detector_noise import add_noise, read_table
from twod_threed.pairs import PosePairs
from twod_threed.predictor import LiftingModel
from twod_threed.views import stored_views
from utils import pose_metrics
from utils.skeletons import H36M_17, MPII_16
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

NOISE = (0.0, 1.0, 2.0, 4.0)
"""Times a detector's errors."""
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
EVERY, SEED = 20, 3
SUBJECTS = {"val": VALIDATION_SUBJECTS["mocap"], "test": TEST_SUBJECTS["mocap"]}


def lifted(lifter: LiftingModel, pairs: PosePairs, noise: float) -> np.ndarray:
    """Poses (N, 17, 3) mm of noisy 2D joints, NaN where too little was seen."""
    generator = torch.Generator().manual_seed(SEED)
    points = add_noise(torch.from_numpy(pairs.poses_2d), read_table(), noise, generator).numpy()
    lenses = pairs.intrinsics[pairs.camera]
    return lifter.lift(points, MPII_16.name, intrinsics=lenses).poses


def likelier(vae: VaeModel, poses: np.ndarray, strength: float) -> np.ndarray:
    """Poses (N, 17, 3) mm a part (0 to 1) of the way to where the VAE puts them."""
    likely = vae.project(poses)
    known = np.isfinite(likely).all(axis=(1, 2), keepdims=True)
    return poses + strength * np.where(known, likely - poses, 0)


def scores(poses: np.ndarray, pairs: PosePairs) -> str:
    """N-MPJPE and P-MPJPE, mm, of the poses that were lifted: size is not the prior's affair."""
    rows = np.isfinite(poses).all(axis=(1, 2))
    truth = pose_metrics.hip_relative(pairs.poses_3d[rows], H36M_17.root)
    valid = pairs.valid[rows]
    found = [
        measure(poses[rows], truth, valid)
        for measure in (pose_metrics.n_mpjpe, pose_metrics.p_mpjpe)
    ]
    return " / ".join(f"{value:.1f}" for value in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--data_dir", default="data/mocap")
    parser.add_argument("--load", default="lifter")
    parser.add_argument("--split", choices=tuple(SUBJECTS), default="val")
    chosen = parser.parse_args()
    store = read_motion(chosen.data_dir)
    store = store.select(np.isin(store.subjects, SUBJECTS[chosen.split]))
    pairs = stored_views(store, SEED, EVERY, camera_per_frame=True)
    lifter, vae = LiftingModel.load(chosen.load), load_vae(chosen.vae)
    head = ("N-MPJPE / P-MPJPE, mm", *(f"prior {strength:g}" for strength in STRENGTHS))
    rows: list[tuple[str, ...]] = [head]
    for noise in NOISE:
        poses = lifted(lifter, pairs, noise)
        cells = (scores(likelier(vae, poses, strength), pairs) for strength in STRENGTHS)
        rows.append((f"{noise:g} times a detector's errors", *cells))
    print_rows(f"{len(pairs)} views of {', '.join(SUBJECTS[chosen.split])}", rows)


if __name__ == "__main__":
    main()
