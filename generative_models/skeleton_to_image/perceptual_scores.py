"""LPIPS and FID of made frames, where torchmetrics and the weights of their networks are here."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from generative_models.skeleton_to_image.perceptual import weights_file

WEIGHTS = {
    "lpips": "alexnet-owt-7be5be79.pth",
    "fid": "weights-inception-2015-12-05-6726825d.pth",
}
"""Files of AlexNet (torchvision) and of the Inception network (torch-fidelity), where each library
keeps them once it has them. Without them it would ask the network in the middle of an evaluation.
"""
AT_A_TIME = 16
PerceptualScore = Callable[[np.ndarray, np.ndarray], float]
"""Made and real pictures (N, S, S, 3) uint8 RGB -> a score."""


def find_perceptual_scores() -> dict[str, PerceptualScore]:
    """`lpips` (Zhang, Isola, Efros, Shechtman, Wang 2018; of AlexNet) and `fid` (Heusel et al.
    2017, eq. 6; of Inception's 2,048 features), without those that this machine has not, which it
    says."""
    found: dict[str, PerceptualScore] = {}
    for name, load in {"lpips": _load_lpips, "fid": _load_fid}.items():
        path = weights_file(WEIGHTS[name])
        if not path.is_file():
            print(f"no {name}: its weights are not at {path}")
            continue
        try:
            found[name] = load()
        except (ImportError, RuntimeError) as error:
            print(f"no {name}: torchmetrics or torchvision does not load ({error})")
    return found


def _parts(pictures: np.ndarray) -> Iterator[Tensor]:
    """(N, S, S, 3) uint8 -> (n, 3, S, S) uint8, in order."""
    for start in range(0, len(pictures), AT_A_TIME):
        yield torch.from_numpy(pictures[start : start + AT_A_TIME]).movedim(-1, 1)


def _load_lpips() -> PerceptualScore:
    from torchmetrics.image.lpip import (  # pyright: ignore[reportMissingImports]
        LearnedPerceptualImagePatchSimilarity,
    )

    measure: Any = LearnedPerceptualImagePatchSimilarity(net_type="alex")

    def lpips(made: np.ndarray, real: np.ndarray) -> float:
        measure.reset()
        for one, other in zip(_parts(made), _parts(real), strict=True):
            measure.update(one / 127.5 - 1, other / 127.5 - 1)
        return float(measure.compute())

    return lpips


def _load_fid() -> PerceptualScore:
    from torchmetrics.image.fid import (  # pyright: ignore[reportMissingImports]
        FrechetInceptionDistance,
    )

    measure: Any = FrechetInceptionDistance(feature=2048)

    def fid(made: np.ndarray, real: np.ndarray) -> float:
        measure.reset()
        for pictures, is_real in ((real, True), (made, False)):
            for part in _parts(pictures):
                measure.update(part, real=is_real)
        return float(measure.compute())

    return fid
