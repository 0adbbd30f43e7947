"""Temporal networks from files: our own, and checkpoints of VideoPose3D.

A public checkpoint (.bin) holds weights alone. Number and names of what comes out follow from its
size: 17 joints are Human3.6M's, filmed at 50 frames per second, 15 and 20 HumanEva's, at 60. What
goes in has to be said where two skeletons have so many joints, and whether the network is causal or
dense cannot be seen from its weights.
"""

from pathlib import Path

from twod_threed import h36m_takes, humaneva
from twod_threed.alignment import SIZE_PER_HEIGHT
from twod_threed.temporal.description import (
    TemporalDescription,
    description_from_metadata,
)
from twod_threed.temporal.model import TemporalArchitecture
from twod_threed.temporal.networks import TemporalNetworks
from twod_threed.temporal.videopose_checkpoint import read_videopose
from utils.checkpoint import read_weights
from utils.errors import UserError
from utils.skeletons import H36M_17, SKELETONS, Skeleton, skeleton_named
from utils.weights import building, load_into, resolve

OWN_FILES = (".safetensors", ".ckpt")
PUBLIC_HEIGHT = 1750.0
"""mm; standing height of the people that public networks learned sizes from, about."""

_POSES = {len(H36M_17): H36M_17} | {len(one): one for one in humaneva.POSES.values()}


def load_networks(
    name_or_path: str, skeleton_2d: str = "", causal: bool = False, dense: bool = False
) -> tuple[TemporalNetworks, TemporalDescription]:
    """Networks and description from anything that `--load` takes.

    skeleton_2d: name of the skeleton that goes into a public checkpoint; causal, dense: was it
    trained so? For our own files, which tell, they must not say something else. Raises UserError.
    """
    path = resolve(name_or_path)
    if path.suffix not in OWN_FILES:
        return _load_public(path, skeleton_2d, causal, dense)
    weights, metadata = read_weights(path)
    description = description_from_metadata(metadata, name_or_path)
    if skeleton_2d not in ("", description.skeleton_2d):
        raise UserError(f"{name_or_path} takes {description.skeleton_2d}, not {skeleton_2d}")
    for name, wanted in (("causal", causal), ("dense", dense)):
        if wanted and not getattr(description.architecture, name):
            raise UserError(f"{name_or_path} is not {name}: leave out --{name}")
    with building(name_or_path):
        networks = TemporalNetworks(description)
    load_into(networks, weights, name_or_path)
    return networks, description


def _load_public(
    path: Path, skeleton_2d: str, causal: bool, dense: bool
) -> tuple[TemporalNetworks, TemporalDescription]:
    pose, trajectory = read_videopose(path, causal, dense)
    both = trajectory is not None
    description = public_description(pose.architecture, skeleton_2d, both, str(path))
    networks = TemporalNetworks(description)
    networks.pose, networks.trajectory = pose, trajectory
    return networks, description


def public_description(
    architecture: TemporalArchitecture, skeleton_2d: str, trajectory: bool, source: str
) -> TemporalDescription:
    """What a public checkpoint of this architecture must be. Raises UserError if it cannot be."""
    poses = _POSES.get(architecture.joints_out)
    if poses is None:
        raise UserError(f"{source} gives {architecture.joints_out} joints, which no skeleton has")
    points = _input_skeleton(architecture.joints_in, poses, skeleton_2d, source)
    rate = h36m_takes.FRAME_RATE if poses == H36M_17 else humaneva.FRAME_RATE
    return TemporalDescription(
        architecture=architecture,
        normalisation="screen",
        standard_size=SIZE_PER_HEIGHT * PUBLIC_HEIGHT,
        frame_rate=rate,
        skeleton_2d=points.name,
        joints_2d=points.joints,
        skeleton_3d=poses.name,
        joints_3d=poses.joints,
        trajectory=trajectory,
    )


def _input_skeleton(count: int, poses: Skeleton, wanted: str, source: str) -> Skeleton:
    """The skeleton of so many joints that goes in: as said, else the only one that it can be."""
    fitting = [one for one in SKELETONS.values() if len(one) == count]
    if wanted:
        if skeleton_named(wanted) not in fitting:
            raise UserError(
                f"{source} takes {count} joints, but {wanted} has {len(skeleton_named(wanted))}"
            )
        return skeleton_named(wanted)
    if count != len(H36M_17) and poses in fitting:
        return poses
    if len(fitting) != 1:
        names = " or ".join(one.name for one in fitting) or "no skeleton that is known"
        raise UserError(
            f"{source} takes {count} joints and does not say whose: {names}; say it with "
            "--skeleton_2d"
        )
    return fitting[0]
