"""The networks: a generator, a critic and an encoder, all fully connected and residual.

The generator (which is the decoder of the VAE, too) gives for each bone a direction and a length;
lengths add up to a body of size 1, and joints are summed along the skeleton, so that whatever comes
out hangs together. The critic is that of Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017: its
score has no bounds. It has no normalisation over the batch, because the penalty is on the gradient
at each pose, which must not depend on the others (Gulrajani et al. 2017, section 4).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from generative_models.pose_gan.losses import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    kl_divergence,
)
from generative_models.pose_gan.representation import (
    BONE_JOINTS,
    LEFT_HIP_BONE,
    SIZE_BONES,
    bone_lengths,
    to_joints,
)
from utils.option_checks import MOST_LAYERS
from utils.skeletons import H36M_17

BONES = len(BONE_JOINTS)
INPUTS = 3 * (BONES + len(H36M_17))
"""Numbers that a pose is seen by: its bones and its joints."""


@dataclass(frozen=True)
class PoseArchitecture:
    """Sizes of the networks."""

    latent_size: int = 32
    linear_size: int = 160
    num_stage: int = 2

    def __post_init__(self) -> None:
        if min(self.latent_size, self.linear_size, self.num_stage) < 1:
            raise ValueError("sizes of the networks must be at least 1")
        if self.num_stage > MOST_LAYERS:
            raise ValueError(f"num_stage must be at most {MOST_LAYERS}")


class ResidualNetwork(nn.Module):
    """(B, inputs) -> (B, outputs): a layer, `num_stage` blocks x + f(x) of two layers, a layer."""

    def __init__(self, inputs: int, outputs: int, width: int, stages: int, norm: bool) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(_block(width, norm) for _ in range(stages))
        self.last = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(nn.functional.leaky_relu(x, 0.2))


def _block(width: int, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.LayerNorm(width)] if norm else []
    for _ in range(2):
        layers += [nn.LeakyReLU(0.2), nn.Linear(width, width)]
    return nn.Sequential(*layers)


class BoneScale(nn.Module):
    """Typical bones of the training data, which numbers near 0 and 1 are measured by.

    `mean`, `deviation` (15, 3) of the bones; `length` (15,) median; `length_spread` (15,) standard
    deviation of the logarithm of the lengths; `unit` the root mean square deviation of all
    coordinates of bones. All belong to the weights.
    """

    mean: Tensor
    deviation: Tensor
    length: Tensor
    length_spread: Tensor
    unit: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(BONES, 3))
        self.register_buffer("deviation", torch.ones(BONES, 3))
        self.register_buffer("length", torch.ones(BONES))
        self.register_buffer("length_spread", torch.ones(BONES))
        self.register_buffer("unit", torch.ones(()))

    @torch.no_grad()
    def measure(self, bones: Tensor) -> None:
        """Take the typical bones of (N, 15, 3)."""
        lengths = bone_lengths(bones).clamp(min=1e-6)
        self.mean.copy_(bones.mean(0))
        # Coordinates that never change, such as the hips' z, keep some scale.
        self.deviation.copy_(torch.maximum(bones.std(0), 0.1 * lengths.mean(0)[:, None]))
        self.length.copy_(lengths.median(0).values)
        self.length_spread.copy_(lengths.log().std(0).clamp(min=1e-3))
        self.unit.copy_(bones.std(0).square().mean().sqrt())

    def features(self, bones: Tensor) -> Tensor:
        """(B, 15, 3) -> (B, INPUTS): deviations of bones and joints from the mean."""
        off = (bones - self.mean) / self.unit
        return torch.cat([off, to_joints(off) / 2], 1).flatten(1)


class Generator(nn.Module):
    """Latent vectors (B, latent_size), normally distributed -> bones (B, 15, 3) of size 1."""

    level: Tensor

    def __init__(self, architecture: PoseArchitecture, scale: BoneScale) -> None:
        super().__init__()
        one = architecture
        self.scale = scale
        self.network = ResidualNetwork(
            one.latent_size, BONES * 4, one.linear_size, one.num_stage, norm=True
        )
        level = torch.ones(BONES, 3)
        level[LEFT_HIP_BONE, 2] = 0
        self.register_buffer("level", level, persistent=False)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, latent_size) -> (B, 15, 3)."""
        out = self.network(latent).unflatten(1, (BONES, 4))
        return self.bones(out[..., :3], out[..., 3])

    def bones(self, towards: Tensor, longer: Tensor) -> Tensor:
        """Directions and lengths, as deviations from typical ones: (B, 15, 3) and (B, 15)."""
        one = self.scale
        vectors = (one.mean + one.deviation * towards) * self.level
        directions = nn.functional.normalize(vectors, dim=-1)
        # The bound keeps a bad step from making a bone that nothing can mend.
        lengths = one.length * torch.exp(one.length_spread * 4 * torch.tanh(longer / 4))
        lengths = lengths / lengths[:, SIZE_BONES].sum(-1, keepdim=True)
        return directions * lengths[..., None]


