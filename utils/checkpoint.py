"""State of a training run: what it holds, and how it is written and read.

Training state is tensors and primitives only, read with torch's `weights_only=True`.
"""

import math
import random
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from utils.atomic import atomic_path
from utils.errors import UserError, need
from utils.foreign_files import foreign_weights, read_foreign
from utils.optimizers import Optimizers, by_name, kept_names
from utils.run_folder import Start
from utils.weights import load_into, load_weights, resolve, save_weights

FORMAT = 1


@dataclass
class TrainingState:
    """Where a run stands. Everything in it can be saved: tensors and primitives."""

    epoch: int = 0
    """The epoch to go on with, from 0."""
    step: int = 0
    """Steps done since the start of the run."""
    step_in_epoch: int = 0
    """Steps done in that epoch."""
    best_value: float = math.inf
    """Smallest first validation value so far."""
    epochs_without_improvement: int = 0
    loss_sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Sum and count of each loss over the steps done in that epoch."""
    seconds: float = 0.0
    """Time spent on that epoch."""
    history: list[dict[str, float]] = field(default_factory=list)
    """The rows of history.csv."""
    random: dict[str, Any] = field(default_factory=dict)
    """States of the global random generators."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What goes with the weights: architecture, skeleton, normalisation and the like."""
    extra: dict[str, Any] = field(default_factory=dict)
    """State beside model and optimizer, such as "moving_average": its weights."""
    stop_reason: str = ""
    """Why training ended: epochs, steps, time, patience or interrupted."""


def random_states() -> dict[str, Any]:
    """States of the global generators of Python, NumPy and torch, as tensors and primitives."""
    name, keys, *rest = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys, np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Put the global generators back to what `random_states` gave."""
    random.setstate(states["python"])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """torch.save to `path`, whole or not at all. Raises UserError where it cannot be written."""
    with atomic_path(path) as temporary:
        try:
            torch.save(content, temporary)
        except RuntimeError as error:  # torch's writer reports a full disk so
            raise UserError(f"cannot write {path}: {str(error).splitlines()[0]}") from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a .ckpt file of this project. Raises UserError if it is not one."""
    problem = f"{path} is damaged or not a training checkpoint of this project"
    try:
        with path.open("rb") as file:
            is_zip = zipfile.is_zipfile(file)  # torch would try older formats
        content: Any = torch.load(path, "cpu", weights_only=True) if is_zip else None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # torch trips over a damaged one with nearly anything
        raise UserError(problem) from error
    if not _is_whole(content):
        raise UserError(problem)
    return content


def _is_whole(content: Any) -> bool:
    """Whether something that was read is what `checkpoint_fn` writes."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return False
    if not all(isinstance(content.get(key), dict) for key in ("model", "optimizers", "state")):
        return False
    types = {name: type(value) for name, value in vars(TrainingState()).items()}
    state = content["state"]
    if not {"extra", "metadata"} <= state.keys() <= types.keys():
        return False
    if not all(_is_a(types[name], value) for name, value in state.items()):
        return False
    weights = best_weights(content)
    return isinstance(weights, dict) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor)
        for one in (content["model"], weights)
        for name, value in one.items()
    )


def _is_a(kind: type, value: Any) -> bool:
    return isinstance(value, int | float if kind is float else kind)


def best_weights(content: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights to use from a checkpoint: the moving average where the run kept one."""
    return content["state"]["extra"].get("moving_average", content["model"])


def checkpoint_fn(
    model: nn.Module, optimizer: Optimizers, state: TrainingState, run_dir: Path, is_best: bool
) -> None:
    """Write last.ckpt and, if best, best.ckpt and best.safetensors (the weights alone) before it.

    In that order, because a run killed between the two goes on from the older last.ckpt, which does
    not know of the better value yet.
    """
    content = {
        "format": FORMAT,
        "model": model.state_dict(),
        "optimizers": {name: one.state_dict() for name, one in by_name(optimizer).items()},
        "state": {one.name: getattr(state, one.name) for one in fields(state)},
    }
    if is_best:
        metadata = {**state.metadata, "score": state.best_value, "step": state.step}
        save_weights(run_dir / "best.safetensors", best_weights(content), metadata)
        write_checkpoint(run_dir / "best.ckpt", content)
    write_checkpoint(run_dir / "last.ckpt", content)


def load_fn(model: nn.Module, optimizer: Optimizers, path: Path) -> TrainingState:
    """Restore model and optimizer from a .ckpt file, and give the state of its run.

    Raises UserError naming keys if the model or the optimizers are of another kind.
    """
    content = read_checkpoint(path)
    load_into(model, content["model"], str(path))
    optimizers = by_name(optimizer)
    if optimizers.keys() != content["optimizers"].keys():
        raise UserError(
            f"{path} has optimizers {sorted(content['optimizers'])}, not {sorted(optimizers)}"
        )
    for name, one in optimizers.items():
        needed = kept_names(one)
        try:
            one.load_state_dict(content["optimizers"][name])
        except Exception as error:  # torch trips over a damaged one with nearly anything
            raise UserError(f"{path}: its optimizer does not fit: {error}") from error
        need(
            all(needed <= kept.keys() for kept in one.state.values()),
            f"{path} was written with another --optimizer or --momentum: give those, or start anew "
            "from its weights with --load of its best.safetensors and --exp NAME",
        )
    return TrainingState(**content["state"])


def read_weights(name_or_path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """(weights, metadata) from anything that --load takes.

    That is a shipped name, a run folder, a .safetensors or .ckpt file, or a foreign checkpoint
    (which has no metadata). Raises UserError where there are none or they can't be read.
    """
    path = resolve(name_or_path)
    if path.suffix == ".onnx":
        raise UserError(f"{path} is for ONNX Runtime, which `run.py pose --backend onnx` runs")
    if path.suffix == ".safetensors":
        return load_weights(path)
    if path.suffix == ".ckpt":
        content = read_checkpoint(path)
        return best_weights(content), content["state"]["metadata"]
    return foreign_weights(read_foreign(path), path), {}


def all_people(people: Iterable[str], start: Start) -> tuple[str, ...]:
    """Who trains weights: the `people` of this run, and those of the weights it starts from."""
    place = str(start.checkpoint or start.weights)
    earlier = read_weights(place)[1].get("people", ()) if place else ()
    return tuple(sorted({*people, *earlier}))
