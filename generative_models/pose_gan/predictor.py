"""Trained models of poses, ready for use: what they make up, and what they think of a pose."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from generative_models.pose_gan.description import (
    GAN_KIND,
    GAUSSIAN_KIND,
    description_from_metadata,
)
from generative_models.pose_gan.gaussian import GaussianModel
from generative_models.pose_gan.latent import draw_latents
from generative_models.pose_gan.model import Generator, PoseGan, PoseVae
from generative_models.pose_gan.representation import (
    STANDARD_SIZE,
    from_canonical,
    to_bones,
    to_canonical,
    to_joints,
)
from utils.checkpoint import read_weights
from utils.devices import device_kind
from utils.errors import UserError
from utils.weights import building, load_into

SHIPPED = "pose_gan"
_BATCH = 8192
"""Poses at a time."""


class Sampler(Protocol):
    """Something that makes up poses."""

    def sample(self, count: int, seed: int) -> np.ndarray:
        """(count, 17, 3) float32, Human3.6M-17, mm about the hip, of the standard body, y down,
        facing the camera (`representation`)."""
        ...


class Prior(Protocol):
    """Something that tells likely poses from others."""

    def score(self, poses: np.ndarray) -> np.ndarray:
        """Poses (N, 17, 3), mm, y down, about any root and of any heading -> (N,), larger for
        likelier ones; NaN where a joint is unknown."""
        ...


@torch.inference_mode()
def decode(generator: Generator, latents: Tensor) -> np.ndarray:
    """Latent vectors (N, latent_size) -> poses (N, 17, 3) float32, mm, of the standard body."""
    device = generator.scale.mean.device
    parts = [to_joints(generator(part.to(device))).cpu() for part in latents.split(_BATCH)]
    return (torch.cat(parts) * STANDARD_SIZE).numpy()


def _as_tensor(poses: np.ndarray, device: torch.device) -> Tensor:
    return torch.as_tensor(np.asarray(poses, np.float32), device=device)


class GanModel:
    """A trained GAN."""

    def __init__(self, network: PoseGan, device: torch.device) -> None:
        self.network, self.device = network.to(device).eval(), device

    @property
    def generator(self) -> Generator:
        """Latent vectors to bones."""
        return self.network.generator

    def sample(self, count: int, seed: int) -> np.ndarray:
        """See `Sampler`."""
        return decode(
            self.generator, draw_latents(count, self.network.architecture.latent_size, seed)
        )

    @torch.inference_mode()
    def score(self, poses: np.ndarray) -> np.ndarray:
        """See `Prior`: the critic's score, which means nothing by itself."""
        canonical, _ = to_canonical(_as_tensor(poses, self.device))
        return self.network.critic(to_bones(canonical)).cpu().numpy()


class VaeModel:
    """A trained VAE."""

    def __init__(self, network: PoseVae, device: torch.device) -> None:
        self.network, self.device = network.to(device).eval(), device

    @property
    def generator(self) -> Generator:
        """Latent vectors to bones."""
        return self.network.generator

    def sample(self, count: int, seed: int) -> np.ndarray:
        """See `Sampler`."""
        return decode(
            self.generator, draw_latents(count, self.network.architecture.latent_size, seed)
        )

    @torch.inference_mode()
    def score(self, poses: np.ndarray) -> np.ndarray:
        """See `Prior`: minus the root mean square distance of a joint to where `project` puts it,
        mm, on a standard body."""
        canonical, _ = to_canonical(_as_tensor(poses, self.device))
        off = to_joints(self.network.reconstruct(to_bones(canonical))) - canonical
        return -off.square().sum(-1).mean(-1).sqrt().mul(STANDARD_SIZE).cpu().numpy()

    @torch.inference_mode()
    def project(self, poses: np.ndarray) -> np.ndarray:
        """The likely poses nearest to poses (N, 17, 3), mm, y down: encoded and decoded, with the
        place, heading and size that they had. NaN where a joint is unknown."""
        canonical, placement = to_canonical(_as_tensor(poses, self.device))
        made = to_joints(self.network.reconstruct(to_bones(canonical)))
        return from_canonical(made, placement).cpu().numpy()


PoseModel = GanModel | VaeModel | GaussianModel


def load_pose_model(name_or_path: str, accelerator: str = "auto") -> PoseModel:
    """A model from anything that `--load` takes. Raises UserError if there is none."""
    weights, metadata = read_weights(name_or_path)
    description = description_from_metadata(metadata, str(name_or_path))
    if description.kind == GAUSSIAN_KIND:
        return GaussianModel.from_weights(weights, str(name_or_path))
    assert description.architecture is not None
    make = PoseGan if description.kind == GAN_KIND else PoseVae
    with building(str(name_or_path)):
        network = make(description.architecture)
    load_into(network, weights, str(name_or_path))
    device = torch.device(device_kind(accelerator))
    return GanModel(network, device) if isinstance(network, PoseGan) else VaeModel(network, device)


def load_sampler(name_or_path: str = SHIPPED, accelerator: str = "auto") -> Sampler:
    """What makes up poses. Raises UserError."""
    return load_pose_model(name_or_path, accelerator)


def load_prior(name_or_path: str = SHIPPED, accelerator: str = "auto") -> Prior:
    """What scores poses; a VAE also has `project`. Raises UserError."""
    return load_pose_model(name_or_path, accelerator)


def load_vae(name_or_path: str, accelerator: str = "auto") -> VaeModel:
    """What projects poses. Raises UserError if it is no VAE."""
    model = load_pose_model(name_or_path, accelerator)
    if not isinstance(model, VaeModel):
        raise UserError(f"{name_or_path} is no VAE, and only a VAE can project poses")
    return model
