"""Running means of losses, and how large weights, gradients and updates are."""

import math

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from utils.distributed import fail_together, sum_over_processes


class LossMeans:
    """Means of losses over the steps of an epoch and over processes.

    Losses stay on the device until `flush`, so that a GPU need not wait for Python at each step.
    `sums` is (sum, count) by name, and `latest` the losses of the last flushed step that had them.
    """

    def __init__(self, fabric: Fabric, sums: dict[str, tuple[float, int]]) -> None:
        self.fabric, self.sums = fabric, dict(sums)
        self.latest: dict[str, float] = {}
        self.pending: list[tuple[int, str, Tensor]] = []

    def add(self, step: int, losses: dict[str, Tensor | float]) -> None:
        """Take in the scalar losses of a step."""
        for name, loss in losses.items():
            value = torch.as_tensor(loss, dtype=torch.float32, device=self.fabric.device)
            self.pending.append((step, name, value.detach()))

    def flush(self) -> None:
        """Add what is pending. Raises UserError naming step and losses if one is not finite."""
        if not self.pending:
            return
        values = torch.stack([value for _, _, value in self.pending]).tolist()
        values = [v / self.fabric.world_size for v in sum_over_processes(values, self.fabric)]
        for (step, name, _), value in zip(self.pending, values, strict=True):
            if not math.isfinite(value):
                self._stop(step, values)
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)
            self.latest[name] = value
        self.pending = []

    def _stop(self, step: int, values: list[float]) -> None:
        steps_and_names = [(at, name) for at, name, _ in self.pending]
        losses = ", ".join(
            f"{name} {value:g}"
            for (at, name), value in zip(steps_and_names, values, strict=True)
            if at == step
        )
        fail_together(
            self.fabric,
            f"a loss is not finite at step {step} ({losses}); the last checkpoint is kept; "
            f"try a smaller --lr, or --precision 32-true",
        )

    def means(self) -> dict[str, float]:
        """Mean of each loss over the steps that had it."""
        return {name: total / count for name, (total, count) in self.sums.items()}


class Magnitudes:
    """Euclidean norms of a model's trained weights, their gradient and their update in a step.

    The update is measured: weights after the step minus a copy made before it.
    """

    def __init__(self, module: nn.Module) -> None:
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.before = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def after_step(self) -> dict[str, float]:
        """Norms by name; the gradient is what the step left (clipped), if it is still there."""
        weights = get_total_norm(self.parameters)
        update = get_total_norm(
            [p - before for p, before in zip(self.parameters, self.before, strict=True)]
        )
        found = {
            "parameter_magnitude": float(weights),
            "update_magnitude": float(update),
            "update_ratio": float(update / weights),
        }
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if gradients:
            found["gradient_magnitude"] = float(get_total_norm(gradients))
        return found
