"""What runs the networks if nothing else is said."""

from dataclasses import replace
from importlib.util import find_spec

from stitched.options import MachineOptions
from utils.dataset_statistics import can_keep
from utils.devices import device_kind

_LIBRARIES = ("onnx", "onnxruntime", "onnxscript")


def settle_backend(machine: MachineOptions, films: bool, load: str = "") -> MachineOptions:
    """`--backend auto` as the quicker of the two: ONNX Runtime for films on a CPU, where it is
    installed and the networks can be kept as ONNX files, and for what only it runs; PyTorch else,
    which computes batches of pictures in bf16.

    Raises UserError for an accelerator that is not there.
    """
    if machine.backend != "auto":
        return machine
    quicker = films and machine.precision == "auto" and all(map(find_spec, _LIBRARIES))
    on_cpu = device_kind(machine.accelerator) == "cpu"
    takes_onnx = on_cpu and ((quicker and can_keep()) or load.endswith(".onnx"))
    return replace(machine, backend="onnx" if takes_onnx else "torch")
