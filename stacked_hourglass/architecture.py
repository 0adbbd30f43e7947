"""What decides the shape of every weight of the hourglass. Nothing heavy is imported here."""

from dataclasses import dataclass

from utils.option_checks import MOST_LAYERS


@dataclass(frozen=True)
class Architecture:
    """It travels with the weights. Raises ValueError, naming the field, for what cannot be."""

    stacks: int = 2
    features: int = 256
    blocks: int = 1
    num_classes: int = 16
    batch_norm_momentum: float = 0.1
    layer_norm: bool = False
    """layer norm in place of batch norm"""
    batch_norm_affine: bool = True
    """batch norms scale and shift what they have normalised"""
    visibility: bool = False
    """a head tells whether each joint is seen or hidden"""
    attention: str = ""
    """over the frames of a film, at the lowest resolution of each hourglass: "window" looks at all
    of them, "causal" at a frame and those before it, "" at none"""

    def __post_init__(self) -> None:
        for name in ("stacks", "features", "blocks", "num_classes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("stacks", "blocks"):
            if getattr(self, name) > MOST_LAYERS:
                raise ValueError(f"{name} must be at most {MOST_LAYERS}")
        if self.features % 4:
            raise ValueError(f"features must be a multiple of 4, not {self.features}")
        if self.attention not in ("", "window", "causal"):
            raise ValueError(f"attention must be window, causal or empty, not {self.attention!r}")
        if not 0 < self.batch_norm_momentum <= 1:
            raise ValueError(
                f"batch_norm_momentum must be above 0 and at most 1, not {self.batch_norm_momentum}"
            )
