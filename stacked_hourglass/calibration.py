"""After training: how joints are read off the maps, and how far their confidence can be trusted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, logit
from torch import Tensor

from stacked_hourglass.decoding import DECODERS
from stacked_hourglass.description import Description
from stacked_hourglass.options import HourglassTrainOptions
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor, load_model
from stacked_hourglass.reading import people_poses, read_people_joints
from stacked_hourglass.tolerance import tolerance
from stacked_hourglass.visibility import score_visibility, visibility_table
from utils.pose_file import write_poses
from utils.skeletons import skeleton_named
from utils.weights import load_weights, save_weights


def fit_calibration(probability: Tensor, right: Tensor) -> tuple[float, float]:
    """Slope and offset of `decoding.calibrated` by maximum likelihood.

    probability (N,) of joints, right (N,) bool: within the tolerance. A slight pull to the identity
    keeps few or one-sided samples finite, and makes the one minimum that is looked for.
    """
    x = logit(probability.double().numpy().clip(1e-4, 1 - 1e-4))
    design = np.stack([x, np.ones_like(x)], axis=-1)
    hit, identity = right.double().numpy(), np.array([1.0, 0.0])

    def loss(weights: np.ndarray) -> float:
        z = design @ weights
        return (np.logaddexp(0, z) - hit * z).sum() + ((weights - identity) ** 2).sum() / 2

    def gradient(weights: np.ndarray) -> np.ndarray:
        return design.T @ (expit(design @ weights) - hit) + (weights - identity)

    def curvature(weights: np.ndarray) -> np.ndarray:
        p = expit(design @ weights)
        return design.T @ (design * (p * (1 - p))[:, None]) + np.eye(2)

    # Steps of a bounded length: plain Newton steps leave the minimum where maps are wide.
    slope, offset = minimize(
        loss, identity, method="trust-exact", jac=gradient, hess=curvature, options={"gtol": 1e-6}
    ).x
    return float(slope), float(offset)


def joints_found(
    points: Tensor, table: PersonTable, description: Description
) -> tuple[Tensor, Tensor]:
    """Which joints (N, J, 2), in px of the pictures of N people, are within the tolerance of PCK.

    -> found (N, J), labelled (N, J), both bool; what is not labelled is not found.
    """
    everything = torch.from_numpy(table.keypoints)
    truth = everything[:, description.joints_of_table]
    head_box, box = torch.from_numpy(table.head_box), torch.from_numpy(table.box)
    allowed = tolerance(everything, head_box, box, description.table_skeleton)[:, None]
    return (points - truth).norm(dim=-1) <= allowed, ~truth.isnan().any(-1)


def calibrate(
    predictor: Predictor, table: PersonTable, decoder: str, flip: bool, batch_size: int
) -> None:
    """Give the predictor the best decoder (unless one is named) and a calibrated confidence."""
    names = tuple(DECODERS) if decoder == "auto" else (decoder,)
    reading = read_people_joints(predictor, table, names, flip, batch_size)
    people = table.rows(reading.rows)
    found = {
        name: joints_found(points, people, predictor.description)
        for name, points in reading.points.items()
    }
    shares = {name: float(hit.sum() / labelled.sum()) for name, (hit, labelled) in found.items()}
    for name, share in shares.items():
        print(f"validation with decoder {name}: {100 * share:.2f} % of joints found")
    best = max(shares, key=lambda name: shares[name])
    hit, labelled = found[best]
    calibration = fit_calibration(reading.probability[best][labelled], hit[labelled])
    predictor.description = replace(predictor.description, decoder=best, calibration=calibration)
    untrained = ", ".join(predictor.description.untrained)
    if untrained:
        print(f"nobody who trains has {untrained}: the network does not find these")


def finish_run(folder: Path, table: PersonTable, options: HourglassTrainOptions) -> None:
    """Settle decoder and confidence of a run's best weights and write predictions.npz beside."""
    path, flip = folder / "best.safetensors", options.heatmaps.flip
    batch_size = options.loop.test_batch_size
    predictor = Predictor(*load_model(str(path)), options.loop.accelerator, options.loop.precision)
    calibrate(predictor, table, options.heatmaps.decoder, flip, batch_size)
    weights, metadata = load_weights(path)
    save_weights(path, weights, metadata | predictor.description.as_metadata())
    decoder = predictor.description.decoder
    reading = read_people_joints(predictor, table, (decoder,), flip, batch_size)
    write_poses(folder / "predictions.npz", people_poses(reading, predictor, table))
    if reading.visibility is not None:
        truth = table.visibility[reading.rows][:, predictor.description.joints_of_table]
        scores = score_visibility(reading.visibility.numpy(), truth)
        joints = skeleton_named(predictor.skeleton).joints
        print(visibility_table(scores, joints), end="\n\n")
    print(f"weights: {path}\nvalidation poses: {folder / 'predictions.npz'}")
