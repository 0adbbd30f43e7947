"""Features of VGG19, where torchvision and its weights are on this machine."""

from pathlib import Path

import torch
from torch import Tensor, nn

from utils.checkpoint import read_weights
from utils.weights import load_into

LAYERS = (1, 6, 11, 20, 29)
"""Places of relu1_1, relu2_1, relu3_1, relu4_1 and relu5_1 in VGG19 (Simonyan, Zisserman 2015)."""
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FILE = "vgg19-dcbb9e9d.pth"


class PerceptualLoss(nn.Module):
    """Weighted mean absolute differences of VGG19's features (Wang et al. 2018, section 3.3).

    Pictures are normalised as VGG was trained, which the published program leaves out.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        used = list(layers)[: LAYERS[-1] + 1]
        self.layers = nn.Sequential(*used).eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] -> a scalar."""
        x, y = (((one + 1) / 2 - self.mean) / self.std for one in (made, real))
        total = made.new_zeros(())
        for number, layer in enumerate(self.layers):
            x, y = layer(x), layer(y)
            if number in LAYERS:
                total = total + WEIGHTS[LAYERS.index(number)] * (x - y).abs().mean()
        return total


def weights_file(name: str = FILE) -> Path:
    """Where torchvision and its like keep a file of weights once they have it."""
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def find_perceptual_loss() -> PerceptualLoss | None:
    """The loss, or None (which it says) where torchvision or the weights are not there.

    Raises UserError for a damaged file of weights.
    """
    path = weights_file()
    if not path.is_file():
        print(f"no perceptual loss: VGG19's weights are not at {path}")
        return None
    try:
        from torchvision.models import vgg19  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError) as error:
        print(f"no perceptual loss: torchvision does not load ({error})")
        return None
    network = vgg19()
    load_into(network, read_weights(path)[0], str(path))
    return PerceptualLoss(network.features)
