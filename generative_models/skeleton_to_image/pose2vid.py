"""What pose2vid trains: generator and discriminators, and the losses between them."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from generative_models.skeleton_to_image.losses import l1_loss
from generative_models.skeleton_to_image.perceptual import PerceptualLoss
from generative_models.skeleton_to_image.pose2vid_model import (
    MultiscaleDiscriminator,
    Pose2VidGenerator,
)
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions

Features = list[list[Tensor]]
"""Of every layer of every scale of the discriminators."""


def judge(features: Features, real: bool, cross_entropy: bool) -> Tensor:
    """Least squares (Mao et al. 2017) or cross-entropy of the scores, summed over the scales."""
    loss = functional.binary_cross_entropy_with_logits if cross_entropy else functional.mse_loss
    losses = [loss(scale[-1], torch.full_like(scale[-1], float(real))) for scale in features]
    return torch.stack(losses).sum()


def feature_matching(made: Features, real: Features) -> Tensor:
    """Mean absolute differences of all features but the scores (Wang et al. 2018, eq. 4).

    Summed over the layers, times 4 / (layers - 1), and averaged over the scales.
    """
    total = made[0][0].new_zeros(())
    for one, other in zip(made, real, strict=True):
        for x, y in zip(one[:-1], other[:-1], strict=True):
            total = total + (x - y.detach()).abs().mean() * 4 / (len(one) - 1)
    return total / len(made)


def change_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference of what changes from frame to frame in clips (B, T, 3, S, S)."""
    return l1_loss(made.diff(dim=1), real.diff(dim=1))


def draw_clip(
    generator: nn.Module, inputs: Tensor, noses: Tensor, before: Tensor | None = None
) -> Tensor:
    """Inputs (B, T, C, S, S) and noses (B, T, 2) px -> pictures (B, T, 3, S, S), each made with the
    one before it; the first with `before` (B, 3, S, S), or zeros."""
    size = inputs.shape[-2:]
    frame = inputs.new_zeros(len(inputs), 3, *size) if before is None else before
    made = []
    for drawn, nose in zip(inputs.unbind(1), noses.unbind(1), strict=True):
        frame = generator(drawn, frame, nose)
        made.append(frame)
    return torch.stack(made, dim=1)


class Pose2Vid(nn.Module):
    """Generator and discriminators. All losses come out of `forward`, as several processes need."""

    def __init__(
        self,
        generator: Pose2VidGenerator,
        discriminator: MultiscaleDiscriminator,
        options: Pose2VidOptions,
        perceptual: PerceptualLoss | None = None,
    ) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.options = options
        # In a list, so that weights files do not hold it.
        self.perceptual = [perceptual] if perceptual else []

    def forward(
        self,
        inputs: Tensor,
        noses: Tensor,
        real: Tensor | None = None,
        made: Tensor | None = None,
        part: str = "draw",
    ) -> Any:
        """draw: clips of inputs (B, T, C, S, S) -> pictures (B, T, 3, S, S).

        generator, given real pictures: its losses by name, and "made", the pictures.
        discriminator, given real and made pictures: its loss.
        """
        if part == "draw":
            return draw_clip(self.generator, inputs, noses)
        assert real is not None
        if part == "generator":
            return self._generator(inputs, noses, real)
        assert made is not None
        cross_entropy = self.options.no_lsgan
        of_real = judge(self.discriminator(beside(inputs, real)), True, cross_entropy)
        of_made = judge(self.discriminator(beside(inputs, made.detach())), False, cross_entropy)
        return {"discriminator": (of_real + of_made) / 2}

    def _generator(self, inputs: Tensor, noses: Tensor, real: Tensor) -> dict[str, Tensor]:
        options = self.options
        made = draw_clip(self.generator, inputs, noses)
        # The gradient goes through the discriminators, and not into their weights.
        weights = {name: one.detach() for name, one in self.discriminator.named_parameters()}

        def look(pictures: Tensor) -> Features:
            seen = (beside(inputs, pictures),)
            return torch.func.functional_call(self.discriminator, weights, seen)

        features = look(made)
        losses = {"l1": l1_loss(made, real), "gan": judge(features, True, options.no_lsgan)}
        if not options.no_ganFeat_loss:
            with torch.no_grad():
                wanted = look(real)
            losses["features"] = feature_matching(features, wanted)
        if not options.no_flow_loss:
            losses["change"] = change_loss(made, real)
        if self.perceptual:
            network = self.perceptual[0].to(made.device)
            losses["perceptual"] = network(made.flatten(0, 1), real.flatten(0, 1))
        return losses | {"made": made}


def beside(inputs: Tensor, pictures: Tensor) -> Tensor:
    """What the discriminators see of clips of two: inputs and pictures, (B, 2C + 6, S, S)."""
    return torch.cat([inputs.flatten(1, 2), pictures.flatten(1, 2)], dim=1)
