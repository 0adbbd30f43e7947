"""Checkpoints of weigq/3d_pose_baseline_pytorch, a public port of Martinez et al. 2017.

Its network is ours under other names, with two joints fewer: 16 joints of Human3.6M-17 (without
`neck_nose`) go in and 16 (without `hip`) come out, both normalised by the mean and deviation of the
training set. The checkpoints do not hold these numbers; they are measured on Human3.6M
(`measure_public_statistics`).
"""

import re
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from twod_threed.alignment import about_hip, body_size
from twod_threed.description import LifterDescription
from twod_threed.h36m_takes import TRAIN_SUBJECTS
from twod_threed.model import LifterArchitecture
from twod_threed.normalisation import Statistics, measure_statistics
from twod_threed.pairs import PosePairs
from utils.cameras import project
from utils.errors import UserError
from utils.skeletons import H36M_17
from utils.weights import building

JOINTS_2D = tuple(joint for joint in H36M_17.joints if joint != "neck_nose")
JOINTS_3D = tuple(joint for joint in H36M_17.joints if joint != "hip")

_FIRST_KEY = "w1.weight"
_STAGE = re.compile(r"linear_stages\.(\d+)\.(w|batch_norm)([12])\.(\w+)")
_ENDS = {"w1": "first.linear", "batch_norm1": "first.norm", "w2": "last"}


def is_public_baseline(weights: Mapping[str, Tensor]) -> bool:
    """Do these weights have the public network's names?"""
    return _FIRST_KEY in weights


def _our_name(name: str) -> str | None:
    """Our name of a weight of the public network, None if it has none."""
    if match := _STAGE.fullmatch(name):
        stage, kind, number, value = match.groups()
        layer = {"1": "first", "2": "second"}[number]
        return f"stages.{stage}.{layer}.{'linear' if kind == 'w' else 'norm'}.{value}"
    module, _, value = name.partition(".")
    return f"{_ENDS[module]}.{value}" if module in _ENDS else None


def read_public_baseline(
    weights: Mapping[str, Tensor], source: str
) -> tuple[dict[str, Tensor], LifterArchitecture]:
    """Weights under our names, and the sizes they fit. Raises UserError if they fit none."""
    names = {name: _our_name(name) for name in weights}
    unknown = sorted(name for name, ours in names.items() if ours is None)
    if unknown:
        raise UserError(f"{source} is no public lifter: it has {unknown[0]}")
    ours = {str(names[name]): tensor for name, tensor in weights.items()}
    for module in ("first.norm", *_stage_norms(ours)):
        # Files older than PyTorch 0.4.1 do not count batches.
        ours.setdefault(f"{module}.num_batches_tracked", torch.tensor(0))
    try:
        size, inputs = ours["first.linear.weight"].shape
        outputs = len(ours["last.weight"])
    except (KeyError, ValueError) as error:
        raise UserError(f"{source} is no public lifter: it lacks {error}") from error
    if (inputs, outputs) != (2 * len(JOINTS_2D), 3 * len(JOINTS_3D)):
        raise UserError(f"{source} takes {inputs} numbers to {outputs}; the public one 32 to 48")
    stages = {name.split(".")[1] for name in ours if name.startswith("stages.")}
    with building(source):
        return ours, LifterArchitecture(len(JOINTS_2D), len(JOINTS_3D), size, len(stages))


def _stage_norms(weights: Mapping[str, Tensor]) -> list[str]:
    return [
        name.removesuffix(".running_var")
        for name in weights
        if name.startswith("stages.") and name.endswith(".running_var")
    ]


def measure_public_statistics(pairs: PosePairs, name: str) -> tuple[Statistics, float]:
    """Mean and deviation of what the public network takes and gives, and the mean body's size, mm.

    pairs: Human3.6M, of which those of its TRAIN_SUBJECTS count. The 2D joints are the projections
    of the 3D ones, in px of its pictures. `name` is said in errors. Raises UserError if none of
    them is there.
    """
    pairs = pairs.select(np.isin(pairs.subjects, TRAIN_SUBJECTS))
    if not len(pairs):
        wanted = ", ".join(TRAIN_SUBJECTS)
        raise UserError(f"{name} has no pairs of {wanted}, who trained Human3.6M's lifters")
    known = np.where(pairs.valid[..., None], pairs.poses_3d, np.nan)
    poses = torch.from_numpy(known)
    intrinsics = torch.from_numpy(pairs.intrinsics[pairs.camera])
    points = project(poses, intrinsics)[:, H36M_17.indices(*JOINTS_2D)]
    targets = about_hip(poses)[:, H36M_17.indices(*JOINTS_3D)]
    return measure_statistics(points, targets), float(body_size(poses).nanmean())


def public_description(
    architecture: LifterArchitecture, statistics: Statistics, size: float
) -> LifterDescription:
    """What the public network needs beside its weights."""
    return LifterDescription(
        architecture=architecture,
        standard_size=size,
        statistics=statistics,
        skeleton_2d=H36M_17.name,
        joints_2d=JOINTS_2D,
        joints_3d=JOINTS_3D,
    )
