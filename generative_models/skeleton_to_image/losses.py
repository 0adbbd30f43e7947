"""Losses and validation measures of made pictures, (B, 3, H, W) in [-1, 1]."""

import torch
from torch import Tensor
from torch.nn import functional

BLUR_WEIGHT = 0.5
"""How much a picture that is too soft or too sharp counts beside L1 in what decides the best
weights of an adversarial model. By L1 alone the best would be those that the critic has not touched
yet."""


def l1_loss(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference, a scalar."""
    return (made - real).abs().mean()


def sharpness(pictures: Tensor) -> Tensor:
    """Laplacian energy (B,): mean square of the 4-neighbour Laplacian of the channels' mean."""
    grey = pictures.float().mean(dim=1, keepdim=True)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=grey.device)
    return functional.conv2d(grey, kernel[None, None]).square().mean(dim=(1, 2, 3))


def sharpness_ratio(made: Tensor, real: Tensor) -> Tensor:
    """(B,) energy of the made picture over that of the real one: 1 is as sharp, less is blurred."""
    return sharpness(made) / sharpness(real).clamp(min=1e-8)


def picture_values(made: Tensor, real: Tensor, weigh_blur: bool) -> dict[str, Tensor]:
    """Validation values (B,) of pictures: `l1`, and `sharpness`, the ratio of Laplacian energies.

    weigh_blur: `selection` comes first and decides the best weights: l1 times 1 + BLUR_WEIGHT times
    |sharpness - 1|.
    """
    values = {
        "l1": (made - real).abs().mean(dim=(1, 2, 3)),
        "sharpness": sharpness_ratio(made, real),
    }
    if weigh_blur:
        blur = (values["sharpness"] - 1).abs()
        values = {"selection": values["l1"] * (1 + BLUR_WEIGHT * blur)} | values
    return values
