"""Training steps and inference of the stacked hourglass, and the public network beside it.

    python -m benchmarks.hourglass_speed [--peer FOLDER]

FOLDER is a clone of github.com/bearpaw/pytorch-pose; its network runs as its authors ship it
(float32, contiguous memory), ours as our commands run it (--precision auto, channels_last, norms
folded for inference), in turn, at 256 px and full width.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from benchmarks.peers import load_file
from benchmarks.timing import Spread, machine, paired_rates, print_rows, rate
from stacked_hourglass.architecture import Architecture
from stacked_hourglass.losses import heatmap_loss
from stacked_hourglass.model import StackedHourglass, convolve_in, fold_batch_norm
from utils.devices import device_kind, pick_precision

RESOLUTION, BATCH = 256, 4
FORMATS = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


def peer_network(folder: Path, stacks: int) -> nn.Module:
    """The public hourglass of that many stacks."""
    module = load_file(folder, "pose/models/hourglass.py")
    return module.HourglassNet(module.Bottleneck, num_stacks=stacks, num_blocks=1, num_classes=16)


def autocast(precision: str, device: str) -> torch.autocast:
    """The context in which our commands run the network."""
    return torch.autocast(device, dtype=FORMATS.get(precision), enabled=precision in FORMATS)


def our_step(
    shape: Architecture,
    precision: str,
    device: str,
    resolution: int = RESOLUTION,
    batch: int = BATCH,
) -> Callable[[], None]:
    """One training step of ours, as `train.py` does it."""
    model = StackedHourglass(shape).to(device)
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-6)
    images = torch.randn(batch, 3, resolution, resolution, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    targets = torch.rand(batch, 16, resolution // 4, resolution // 4, device=device)
    present = torch.ones(batch, 16, dtype=torch.bool, device=device)

    def step() -> None:
        with autocast(precision, device):
            scores = model(images)
        total, count = heatmap_loss(scores, targets, present, "mse")
        optimizer.zero_grad()
        (total / count).backward()
        optimizer.step()
        _wait(device)

    return step


def their_step(model: nn.Module, device: str) -> Callable[[], None]:
    """One training step of the public network: mean squared error summed over its stacks."""
    model = model.to(device).train()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-6)
    images = torch.randn(BATCH, 3, RESOLUTION, RESOLUTION, device=device)
    targets = torch.rand(BATCH, 16, RESOLUTION // 4, RESOLUTION // 4, device=device)

    def step() -> None:
        loss = torch.stack([(score - targets).square().mean() for score in model(images)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        _wait(device)

    return step


def our_inference(
    shape: Architecture, precision: str, device: str, batch: int, resolution: int = RESOLUTION
) -> Callable[[], None]:
    """Forward pass of ours, as the predictor does it."""
    model = fold_batch_norm(StackedHourglass(shape)).to(device)
    if precision in FORMATS:
        convolve_in(model, FORMATS[precision])
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    images = torch.randn(batch, 3, resolution, resolution, device=device)
    images = images.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def forward() -> None:
        with autocast(precision, device):
            model(images)
        _wait(device)

    return forward


def their_inference(model: nn.Module, device: str, batch: int) -> Callable[[], None]:
    """Forward pass of the public network."""
    model = model.to(device).eval()
    images = torch.randn(batch, 3, RESOLUTION, RESOLUTION, device=device)

    @torch.no_grad()
    def forward() -> None:
        model(images)
        _wait(device)

    return forward


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def row(name: str, ours: Callable, theirs: Callable | None, count: int) -> tuple[str, ...]:
    """One line of the table: ours alone, or both and their ratio."""
    if theirs is None:
        return name, str(rate(ours, count)), "", ""
    mine, other, ratio = paired_rates(ours, theirs, count)
    return name, str(mine), str(other), _ratio(ratio)


def _ratio(ratio: Spread) -> str:
    return f"{ratio.median:.2f}x ({ratio.low:.2f} to {ratio.high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="clone of bearpaw/pytorch-pose")
    parser.add_argument("--precision", default="auto", help="ours; 32-true compares in float32")
    parser.add_argument("--stacks", type=int, nargs="+", default=[1, 2, 8])
    chosen = parser.parse_args()
    device = device_kind()
    precision = pick_precision(chosen.precision, device)
    rows: list[tuple[str, ...]] = [
        (f"ours in {precision}", "ours, images/s", "pytorch-pose, images/s", "ratio")
    ]
    for stacks in chosen.stacks:
        peer = (lambda n: peer_network(chosen.peer, n)) if chosen.peer else None
        theirs = their_step(peer(stacks), device) if peer else None
        name = f"training step, {stacks} stacks, batch {BATCH}"
        rows.append(row(name, our_step(Architecture(stacks), precision, device), theirs, BATCH))
        for batch in (1, 16):
            theirs = their_inference(peer(stacks), device, batch) if peer else None
            ours = our_inference(Architecture(stacks), precision, device, batch)
            rows.append(row(f"inference, {stacks} stacks, batch {batch}", ours, theirs, batch))
    print(machine())
    print_rows(f"Stacked hourglass at {RESOLUTION} px, 256 features", rows)


if __name__ == "__main__":
    main()
