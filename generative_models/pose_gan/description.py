"""What a trained model carries beside its weights, so that no flag has to be repeated."""

from dataclasses import asdict, dataclass
from typing import Any

from generative_models.pose_gan.model import PoseArchitecture
from utils.skeletons import H36M_17
from utils.weights import reading_description

GAN_KIND, VAE_KIND, GAUSSIAN_KIND = "pose_gan", "pose_vae", "pose_gaussian"


@dataclass(frozen=True)
class PoseModelDescription:
    """Kind and sizes of a model of poses. A Gaussian has no networks, and so no architecture."""

    kind: str
    architecture: PoseArchitecture | None = None

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        return asdict(self) | {"skeleton": H36M_17.name}


def description_from_metadata(metadata: dict[str, Any], source: str) -> PoseModelDescription:
    """Inverse of `as_metadata`. Raises UserError if `source` holds another model."""
    with reading_description(metadata, source, GAN_KIND, VAE_KIND, GAUSSIAN_KIND):
        kind = metadata["kind"]
        if metadata["skeleton"] != H36M_17.name:
            raise ValueError(f"joints of {metadata['skeleton']}")
        if kind == GAUSSIAN_KIND:
            return PoseModelDescription(kind)
        return PoseModelDescription(kind, PoseArchitecture(**metadata["architecture"]))
