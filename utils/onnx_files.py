"""ONNX files: written from torch modules, with what is needed to use them, and run by onnxruntime.

The libraries are the extra `onnx`; nothing imports them before they are needed.
"""

import hashlib
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from utils.atomic import atomic_path
from utils.dataset_statistics import CACHE
from utils.errors import UserError
from utils.weights import resolve

VERSION = 1
"""Of what is exported and how; raised when either changes, so that no cached file is outdated."""
EXAMPLES = 2
"""Size of the batch that a module is followed with; the file takes any."""


@contextmanager
def _extra() -> Iterator[None]:
    """Imports of the extra. Raises UserError where they are not installed."""
    try:
        yield
    except ImportError as error:
        raise UserError(
            f"ONNX needs {error.name}, which is not installed: "
            'python -m pip install -c constraints.txt ".[onnx]"'
        ) from error


def write_onnx(
    path: Path,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    metadata: Mapping[str, Any],
) -> None:
    """Write a module in evaluation mode as ONNX, whole or not at all.

    inputs: examples by name, in the order of `forward`, each with a batch of EXAMPLES as its first
    axis; outputs: names of what comes out. The batch is free in the file. metadata: values that
    JSON can hold. Raises UserError without the extra, or if the place cannot be written, and
    ValueError for a module that fixes the size of its batch.
    """
    with _extra():
        import onnx
        import onnxscript  # noqa: F401  (torch wants it, and says so less plainly)
    model = _trace(module, inputs, outputs).model_proto
    free = {
        place.name: place.type.tensor_type.shape.dim[0].dim_param for place in model.graph.input
    }
    if not all(free.values()):
        raise ValueError(f"the module fixes the size of its batch: {free}")
    onnx.helper.set_model_props(model, {key: json.dumps(one) for key, one in metadata.items()})
    with atomic_path(path) as temporary:
        onnx.save(model, temporary)


def _trace(
    module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str]
) -> torch.onnx.ONNXProgram:
    batch = torch.export.Dim("batch")
    # What torch says here is about libraries that are not needed, and its own code.
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module.eval(),
                tuple(inputs.values()),
                dynamo=True,
                verbose=False,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=tuple({0: batch} for _ in inputs),
            )
    finally:
        logger.setLevel(level)
    assert program is not None
    return program


class OnnxSession:
    """An ONNX file, ready to run on the CPU with as many threads as torch; `metadata` as written.

    Raises UserError without the extra, or if the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with _extra():
            import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = torch.get_num_threads()
        # As `utils.threads` has it for torch: who waits sleeps, and leaves the cores to others.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            content = path.read_bytes()
            self._session = onnxruntime.InferenceSession(
                content, settings, providers=["CPUExecutionProvider"]
            )
            found = self._session.get_modelmeta().custom_metadata_map
            self.metadata = {key: json.loads(text) for key, text in found.items()}
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror or error}") from error
        except Exception as error:  # onnxruntime has many, with no common kind
            raise UserError(f"{path} is damaged or no ONNX file of ours: {error}") from error

    def __call__(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """Outputs in the order of the file, of inputs by name."""
        return [np.asarray(output) for output in self._session.run(None, inputs)]


def onnx_file(name_or_path: str, export: Callable[[str, Path], None]) -> Path:
    """The ONNX file of anything that `--load` takes; an `.onnx` file is what it is.

    Others are exported by `export(name_or_path, path)` when they are first asked for, and kept in
    .cache/ under the content of their weights. Raises UserError if there are none.
    """
    weights = resolve(name_or_path)
    if weights.suffix == ".onnx":
        return weights
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:20]
    except OSError as error:
        raise UserError(f"cannot read {weights}: {error.strerror or error}") from error
    path = CACHE / f"onnx-{digest}-{VERSION}.onnx"
    if not path.is_file():
        print(f"writing {name_or_path} as ONNX, once", file=sys.stderr)
        export(name_or_path, path)
    return path
