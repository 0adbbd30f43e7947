"""Options of `run.py dance`. Nothing heavy is imported here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from generative_models.skeleton_to_image.options import ModelOrNumber
from twod_threed.temporal.inference_options import Smooth
from utils.errors import UserError
from utils.option_checks import refuse_given


@dataclass
class DanceOptions:
    """Make a trained dancer move like the person in a video."""

    source: str
    """Video of the person to be imitated, or a pose file (poses.npz, poses.json) of one, whose
    joints are taken as they are."""
    target: str = ""
    """Trained dancer: shipped model, run folder, .safetensors or .ckpt. Empty is the run of
    --model, or the shipped dancer."""
    film: str = ""
    """Which video of a pose file that holds several; empty is the one with most rows."""
    model: ModelOrNumber | None = None
    """Which model the dancer must be. 1 nearest, 2 vanilla_vector, 3 vanilla_image, 4 gan, 5
    pose2vid."""
    checkpoint_dir: str = "model_checkpoints"
    """Folder of the runs skeleton_to_image_<model>, where --model is given and --target is not."""
    retarget: Literal["bones", "scale", "learned", "none"] = "bones"
    """bones: the source's motion on limbs as long as the dancer's, on the dancer's ground, also
    where the source walks away from the camera; scale: only enlarged or reduced, and placed so;
    learned: by a network of train.py motion_transfer_* (--load_retarget); none: the source's joints
    as they are in the square of its picture."""
    load_retarget: str = ""
    """--retarget learned: its weights, as --load of run.py motion_transfer."""
    smooth: Smooth = "savitzky_golay"
    """Calm the joints found in the source over time."""
    start: float = 0.0
    """Second of the source to start at."""
    end: float | None = None
    """Second of the source to end at."""
    load: str = ""
    """2D model that finds the source's poses; empty is the best that ships."""
    size: int | None = None
    """Side of the new frames, px; the dancer's own if nothing is said."""
    output_dir: str = "visualizations/dance"
    """Where dance.mp4, side_by_side.mp4 and poses.npz go."""
    batch_size: int = 16
    """Frames at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        if self.load_retarget and self.retarget != "learned":
            raise UserError(f"--load_retarget is for --retarget learned, not {self.retarget}")
        if self.retarget == "learned" and not self.load_retarget:
            raise UserError(
                "--retarget learned needs --load_retarget with weights of train.py "
                "motion_transfer_mocap: none ship"
            )
        if self.is_video:
            refuse_given(self, ("film",), f"with the video {self.source}")
        else:
            refuse_given(self, ("smooth", "load"), f"with the pose file {self.source}")
        if self.batch_size < 1:
            raise UserError("--batch_size must be at least 1")
        if self.size is not None and not 16 <= self.size <= 4096:
            raise UserError(f"--size must lie in 16 to 4096, not {self.size}")
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise UserError(f"--start ({self.start}) and --end ({self.end}) leave nothing")

    @property
    def is_video(self) -> bool:
        """Whether the source is taken for a video, not for a pose file."""
        return Path(self.source).suffix not in (".npz", ".json")
