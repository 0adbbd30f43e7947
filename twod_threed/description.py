"""What a trained lifter must carry beside its weights, so that no flag has to be repeated."""

from dataclasses import asdict, dataclass
from typing import Any

import torch

from twod_threed.model import LifterArchitecture
from twod_threed.normalisation import Normaliser, Statistics, statistics_from_plain
from utils.errors import UserError
from utils.skeletons import H36M_17, MPII_16, skeleton_named
from utils.weights import reading_description

MODEL_KIND = "lifter"


@dataclass(frozen=True)
class LifterDescription:
    """Everything between 2D poses in pixels and 3D poses in mm that is not a weight."""

    architecture: LifterArchitecture
    standard_size: float
    """size of the body that an answer has, mm (`twod_threed.alignment.body_size`)"""
    statistics: Statistics | None = None
    """of the training data, for dataset normalisation; None is instance normalisation"""
    skeleton_2d: str = MPII_16.name
    joints_2d: tuple[str, ...] = MPII_16.joints
    """joints of it that go in"""
    joints_3d: tuple[str, ...] = H36M_17.joints
    """joints of Human3.6M-17 that come out"""
    people: tuple[str, ...] = ()
    """subjects of the training data, where they are known"""

    def __post_init__(self) -> None:
        one = self.architecture
        if (one.joints_in, one.joints_out) != (len(self.joints_2d), len(self.joints_3d)):
            raise UserError("the lifter's sizes do not fit its joints")
        if not set(self.joints_2d) <= set(skeleton_named(self.skeleton_2d).joints):
            raise UserError(f"the lifter's joints are not of {self.skeleton_2d}")
        if not self.standard_size > 0:
            raise UserError(f"the standard body must be larger than 0, not {self.standard_size}")

    def normaliser(self, device: torch.device | str = "cpu") -> Normaliser:
        """Both directions between poses and this lifter's numbers, on a device."""
        return Normaliser(
            self.skeleton_2d,
            self.joints_2d,
            self.joints_3d,
            self.standard_size,
            self.statistics,
            device,
        )

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        return {"kind": MODEL_KIND} | asdict(self)


def description_from_metadata(metadata: dict[str, Any], source: str) -> LifterDescription:
    """Inverse of `as_metadata`. Raises UserError if `source` holds another model."""
    with reading_description(metadata, source, MODEL_KIND):
        return LifterDescription(
            architecture=LifterArchitecture(**metadata["architecture"]),
            standard_size=float(metadata["standard_size"]),
            statistics=statistics_from_plain(metadata["statistics"]),
            skeleton_2d=str(metadata["skeleton_2d"]),
            joints_2d=tuple(metadata["joints_2d"]),
            joints_3d=tuple(metadata["joints_3d"]),
            people=tuple(metadata.get("people", ())),
        )
