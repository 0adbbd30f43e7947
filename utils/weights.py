"""Weights alone: safetensors files with what is needed to use them, and where to find them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from utils.atomic import atomic_path
from utils.errors import UserError

PRETRAINED = Path(__file__).resolve().parents[1] / "model_checkpoints" / "pretrained"
"""Folder of the weights that ship."""

RUN_FILES = ("best.safetensors", "last.ckpt")

SCALES = ".scales"
"""Ends the name under which the scales of a weight in 8 bits are stored."""


def shipped_names() -> list[str]:
    """Names of the models that ship, sorted."""
    return sorted(path.stem for path in PRETRAINED.glob("*.safetensors"))


def resolve(name_or_path: str | Path) -> Path:
    """The file of weights meant by a path, a run folder (its best weights) or a shipped name.

    Raises UserError, with the shipped names, where there is none.
    """
    path = Path(name_or_path)
    shipped = PRETRAINED / f"{name_or_path}.safetensors"
    # A folder without weights may have the name of a shipped model by chance.
    for file in (*(path / name for name in RUN_FILES), path, shipped):
        if file.is_file():
            return file
    if path.is_dir():
        raise UserError(f"{path} holds no weights (looked for {' and '.join(RUN_FILES)})")
    names = ", ".join(shipped_names()) or "none"
    raise UserError(f"no weights at {name_or_path}: no such file; shipped models: {names}")


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _check_finite(state_dict: Mapping[str, Tensor], path: Path) -> None:
    bad = [k for k, v in state_dict.items() if v.is_floating_point() and not v.isfinite().all()]
    if bad:
        raise UserError(f"{path}: weights are not finite: {_few(bad)}")


def _spread(scales: Tensor, tensor: Tensor) -> Tensor:
    """(filters,) scales against a weight (filters, ...)."""
    return scales.float().view(-1, *[1] * (tensor.ndim - 1))


def _stored(name: str, tensor: Tensor, bits: int) -> dict[str, Tensor]:
    """Copies of its own, on the CPU; batch-norm statistics keep their range and precision."""
    tensor = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
    statistics = name.rsplit(".", 1)[-1] in ("running_mean", "running_var")
    if bits == 32 or statistics or not tensor.is_floating_point():
        return {name: tensor}
    if bits == 16 or tensor.ndim < 2:
        return {name: tensor.half()}
    largest = tensor.float().abs().flatten(1).amax(1)
    scales = torch.where(largest == 0, 1, largest / 127)
    rounded = (tensor / _spread(scales, tensor)).round().to(torch.int8)
    return {name: rounded, name + SCALES: scales}


def _restored(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The weights as they were stored, floating ones as float32."""
    weights = {}
    for name, tensor in tensors.items():
        scales = tensors.get(name + SCALES)
        if scales is not None:
            if tensor.dtype != torch.int8 or scales.shape != tensor.shape[:1]:
                raise UserError(f"{path} is damaged: {name} and its scales do not fit")
            tensor = tensor * _spread(scales, tensor)
        if not name.endswith(SCALES):
            weights[name] = tensor.float() if tensor.is_floating_point() else tensor
    return weights


def save_weights(
    path: str | Path,
    state_dict: Mapping[str, Tensor],
    metadata: Mapping[str, Any],
    bits: Literal[32, 16, 8] = 32,
) -> None:
    """Write weights and what goes with them to a safetensors file, whole or not at all.

    metadata: values that JSON can hold, by convention under "kind" (of model), "architecture",
    "skeleton", "mean", "std" (of the input), "training_data", "licence", "score".
    bits: 16 stores float16, 8 whole numbers with a scale for each filter (biases, and all else that
    has one dimension, as float16); batch-norm statistics and integers stay as they are.
    Raises UserError where weights are not finite (or too large for float16) or the place is not
    writable.
    """
    path = Path(path)
    tensors: dict[str, Tensor] = {}
    for name, tensor in state_dict.items():
        tensors |= _stored(name, tensor, bits)
    _check_finite(tensors, path)
    texts = {key: json.dumps(value) for key, value in metadata.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=texts)
        except SafetensorError as error:
            raise UserError(f"cannot write {path}: {error}") from error


def _plain(text: str) -> Any:
    """A metadata value: JSON in our files, any text in those of others."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def load_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(weights, floating ones as float32; metadata) of a safetensors file.

    Raises UserError if it cannot be read, is damaged or holds weights that are not finite.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise UserError(f"{path} is damaged or no safetensors file: {error}") from error
    weights = _restored(tensors, path)
    _check_finite(weights, path)
    return weights, {key: _plain(text) for key, text in texts.items()}


@contextmanager
def building(source: str) -> Iterator[None]:
    """For what is made as the metadata of `source` say, such as a network: UserError, naming it, if
    they are damaged."""
    try:
        yield
    except Exception as error:  # what damage makes of a value can be wrong in every way
        raise UserError(f"{source}: its description is damaged ({error})") from error


@contextmanager
def reading_description(metadata: Mapping[str, Any], source: str, *kinds: str) -> Iterator[None]:
    """For what is made of a model's metadata: UserError, naming `source`, if it holds another kind
    of model, or if its metadata are damaged."""
    kind = metadata.get("kind")
    if kind not in kinds:
        raise UserError(
            f"{source} holds a {kind or 'model of unknown kind'}, not a {' or '.join(kinds)}"
        )
    with building(source):
        yield


def load_into(model: nn.Module, state_dict: Mapping[str, Tensor], source: str) -> None:
    """Load weights into a model; every key must match. Raises UserError naming those that don't."""
    own = model.state_dict()
    missing = [name for name in own if name not in state_dict]
    unknown = [name for name in state_dict if name not in own]
    shapes = [
        f"{name} ({tuple(state_dict[name].shape)} instead of {tuple(own[name].shape)})"
        for name in own
        if name in state_dict and state_dict[name].shape != own[name].shape
    ]
    problems = [
        f"{what}: {_few(names)}"
        for what, names in (("missing", missing), ("unknown", unknown), ("other shapes", shapes))
        if names
    ]
    if problems:
        raise UserError(f"{source} does not fit this model; " + "; ".join(problems))
    model.load_state_dict(dict(state_dict))
