"""From where, and through which lenses, virtual cameras see people."""

from dataclasses import dataclass

from utils.errors import UserError

WIDEST = 100.0
STEEPEST = 45.0


@dataclass(frozen=True)
class ViewRanges:
    """What phones and webcams film, and rooms such as Human3.6M's.

    Raises UserError for a range that is empty or that no camera could keep to.
    """

    field_of_view: tuple[float, float] = (40.0, 80.0)
    """degrees along the longer edge of the picture"""
    fill: tuple[float, float] = (0.3, 0.95)
    """share of the picture's height or width, whichever the person fills more of; less than drawn
    where the camera would come too near"""
    height: tuple[float, float] = (300.0, 3000.0)
    """mm above the lowest joint"""
    roll: tuple[float, float] = (-10.0, 10.0)
    """degrees that the camera is turned clockwise about its axis"""
    steepest: float = STEEPEST
    """degrees between the horizon and the line from camera to person; limits `height` nearby"""
    nearest: float = 500.0
    """mm from the camera to the nearest joint, at least"""
    off_centre: float = 0.9
    """share of the free room that the person may be moved by; above 1 people are cut off"""
    image_sizes: tuple[tuple[int, int], ...] = (
        *((1920, 1080), (1080, 1920), (1280, 720), (720, 1280)),
        *((640, 480), (480, 640), (1000, 1000)),
    )
    """width and height in px, each as likely as the others"""

    def __post_init__(self) -> None:
        for name in ("field_of_view", "fill", "height", "roll"):
            low, high = getattr(self, name)
            _need(low <= high, f"the range of {name}, {low} to {high}, is empty")
        low, high = self.field_of_view
        _need(low > 0 and high <= WIDEST, f"the field of view must lie in 0 to {WIDEST:g} degrees")
        _need(self.fill[0] > 0 and self.fill[1] <= 1, "fill must lie in 0 to 1")
        _need(self.nearest > 0, "nearest must be above 0")
        _need(self.off_centre >= 0, "off_centre must not be below 0")
        # Looked at from steeper, a person at the edge of the picture would need more roll.
        _need(0 <= self.steepest <= STEEPEST, f"steepest must lie in 0 to {STEEPEST:g} degrees")
        _need(len(self.image_sizes) > 0, "name at least one image size")


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise UserError(f"virtual cameras: {message}")
