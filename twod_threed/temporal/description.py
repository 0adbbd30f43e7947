"""What trained temporal networks must carry beside their weights, so that no flag is repeated.

Weights of the pose network have the prefix "pose.", those of the trajectory network, where there is
one, "trajectory.".
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch

from twod_threed.temporal.model import TemporalArchitecture
from twod_threed.temporal.normalisation import TemporalNormaliser
from twod_threed.temporal.options import Normalisation
from utils.errors import UserError
from utils.skeletons import H36M_17, MPII_16, SKELETONS, skeleton_named
from utils.weights import reading_description

MODEL_KIND = "temporal"
POSE_PREFIX = "pose."
TRAJECTORY_PREFIX = "trajectory."


@dataclass(frozen=True)
class TemporalDescription:
    """Everything between films of 2D poses in pixels and 3D poses in mm that is not a weight.

    Raises UserError if the parts do not fit each other.
    """

    architecture: TemporalArchitecture
    normalisation: Normalisation
    """of what goes in and comes out (`twod_threed.temporal.normalisation`)"""
    standard_size: float
    """size of the body that an answer has, mm (`twod_threed.alignment.body_size`): exactly with
    "view", on average with "screen" """
    frame_rate: float = math.nan
    """frames per second of the films it was trained on; nan if unknown"""
    skeleton_2d: str = MPII_16.name
    joints_2d: tuple[str, ...] = MPII_16.joints
    """joints of it that go in"""
    skeleton_3d: str = H36M_17.name
    joints_3d: tuple[str, ...] = H36M_17.joints
    """joints of it that come out"""
    trajectory: bool = False
    """is there a network that says where the hip is?"""
    people: tuple[str, ...] = ()
    """subjects of the training data, where they are known"""

    def __post_init__(self) -> None:
        one = self.architecture
        for count, joints, skeleton, way in (
            (one.joints_in, self.joints_2d, self.skeleton_2d, "in"),
            (one.joints_out, self.joints_3d, self.skeleton_3d, "out"),
        ):
            if count != len(joints):
                raise UserError(f"{count} joints go {way}, but {len(joints)} are named")
            if skeleton not in SKELETONS or not set(joints) <= set(skeleton_named(skeleton).joints):
                raise UserError(f"the joints that go {way} are not of {skeleton}")
        if self.normalisation not in ("screen", "view"):
            raise UserError(f"the normalisation must be screen or view, not {self.normalisation}")
        if self.normalisation == "view" and self.joints_3d != H36M_17.joints:
            raise UserError(f"the normalisation view is for all joints of {H36M_17.name}")
        if not self.standard_size > 0:
            raise UserError(f"the standard body must be larger than 0, not {self.standard_size}")

    def normaliser(self, device: torch.device | str = "cpu") -> TemporalNormaliser:
        """Both directions between poses and the networks' numbers, on a device."""
        return TemporalNormaliser(
            self.normalisation,
            self.skeleton_2d,
            self.joints_2d,
            self.skeleton_3d,
            self.joints_3d,
            self.standard_size,
            device,
        )

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        rate = None if math.isnan(self.frame_rate) else self.frame_rate
        return {"kind": MODEL_KIND} | asdict(self) | {"frame_rate": rate}


def description_from_metadata(metadata: dict[str, Any], source: str) -> TemporalDescription:
    """Inverse of `as_metadata`. Raises UserError if `source` holds another model."""
    with reading_description(metadata, source, MODEL_KIND):
        sizes: dict[str, Any] = dict(metadata["architecture"])
        sizes["widths"] = tuple(sizes["widths"])
        rate = metadata["frame_rate"]
        return TemporalDescription(
            architecture=TemporalArchitecture(**sizes),
            normalisation=metadata["normalisation"],
            standard_size=float(metadata["standard_size"]),
            frame_rate=math.nan if rate is None else float(rate),
            skeleton_2d=str(metadata["skeleton_2d"]),
            joints_2d=tuple(metadata["joints_2d"]),
            skeleton_3d=str(metadata["skeleton_3d"]),
            joints_3d=tuple(metadata["joints_3d"]),
            trajectory=bool(metadata["trajectory"]),
            people=tuple(metadata.get("people", ())),
        )
