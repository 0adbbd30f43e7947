"""The public network, computed from a state dict with its own names and nothing of ours.

Newell et al. 2016 in the form of bearpaw/pytorch-pose, written out from its description: what a
checkpoint of that project must give.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]
DEPTH = 4


class Filler:
    """Puts random layers under the public project's names into a state dict."""

    def __init__(self, seed: int) -> None:
        self.state: State = {}
        self.generator = torch.Generator().manual_seed(seed)

    def conv(self, name: str, channels_in: int, channels_out: int, size: int = 1) -> None:
        shape = (channels_out, channels_in, size, size)
        spread = (channels_in * size * size) ** -0.5
        self.state[f"{name}.weight"] = torch.randn(shape, generator=self.generator) * spread
        self.state[f"{name}.bias"] = torch.randn(channels_out, generator=self.generator) * 0.1

    def norm(self, name: str, channels: int) -> None:
        ranges = {"weight": (0.5, 1.5), "bias": (-0.1, 0.1)}
        ranges |= {"running_mean": (-0.2, 0.2), "running_var": (0.5, 2)}
        for part, (low, high) in ranges.items():
            values = torch.empty(channels).uniform_(low, high, generator=self.generator)
            self.state[f"{name}.{part}"] = values
        self.state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def residual(self, name: str, channels_in: int, channels_out: int) -> None:
        middle = channels_out // 2
        self.norm(f"{name}.bn1", channels_in)
        self.conv(f"{name}.conv1", channels_in, middle)
        self.norm(f"{name}.bn2", middle)
        self.conv(f"{name}.conv2", middle, middle, 3)
        self.norm(f"{name}.bn3", middle)
        self.conv(f"{name}.conv3", middle, channels_out)
        if channels_in != channels_out:
            self.conv(f"{name}.downsample.0", channels_in, channels_out)


def random_state(stacks: int, blocks: int, features: int = 32, joints: int = 16) -> State:
    """A checkpoint's content: the names of the public project, random weights."""
    net = Filler(stacks * 10 + blocks)
    net.conv("conv1", 3, features // 4, 7)
    net.norm("bn1", features // 4)
    net.residual("layer1.0", features // 4, features // 2)
    net.residual("layer2.0", features // 2, features)
    net.residual("layer3.0", features, features)
    for stack in range(stacks):
        for level in range(DEPTH):
            for part in range(4 if level == 0 else 3):
                for block in range(blocks):
                    net.residual(f"hg.{stack}.hg.{level}.{part}.{block}", features, features)
        for block in range(blocks):
            net.residual(f"res.{stack}.{block}", features, features)
        net.conv(f"fc.{stack}.0", features, features)
        net.norm(f"fc.{stack}.1", features)
        net.conv(f"score.{stack}", features, joints)
        if stack < stacks - 1:
            net.conv(f"fc_.{stack}", features, features)
            net.conv(f"score_.{stack}", joints, features)
    return net.state


def forward(state: State, images: Tensor, stacks: int, blocks: int) -> Tensor:
    """Pictures (B, 3, H, W) -> scores (S, B, J, H / 4, W / 4), norms in evaluation mode."""

    def conv(name: str, x: Tensor, **how: int) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **how)

    def norm_relu(name: str, x: Tensor) -> Tensor:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        scale, shift = state[f"{name}.weight"], state[f"{name}.bias"]
        return F.relu(F.batch_norm(x, mean, var, scale, shift))

    def residual(name: str, x: Tensor) -> Tensor:
        y = conv(f"{name}.conv1", norm_relu(f"{name}.bn1", x))
        y = conv(f"{name}.conv2", norm_relu(f"{name}.bn2", y), padding=1)
        y = conv(f"{name}.conv3", norm_relu(f"{name}.bn3", y))
        projected = f"{name}.downsample.0.weight" in state
        return y + (conv(f"{name}.downsample.0", x) if projected else x)

    def group(name: str, x: Tensor) -> Tensor:
        for block in range(blocks):
            x = residual(f"{name}.{block}", x)
        return x

    def hourglass(name: str, level: int, x: Tensor) -> Tensor:
        low = group(f"{name}.{level}.1", F.max_pool2d(x, 2))
        low = hourglass(name, level - 1, low) if level else group(f"{name}.0.3", low)
        low = group(f"{name}.{level}.2", low)
        return group(f"{name}.{level}.0", x) + F.interpolate(low, scale_factor=2)

    x = norm_relu("bn1", conv("conv1", images, stride=2, padding=3))
    x = residual("layer3.0", residual("layer2.0", F.max_pool2d(residual("layer1.0", x), 2)))
    scores = []
    for stack in range(stacks):
        y = group(f"res.{stack}", hourglass(f"hg.{stack}.hg", DEPTH - 1, x))
        y = norm_relu(f"fc.{stack}.1", conv(f"fc.{stack}.0", y))
        scores.append(conv(f"score.{stack}", y))
        if stack < stacks - 1:
            x = x + conv(f"fc_.{stack}", y) + conv(f"score_.{stack}", scores[-1])
    return torch.stack(scores)