class Critic(nn.Module):
    """Bones (B, 15, 3) -> scores (B,), without bounds; larger is more like training poses.

    It sees the bones and the joints that they lead to.
    """

    def __init__(self, architecture: PoseArchitecture, scale: BoneScale) -> None:
        super().__init__()
        one = architecture
        self.scale = scale
        self.network = ResidualNetwork(INPUTS, 1, one.linear_size, one.num_stage, norm=False)

    def forward(self, bones: Tensor) -> Tensor:
        """(B, 15, 3) -> (B,)."""
        return self.network(self.scale.features(bones))[:, 0]


class Encoder(nn.Module):
    """Bones (B, 15, 3) -> mean and log variance (B, latent_size) of the latent vector."""

    def __init__(self, architecture: PoseArchitecture, scale: BoneScale) -> None:
        super().__init__()
        one = architecture
        self.scale = scale
        self.network = ResidualNetwork(
            INPUTS, 2 * one.latent_size, one.linear_size, one.num_stage, norm=True
        )

    def forward(self, bones: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 15, 3) -> two of (B, latent_size)."""
        mean, log_variance = self.network(self.scale.features(bones)).chunk(2, -1)
        # Beyond it the exponential leaves float32.
        return mean, log_variance.clamp(-20, 20)


class PoseGan(nn.Module):
    """Generator and critic. All losses come out of `forward`, as several processes need."""

    def __init__(self, architecture: PoseArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.scale = BoneScale()
        self.generator = Generator(architecture, self.scale)
        self.critic = Critic(architecture, self.scale)

    def forward(
        self,
        latent: Tensor,
        real: Tensor | None = None,
        mix: Tensor | None = None,
        part: str = "sample",
    ) -> Any:
        """sample: latent (B, latent_size) -> bones (B, 15, 3).

        generator: latent -> {"generator"}. critic: also real bones (B, 15, 3) ->
        {"critic", "distance"} and, given mix (B, 1, 1) in [0, 1], {"penalty"}.
        """
        if part == "sample":
            return self.generator(latent)
        if part == "generator":
            return {"generator": generator_loss(self.critic(self.generator(latent)))}
        assert real is not None
        with torch.no_grad():
            made = self.generator(latent)
        loss = critic_loss(*self.critic(torch.cat([real, made])).chunk(2))
        losses = {"critic": loss, "distance": -loss}
        if mix is not None:
            losses["penalty"] = gradient_penalty(self.critic, real, made, mix, self.scale.unit)
        return losses


class PoseVae(nn.Module):
    """Encoder and decoder: Kingma and Welling, "Auto-Encoding Variational Bayes", 2014."""

    def __init__(self, architecture: PoseArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.scale = BoneScale()
        self.encoder = Encoder(architecture, self.scale)
        self.generator = Generator(architecture, self.scale)

    def forward(self, bones: Tensor, noise: Tensor) -> dict[str, Tensor]:
        """Bones (B, 15, 3) and normal noise (B, latent_size) -> `squares` (B,), the summed squared
        distances of the joints to where they were, for bodies of size 1, and `kl` (B,), nats."""
        mean, log_variance = self.encoder(bones)
        made = self.generator(mean + noise * torch.exp(0.5 * log_variance))
        squares = (to_joints(made) - to_joints(bones)).square().sum((1, 2))
        return {"squares": squares, "kl": kl_divergence(mean, log_variance)}

    def reconstruct(self, bones: Tensor) -> Tensor:
        """Bones (B, 15, 3) -> what is decoded of the mean of their latent vectors."""
        return self.generator(self.encoder(bones)[0])
