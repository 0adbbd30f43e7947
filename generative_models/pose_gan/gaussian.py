"""A normal distribution of poses: what a model with networks has to be better than."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generative_models.pose_gan.description import GAUSSIAN_KIND, PoseModelDescription
from generative_models.pose_gan.representation import (
    BONE_JOINTS,
    STANDARD_SIZE,
    to_bones,
    to_canonical,
    to_joints,
)
from utils.errors import UserError
from utils.seeds import derive_seed
from utils.weights import save_weights

VALUES = 3 * len(BONE_JOINTS)
# Directions in which the poses do not vary at all, such as the z of the hips, have no density.
_LEAST_DEVIATION = 1e-6


class GaussianModel:
    """Normally distributed bones: joints are sums of bones, and so are normally distributed, too.

    Its bodies vary in size, and are larger than 1 on average: a bone that points this way and that
    is longer than its mean.
    """

    def __init__(self, mean: Tensor, factor: Tensor) -> None:
        """mean (45,); factor (45, 45), whose product with its own transpose is the covariance."""
        self.mean, self.factor = mean, factor

    @classmethod
    def fit(cls, poses: np.ndarray) -> "GaussianModel":
        """Mean and covariance of poses (N, 17, 3), mm, y down. Raises UserError for fewer than
        two whole ones."""
        canonical, _ = to_canonical(torch.as_tensor(np.asarray(poses, np.float64)))
        values = to_bones(canonical).flatten(1)
        values = values[values.isfinite().all(1)]
        if len(values) < 2:
            raise UserError(f"a Gaussian needs at least two whole poses, not {len(values)}")
        variances, axes = torch.linalg.eigh(torch.cov(values.T))
        return cls(values.mean(0), axes * variances.clamp(min=0).sqrt())

    @classmethod
    def from_weights(cls, weights: dict[str, Tensor], source: str) -> "GaussianModel":
        """Inverse of `save`. Raises UserError if `source` holds something else."""
        shapes = {name: tuple(value.shape) for name, value in weights.items()}
        if shapes != {"mean": (VALUES,), "factor": (VALUES, VALUES)}:
            raise UserError(f"{source} is no Gaussian of poses: it holds {shapes}")
        return cls(weights["mean"].double(), weights["factor"].double())

    def save(self, path: str | Path, training_data: str) -> None:
        """Write it as a safetensors file that `load_sampler` reads. Raises UserError."""
        metadata = PoseModelDescription(GAUSSIAN_KIND).as_metadata()
        metadata |= {"training_data": training_data}
        tensors = {"mean": self.mean.float(), "factor": self.factor.float()}
        save_weights(path, tensors, metadata)

    def sample(self, count: int, seed: int) -> np.ndarray:
        """See `predictor.Sampler`; the bodies are of all sizes."""
        generator = torch.Generator().manual_seed(derive_seed("gaussian poses", seed))
        noise = torch.randn(count, VALUES, generator=generator, dtype=torch.float64)
        bones = (self.mean + noise @ self.factor.T).unflatten(1, (-1, 3))
        return (to_joints(bones) * STANDARD_SIZE).float().numpy()

    def score(self, poses: np.ndarray) -> np.ndarray:
        """See `predictor.Prior`: the logarithm of the density, but for a constant."""
        canonical, _ = to_canonical(torch.as_tensor(np.asarray(poses, np.float64)))
        deviations = torch.linalg.vector_norm(self.factor, dim=0)
        axes = self.factor / deviations.clamp(min=_LEAST_DEVIATION)
        off = (to_bones(canonical).flatten(1) - self.mean) @ axes
        varies = deviations > _LEAST_DEVIATION
        return -0.5 * (off / deviations)[:, varies].square().sum(1).float().numpy()
