"""What travels with the weights, so that no flag is repeated; and what a network is given."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from generative_models.skeleton_to_image.gan import Critic, Gan
from generative_models.skeleton_to_image.model import (
    UNetArchitecture,
    UNetGenerator,
    VectorArchitecture,
    VectorGenerator,
)
from generative_models.skeleton_to_image.options import MODELS, Model, SkeletonToImageTrainOptions
from generative_models.skeleton_to_image.perceptual import find_perceptual_loss
from generative_models.skeleton_to_image.pose2vid import Pose2Vid
from generative_models.skeleton_to_image.pose2vid_model import (
    MultiscaleDiscriminator,
    Pose2VidArchitecture,
    Pose2VidGenerator,
)
from generative_models.skeleton_to_image.skeleton_drawing import draw_heatmaps, draw_skeletons
from utils.errors import UserError
from utils.skeletons import DANCE_13
from utils.weights import reading_description

MODEL_KIND = "skeleton_to_image"
REFERENCE_POSES = 100
"""Training poses that travel with the weights, at most."""
PICTURES = "pictures"
"""Input of a model that was trained on drawn skeletons of a folder, in that folder's own style."""
ARCHITECTURES: dict[Model, Any] = {
    "vanilla_vector": VectorArchitecture,
    "vanilla_image": UNetArchitecture,
    "gan": UNetArchitecture,
    "pose2vid": Pose2VidArchitecture,
}


@dataclass(frozen=True)
class DancerDescription:
    """Everything between joints in px and a picture that is not a weight.

    input: "joints", "vector", "skeleton", "heatmaps" or "pictures" (`network_input`); architecture:
    of the generator, None of nearest; reference_poses (R, 13, 2): training poses, as parts of the
    picture's side, evenly spaced in time, None where a joint is missing: the dancer's proportions
    and place.
    """

    model: Model
    image_size: int
    input: str
    architecture: Any
    fps: float
    dancer: str
    reference_poses: list[list[list[float | None]]]
    parts: str = ""
    """how the frames were shared out (`DancerOptions.parts`), where it is known"""

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        return {"kind": MODEL_KIND, "skeleton": DANCE_13.name} | asdict(self)

    @property
    def references(self) -> Tensor:
        """Reference poses (R, 13, 2) px of a picture of `image_size`, NaN missing."""
        plain = [
            [[torch.nan if v is None else v for v in joint] for joint in pose]
            for pose in self.reference_poses
        ]
        return torch.tensor(plain).reshape(-1, len(DANCE_13), 2) * self.image_size - 0.5


def plain_references(keypoints: Tensor, size: int) -> list[list[list[float | None]]]:
    """Some of the keypoints (N, 13, 2) px of pictures of `size`, as `reference_poses` has them."""
    rows = (
        torch.linspace(0, len(keypoints) - 1, min(REFERENCE_POSES, len(keypoints))).round().long()
    )
    parts = ((keypoints[rows] + 0.5) / size).tolist()
    return [
        [[None if v != v else round(v, 4) for v in joint] for joint in pose]  # NaN is not itself
        for pose in parts
    ]


def describe(
    options: SkeletonToImageTrainOptions,
    keypoints: Tensor,
    has_skeletons: bool,
    fps: float,
    dancer: str,
) -> DancerDescription:
    """The description of a new model of `dancer`, with training keypoints (N, 13, 2) px.

    has_skeletons: the skeletons are pictures of a folder. Raises UserError where the model needs
    joints that there are not.
    """
    name, network = options.name, options.network
    if has_skeletons and name in ("nearest", "vanilla_vector"):
        raise UserError(f"--model {name} needs joints, and {dancer} has only drawn skeletons")
    kind = {"nearest": "joints", "vanilla_vector": "vector"}.get(name, network.input)
    kind = PICTURES if has_skeletons else kind
    return DancerDescription(
        name,
        network.image_size,
        kind,
        _architecture(options, kind),
        fps,
        dancer,
        plain_references(keypoints, network.image_size),
        options.data.parts,
    )


def _architecture(options: SkeletonToImageTrainOptions, kind: str) -> Any:
    network = options.network
    if options.name == "nearest":
        return None
    if options.name == "vanilla_vector":
        return VectorArchitecture(2 * len(DANCE_13), network.image_size, network.features)
    if options.name == "pose2vid":
        return _pose2vid_architecture(options, kind)
    return UNetArchitecture(input_channels(kind), network.image_size, network.features)


