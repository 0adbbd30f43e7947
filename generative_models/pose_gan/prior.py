"""A trained VAE as a judge of lifted poses: what is unlikely of them is taken part of the way back.

The lifter takes it as a callable and knows nothing of it.
"""

import numpy as np

from generative_models.pose_gan.predictor import VaeModel, load_vae
from utils.errors import UserError


class PosePrior:
    """Poses -> likelier poses. The camera is taken to stand upright: y is down."""

    def __init__(self, vae: VaeModel, strength: float) -> None:
        """strength: how far poses go, 0 not at all, 1 to where the VAE puts them. Raises
        UserError if it is neither, nor between."""
        if not 0 <= strength <= 1:
            raise UserError(f"the strength of a pose prior is between 0 and 1, not {strength}")
        self.vae, self.strength = vae, strength

    @classmethod
    def load(cls, name_or_path: str, strength: float, accelerator: str = "auto") -> "PosePrior":
        """From anything that `--load` takes. Raises UserError if it is no VAE."""
        return cls(load_vae(name_or_path, accelerator), strength)

    def __call__(self, poses: np.ndarray) -> np.ndarray:
        """Poses (N, 17, 3), Human3.6M-17, mm in camera axes -> as many, about the same hip and of
        the same size and heading. Those with unknown joints or no heading stay as they are."""
        likely = self.vae.project(poses)
        known = np.isfinite(likely).all(axis=(1, 2), keepdims=True)
        return poses + self.strength * np.where(known, likely - poses, 0)
