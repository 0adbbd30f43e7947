"""What a stitched network must carry beside its weights: both networks' descriptions, the window.

It is read and written as the metadata of one file of weights, in which the hourglass's names begin
with `hourglass.`, the lifter's with `lifter.` and the soft-argmax's with `soft_argmax.`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from stacked_hourglass.description import MODEL_KIND as HOURGLASS
from stacked_hourglass.description import Description as HourglassDescription
from stacked_hourglass.description import description_from_metadata as hourglass_from_metadata
from stitched.network.soft_argmax import SoftArgmax2D, Window
from twod_threed.description import MODEL_KIND as LIFTER
from twod_threed.description import LifterDescription
from twod_threed.description import description_from_metadata as lifter_from_metadata
from utils.errors import UserError
from utils.skeleton_conversion import conversion_rules
from utils.skeletons import skeleton_named
from utils.weights import reading_description

MODEL_KIND = "stitched"
TEMPERATURES = {"cross_entropy": 1.0, "mse": 0.1}
"""Where training starts, by what the hourglass's scores were trained to be: logits, whose softmax
is a probability already, or peaks 1 high."""


@dataclass(frozen=True)
class StitchedDescription:
    """Everything between a picture and 3D joints that is not a weight.

    Raises UserError if the hourglass lacks a joint that the lifter needs.
    """

    hourglass: HourglassDescription
    lifter: LifterDescription
    window: Window = "uniform"
    radius: float = 5.0
    """of the window, heatmap px"""

    def __post_init__(self) -> None:
        source, target = (
            skeleton_named(self.hourglass.skeleton),
            skeleton_named(self.lifter.skeleton_2d),
        )
        rules = conversion_rules(source, target)
        lacking = [j for j in self.lifter.joints_2d if not rules[target.index(j)].parts]
        if lacking:
            raise UserError(
                f"the hourglass finds {source.name}, from which the lifter's "
                f"{', '.join(lacking)} cannot be made: choose others"
            )

    def soft_argmax(
        self, temperature: float | None = None, learnable: bool = False
    ) -> SoftArgmax2D:
        """With this window. temperature: by default that of TEMPERATURES."""
        start = TEMPERATURES[self.hourglass.heatmap_loss]
        chosen = start if temperature is None else temperature
        return SoftArgmax2D(chosen, learnable, self.window, self.radius)

    def having_learned(self, joints: Iterable[str]) -> "StitchedDescription":
        """The same after training on 2D joints that the hourglass may not have known before."""
        untrained = tuple(one for one in self.hourglass.untrained if one not in set(joints))
        return replace(self, hourglass=replace(self.hourglass, untrained=untrained))

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        return {
            "kind": MODEL_KIND,
            "hourglass": self.hourglass.as_metadata(),
            "lifter": self.lifter.as_metadata(),
            "window": self.window,
            "radius": self.radius,
        }


def description_from_metadata(metadata: dict[str, Any], source: str) -> StitchedDescription:
    """Inverse of `as_metadata`. Raises UserError if `source` holds another model."""
    if metadata.get("kind") in (HOURGLASS, LIFTER):
        raise UserError(
            f"{source} holds a {metadata['kind']}, not a {MODEL_KIND}: two networks are joined "
            "with --load_hourglass and --load_2d3d"
        )
    with reading_description(metadata, source, MODEL_KIND):
        return StitchedDescription(
            hourglass_from_metadata(metadata["hourglass"], source),
            lifter_from_metadata(metadata["lifter"], source),
            metadata["window"],
            float(metadata["radius"]),
        )