def _pose2vid_architecture(options: SkeletonToImageTrainOptions, kind: str) -> Any:
    """Raises UserError where the options leave too little picture."""
    one, size = options.pose2vid, options.network.image_size
    if one.face_size > size or (one.face_size and kind == PICTURES):
        raise UserError(
            f"--face_size {one.face_size} needs joints, and pictures of at least that size"
        )
    architecture = Pose2VidArchitecture(
        input_channels(kind),
        one.netG,
        one.ngf,
        one.n_downsample_global,
        one.n_blocks_global,
        one.n_local_enhancers,
        one.n_blocks_local,
        one.norm,
        one.face_size,
    )
    if size < architecture.smallest:
        raise UserError(
            f"--image_size {size} is halved too often: give {architecture.smallest} or more, or a "
            "smaller --n_downsample_global or --n_local_enhancers"
        )
    if size <= 2 ** (one.num_D - 1):
        raise UserError(
            f"--image_size {size} is halved too often: with --num_D {one.num_D} it must be above "
            f"{2 ** (one.num_D - 1)}"
        )
    return architecture


def input_channels(kind: str) -> int:
    """Channels of what a network sees."""
    return len(DANCE_13) if kind == "heatmaps" else 3


def make_generator(description: DancerDescription) -> nn.Module:
    """A new generator, not of nearest."""
    if description.model == "vanilla_vector":
        return VectorGenerator(description.architecture)
    if description.model == "pose2vid":
        return Pose2VidGenerator(description.architecture)
    return UNetGenerator(description.architecture)


def make_model(
    description: DancerDescription, options: SkeletonToImageTrainOptions
) -> "Drawing | Gan | Pose2Vid":
    """What is trained: the generator, within what --model adds."""
    generator, channels = make_generator(description), input_channels(description.input)
    if isinstance(generator, Pose2VidGenerator):
        one = options.pose2vid
        judges = MultiscaleDiscriminator(
            2 * (channels + 3), one.ndf, one.n_layers_D, one.num_D, one.norm
        )
        perceptual = None if one.no_vgg_loss else find_perceptual_loss()
        return Pose2Vid(generator, judges, one, perceptual)
    if description.model == "gan":
        critic = Critic(channels, options.gan.critic_features)
        return Gan(generator, critic, options.gan.gan_loss)
    return Drawing(generator)


class Drawing(nn.Module):
    """A generator alone, under the name that it has beside a critic."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs -> pictures (B, 3, S, S) in [-1, 1]."""
        return self.generator(inputs)


def network_input(keypoints: Tensor, kind: str, size: int) -> Tensor:
    """What a generator is given for keypoints (B, 13, 2) px of a picture of `size`, NaN missing.

    joints: themselves; vector: (B, 26) in [-1, 1] over the picture, 0 where missing; skeleton: (B,
    3, S, S) in [0, 1]; heatmaps: (B, 13, S, S). Training and use both come here.
    """
    if kind == "joints":
        return keypoints
    if kind == "vector":
        return ((2 * keypoints.float() + 1) / size - 1).nan_to_num(0).flatten(1)
    return (draw_heatmaps if kind == "heatmaps" else draw_skeletons)(keypoints, size)


def picture_input(skeletons: Tensor) -> Tensor:
    """Drawn skeletons (B, S, S, 3) uint8 of a folder -> (B, 3, S, S) in [0, 1]."""
    return skeletons.permute(0, 3, 1, 2).float() / 255


def description_from_metadata(metadata: dict[str, Any], source: str) -> DancerDescription:
    """Inverse of `as_metadata`. Raises UserError if `source` holds something else."""
    with reading_description(metadata, source, MODEL_KIND):
        if metadata["model"] not in MODELS:
            raise ValueError(f"unknown model {metadata['model']!r}")
        make = ARCHITECTURES.get(metadata["model"])
        return DancerDescription(
            model=metadata["model"],
            image_size=int(metadata["image_size"]),
            input=str(metadata["input"]),
            architecture=make(**metadata["architecture"]) if make else None,
            fps=float(metadata["fps"]),
            dancer=str(metadata["dancer"]),
            reference_poses=list(metadata["reference_poses"]),
            parts=str(metadata.get("parts", "")),
        )
