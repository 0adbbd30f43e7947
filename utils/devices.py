"""What computes, and in which number format."""

import torch
from torch import Tensor, nn

from utils.errors import UserError


def device_kind(accelerator: str = "auto") -> str:
    """Kind of device ("cuda", "mps" or "cpu") that `accelerator` stands for on this machine.

    Raises UserError if PyTorch can use none of this kind here.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    wanted = {"auto": ("cuda", "mps", "cpu"), "gpu": ("cuda", "mps")}
    for kind in wanted.get(accelerator, (accelerator,)):
        if there.get(kind, True):
            return kind
    raise UserError(
        f"cannot use these devices: PyTorch finds no {accelerator} here; "
        "--accelerator auto takes what there is"
    )


def has_bf16(kind: str) -> bool:
    """Whether a kind of device ("cuda", "mps", "cpu") has instructions that compute in bf16.

    A device without them emulates the format, which is slower than float32.
    """
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":
        return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return False


def need_compiler(kind: str) -> None:
    """Raises UserError unless the C++ compiler is there that torch.compile needs for a CPU."""
    if kind != "cpu":
        return
    # Not at the top: it takes a second, which only those who compile should pay.
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        get_cpp_compiler()
    except (RuntimeError, OSError) as error:
        raise UserError(
            "--compile needs a C++ compiler, and none is found: install g++, name another in the "
            "environment variable CXX, or leave --compile out"
        ) from error


def pick_precision(precision: str, kind: str) -> str:
    """Fabric's name of the precision; "auto" is bf16-mixed where that is faster, else 32-true."""
    if precision != "auto":
        return precision
    return "bf16-mixed" if has_bf16(kind) else "32-true"


def in_float32(layer: nn.Module, x: Tensor) -> Tensor:
    """layer(x) in float32, also where autocast computes the rest in half of that: for answers with
    more digits than bf16 holds, which goes in steps of 4 mm from half a metre on."""
    if not torch.is_autocast_enabled(x.device.type):
        return layer(x)
    with torch.autocast(x.device.type, enabled=False):
        return layer(x.float())
