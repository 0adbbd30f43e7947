"""A trained hourglass as an ONNX file: uint8 crops in, heatmaps out, and what is seen."""

from pathlib import Path

import torch
from torch import Tensor, nn

from stacked_hourglass.decoding import normalise_scores
from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass, fold_batch_norm
from stacked_hourglass.predictor import load_model
from utils.onnx_files import EXAMPLES, write_onnx


class HourglassGraph(nn.Module):
    """Everything between a crop and its maps: colour normalisation, network, normalised scores."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: StackedHourglass, description: Description) -> None:
        super().__init__()
        self.model = fold_batch_norm(model)
        self.heatmap_loss = description.heatmap_loss
        self.register_buffer("mean", torch.tensor(description.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(description.std).view(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """uint8 RGB crops (B, 3, R, R) -> maps (B, J, R / 4, R / 4), each of sum 1, and of a
        network that tells the probability (B, J) that each joint is seen."""
        images = (crops.float() / 255 - self.mean) / self.std
        scores, logits = self.model(images, visibility=True)
        maps = normalise_scores(scores[-1], self.heatmap_loss)
        return (maps,) if logits is None else (maps, logits.sigmoid())


def export_hourglass(name_or_path: str, path: Path) -> None:
    """Write the ONNX file of anything that `--load` takes; "" is the best shipped hourglass.

    Input `crops`, outputs `heatmaps` and, of a network that has it, `visibility`
    (`HourglassGraph.forward`), the batch free; the description is in the metadata. Raises UserError
    if the weights are absent or others, or the extra is.
    """
    model, description = load_model(name_or_path)
    side = description.resolution
    crops = torch.zeros(EXAMPLES, 3, side, side, dtype=torch.uint8)
    graph = HourglassGraph(model, description)
    outputs = ["heatmaps", "visibility"] if description.architecture.visibility else ["heatmaps"]
    write_onnx(path, graph, {"crops": crops}, outputs, description.as_metadata())
