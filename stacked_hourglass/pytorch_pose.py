"""Checkpoints of the public bearpaw/pytorch-pose: its names for our layers.

Its published networks are trained on MPII at 256 px with the mean squared error; colours have the
mean taken off and are not divided by a deviation.
"""

import re

from torch import Tensor

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.description import Description
from stacked_hourglass.model import DEPTH
from utils.errors import UserError

MPII_MEAN = (0.4404, 0.4440, 0.4327)

_LEVEL_PARTS = ("skip", "down", "up", "inner")
_RESIDUAL = {"bn": "norm", "conv": "conv"}
_HEADS = {
    "fc.{}.0": "linear",
    "fc.{}.1": "norm",
    "score.{}": "score",
    "fc_.{}": "merge_features",
    "score_.{}": "merge_score",
}


def _residual_tail(tail: str) -> str:
    """`bn1.weight` -> `norm1.weight`, `downsample.0.bias` -> `shortcut.bias`."""
    if tail.startswith("downsample.0."):
        return "shortcut." + tail.removeprefix("downsample.0.")
    return re.sub(r"^(bn|conv)", lambda match: _RESIDUAL[match[1]], tail)


def translate_key(key: str) -> str:
    """Their parameter name -> ours. A name that is not theirs comes back unchanged."""
    key = key.removeprefix("module.")
    if match := re.fullmatch(r"(conv|bn)1\.(\w+)", key):
        return f"stem.{_RESIDUAL[match[1]]}.{match[2]}"
    if match := re.fullmatch(r"layer([123])\.0\.(.+)", key):
        return f"stem.residual{match[1]}.{_residual_tail(match[2])}"
    if match := re.fullmatch(r"hg\.(\d+)\.hg\.(\d+)\.(\d)\.(\d+)\.(.+)", key):
        stack, level, part, block, tail = match.groups()
        # Theirs counts levels from the bottom; ours are nested from the top.
        place = "inner." * (DEPTH - 1 - int(level)) + _LEVEL_PARTS[int(part)]
        return f"stacks.{stack}.hourglass.{place}.{block}.{_residual_tail(tail)}"
    if match := re.fullmatch(r"res\.(\d+)\.(\d+)\.(.+)", key):
        return f"stacks.{match[1]}.residual.{match[2]}.{_residual_tail(match[3])}"
    for theirs, ours in _HEADS.items():
        pattern = re.escape(theirs).replace(r"\{\}", r"(\d+)") + r"\.(\w+)"
        if match := re.fullmatch(pattern, key):
            return f"stacks.{match[1]}.{ours}.{match[2]}"
    return key


def is_pytorch_pose(state: dict[str, Tensor]) -> bool:
    """Whether the names look like a hourglass of that project."""
    names = {key.removeprefix("module.") for key in state}
    return {"conv1.weight", "hg.0.hg.0.0.0.bn1.weight", "score.0.weight"} <= names


def read_pytorch_pose(
    state: dict[str, Tensor], source: str
) -> tuple[dict[str, Tensor], Description]:
    """Their state dict -> ours, with the shape of the network read off the weights.

    Raises UserError if `source` is not such a checkpoint.
    """
    if not is_pytorch_pose(state):
        raise UserError(f"{source} is not a hourglass checkpoint of pytorch-pose")
    translated = {translate_key(key): value for key, value in state.items()}
    try:
        return translated, _description(translated, [key.removeprefix("module.") for key in state])
    except (UserError, KeyError, IndexError, ValueError) as error:
        raise UserError(f"{source}: the shape of its network cannot be told: {error}") from error


def _description(translated: dict[str, Tensor], names: list[str]) -> Description:
    architecture = Architecture(
        stacks=1 + max(int(m[1]) for n in names if (m := re.match(r"score\.(\d+)\.", n))),
        features=translated["stacks.0.linear.weight"].shape[0],
        blocks=1 + max(int(m[1]) for n in names if (m := re.match(r"res\.0\.(\d+)\.", n))),
        num_classes=translated["stacks.0.score.weight"].shape[0],
    )
    return Description(
        architecture=architecture,
        resolution=256,
        heatmap_loss="mse",
        decoder="quarter_offset",
        mean=MPII_MEAN,
        std=(1.0, 1.0, 1.0),
    )
