"""Options of the commands that draw 2D and 3D together. Nothing heavy is imported here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from utils.errors import need


@dataclass
class ViewOptions:
    """Where 3D poses are seen from."""

    azimuth: float = 35.0
    """Degrees round the person: 0 from the camera, 90 from its right."""

    elevation: float = 12.0
    """Degrees above level."""

    def __post_init__(self) -> None:
        need(
            -90 <= self.elevation <= 90,
            f"--elevation must be between -90 and 90, not {self.elevation}",
        )


@dataclass
class OverlayPredictionOptions:
    """Draw 2D poses on their pictures, and beside each picture its 3D poses."""

    img_dir: Path
    """Folder with the pictures."""

    twod_pose_estimations: Annotated[
        Path, tyro.conf.arg(name="2d_pose_estimations", aliases=["--twod_pose_estimations"])
    ]
    """poses.npz or poses.json with the 2D poses."""

    threed_pose_estimation: Annotated[
        Path, tyro.conf.arg(name="3d_pose_estimation", aliases=["--threed_pose_estimation"])
    ]
    """poses.npz or poses.json with the 3D poses; may be the same file."""

    output_dir: Path
    """Where the drawn pictures go, under the names and subfolders that they have in --img_dir."""

    limit: int | None = None
    """Draw only so many pictures."""

    view: ViewOptions = field(default_factory=ViewOptions)

    def __post_init__(self) -> None:
        need(self.limit is None or self.limit >= 1, f"--limit must be at least 1, not {self.limit}")


@dataclass
class OverlayTruthOptions:
    """Draw 2D poses on their pictures, and beside each picture its true and its lifted 3D poses."""

    pictures: OverlayPredictionOptions

    threed_pose_ground_truths: Annotated[
        Path,
        tyro.conf.arg(name="3d_pose_ground_truths", aliases=["--threed_pose_ground_truths"]),
    ]
    """poses.npz or poses.json with the true 3D poses of the same pictures and people."""


@dataclass
class VideoOptions:
    """Draw poses on their video, and beside it the people in 3D."""

    video: Path
    """The video that the poses were found in."""

    poses: Path
    """poses.npz or poses.json with its 2D and 3D poses."""

    output_dir: Path
    """Where <name>_3d.mp4 goes."""

    orbit: float = 0.0
    """Degrees a second that the 3D view turns round the people; 0 stands still."""

    height: int = 480
    """Height of the film, px."""

    view: ViewOptions = field(default_factory=ViewOptions)

    def __post_init__(self) -> None:
        need(self.height >= 64, f"--height must be at least 64, not {self.height}")
        need(abs(self.orbit) <= 3600, f"--orbit must be within 3600, not {self.orbit}")


@dataclass
class InteractiveOptions:
    """Write one HTML page that shows a video or picture with its poses, in 2D and in 3D."""

    poses: Path
    """poses.npz or poses.json with 2D and 3D poses."""

    output_dir: Path
    """Where <name>_interactive.html goes."""

    video: Annotated[Path | None, tyro.conf.arg(aliases=["--image"])] = None
    """The video or picture that the poses were found in; without it the page shows poses alone."""

    source: str = ""
    """Which video or picture of the pose file, where it holds several and none is given."""

    image_size: int = 480
    """Longer side of the pictures in the page, px; smaller ones are left as they are."""

    quality: int = 80
    """JPEG quality of the pictures in the page, 1 to 100."""

    max_megabytes: float = 20.0
    """Most that the pictures in the page may take together: of a longer video the page holds every
    second picture, or every fourth, ..., and all poses."""

    view: ViewOptions = field(default_factory=ViewOptions)

    def __post_init__(self) -> None:
        need(self.image_size >= 16, f"--image_size must be at least 16, not {self.image_size}")
        need(1 <= self.quality <= 100, f"--quality must be 1 to 100, not {self.quality}")
        need(self.max_megabytes > 0, f"--max_megabytes must be above 0, not {self.max_megabytes}")
        need(not (self.source and self.video), "give --video or --source, not both")
