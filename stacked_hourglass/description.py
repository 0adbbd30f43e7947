"""What a trained hourglass must carry beside its weights, so that no flag has to be repeated."""

from dataclasses import asdict, dataclass
from typing import Any

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.decoding import DECODERS
from stacked_hourglass.model import SIZE_DIVISOR
from utils.errors import UserError
from utils.skeletons import LSP_14, MPII_16, Skeleton, skeleton_named
from utils.weights import reading_description

MODEL_KIND = "stacked_hourglass"


@dataclass(frozen=True)
class Description:
    """Everything between a picture and the joints that is not a weight."""

    architecture: Architecture
    resolution: int
    """side of the square input, px"""
    heatmap_loss: str
    """what the scores were trained to be: `mse` or `cross_entropy`"""
    decoder: str
    """how a joint is read off its heatmap: a name of `decoding.DECODERS`"""
    mean: tuple[float, float, float]
    """colour mean of the training data, RGB in [0, 1]"""
    std: tuple[float, float, float]
    """colour deviation of the training data"""
    calibration: tuple[float, float] = (1.0, 0.0)
    """slope and offset of `decoding.calibrated`"""
    skeleton: str = "mpii_16"
    frames: int = 1
    """frames of a film that it was trained to look at together"""
    untrained: tuple[str, ...] = ()
    """joints that nobody had whom it was trained on: it cannot find them"""

    def __post_init__(self) -> None:
        if self.resolution % SIZE_DIVISOR or self.resolution < SIZE_DIVISOR:
            raise UserError(f"resolution must divide by {SIZE_DIVISOR}, not {self.resolution}")
        joints = skeleton_named(self.skeleton).joints
        if len(joints) != self.architecture.num_classes:
            raise UserError(f"{self.architecture.num_classes} heatmaps, but {len(joints)} joints")
        if strange := {*self.untrained} - {*joints}:
            raise UserError(f"untrained names {min(strange)}, which is none of its joints")
        if self.decoder not in DECODERS:
            raise UserError(f"decoder must be one of {', '.join(DECODERS)}, not {self.decoder}")

    @property
    def table_skeleton(self) -> Skeleton:
        """Joints of the tables of people that the network learns from and is measured on."""
        built_in = self.skeleton in (MPII_16.name, LSP_14.name)
        return MPII_16 if built_in else skeleton_named(self.skeleton)

    @property
    def joints_of_table(self) -> list[int]:
        """Place in such tables of each of the network's joints."""
        return self.table_skeleton.indices(*skeleton_named(self.skeleton).joints)

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        return {"kind": MODEL_KIND} | asdict(self)


def description_from_metadata(metadata: dict[str, Any], source: str) -> Description:
    """Inverse of `Description.as_metadata`. Raises UserError if `source` holds another model."""
    with reading_description(metadata, source, MODEL_KIND):
        return Description(
            architecture=Architecture(**metadata["architecture"]),
            resolution=int(metadata["resolution"]),
            heatmap_loss=str(metadata["heatmap_loss"]),
            decoder=str(metadata["decoder"]),
            mean=tuple(metadata["mean"]),
            std=tuple(metadata["std"]),
            calibration=tuple(metadata["calibration"]),
            skeleton=str(metadata["skeleton"]),
            frames=int(metadata.get("frames", 1)),
            untrained=tuple(map(str, metadata.get("untrained", ()))),
        )
