"""Options of `run.py pose`. Nothing heavy is imported here, so that --help stays quick."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from twod_threed.temporal.inference_options import Smooth
from utils.errors import need
from utils.option_checks import at_least_one, check_height, check_lens, check_scales, refuse_given

EXPORTS = ("npz", "json", "coco", "csv", "bvh", "trc")
"""Kinds of files that poses are written as."""
EXPORTS_OF_3D = ("bvh", "trc")
"""Those that hold nothing else than 3D poses."""


def separated(words: str) -> tuple[str, ...]:
    """Words of a list with commas: "npz, bvh" -> ("npz", "bvh")."""
    return tuple(word.strip() for word in words.split(",") if word.strip())


@dataclass
class PeopleOptions:
    """Who is looked for."""

    people: int | None = None
    """At most so many people in a picture. Without it one, or all of --boxes or --detector. More
    than one needs --boxes or --detector."""
    boxes: str = ""
    """File of boxes to look in, instead of searching: a pose file (poses.npz, poses.json), or a CSV
    file with the columns source, frame, cx, cy, side and, if people are numbered, person."""
    detector: Literal["none", "torchvision"] = "none"
    """What finds people's boxes: torchvision's Faster R-CNN on MobileNet, which is installed
    separately and downloads its weights, 74 MB, once."""
    min_confidence: float = 0.45
    """Mean confidence of the joints, from 0 to 1, below which nobody is there."""
    flip: bool = True
    """Average each picture with its mirror image: better, and twice the time."""
    flip_video: bool = False
    """The same for each frame of videos and webcams."""
    scales: tuple[float, ...] = (1.0,)
    """Sizes of the box round the person, in its own, whose answers are averaged: 1 1.15 is better,
    and twice the time."""

    def __post_init__(self) -> None:
        need(self.people is None or self.people >= 1, "--people must be at least 1")
        check_scales(self.scales)
        need(not (self.boxes and self.detector != "none"), "give --boxes or --detector, not both")
        need(
            self.people in (None, 1) or bool(self.boxes) or self.detector != "none",
            f"--people {self.people} needs to know where people are: --detector torchvision, or "
            "--boxes with a file of boxes",
        )
        need(
            0 <= self.min_confidence <= 1,
            f"--min_confidence must be from 0 to 1, not {self.min_confidence}",
        )


@dataclass
class LiftOptions:
    """From 2D to 3D."""

    lift: bool = True
    """Make 3D poses of the 2D ones."""
    lifter: str = ""
    """What lifts: shipped model, run folder, .safetensors or .ckpt, of either kind. Empty takes
    shipped ones: one of single poses for pictures, a temporal one for videos."""
    height: float | None = None
    """Standing height of the person, mm; otherwise 3D poses have the size of a standard body."""
    focal: float | None = None
    """Focal length of the camera, px."""
    fov: float | None = None
    """Field of view of the camera along the longer edge, degrees; 55 if nothing is said."""

    def __post_init__(self) -> None:
        check_lens(self.focal, self.fov)
        check_height(self.height)
        if not self.lift:
            refuse_given(self, ("lifter", "height", "focal", "fov"), "with --lift False")


@dataclass
class VideoOptions:
    """Which part of videos, and how motion is treated."""

    start: float = 0.0
    """Second of each video to start at."""
    end: float | None = None
    """Second of each video, or of watching a webcam, to end at."""
    fps: float | None = None
    """Look at no more than so many frames a second. The others get no row, and are left out of the
    drawn video, which keeps its speed."""
    smooth: Smooth = "none"
    """Calm the 2D joints of videos over time: One-Euro filter, which looks only at the past, or
    Savitzky-Golay, which looks both ways. Holds for files, drawings and 3D."""
    window: bool = True
    """Show what a webcam sees in a window, where there is a display; Q or Esc in it ends
    watching."""

    def __post_init__(self) -> None:
        need(self.start >= 0, f"--start must not be negative, not {self.start}")
        need(
            self.end is None or self.end > self.start,
            f"--end ({self.end}) must be above --start ({self.start})",
        )
        need(
            self.fps is None or 0 < self.fps <= 10_000,
            f"--fps must be above 0 and at most 10000, not {self.fps}",
        )


@dataclass
class FilesOptions:
    """What is written."""

    export: str = "npz,json"
    """Files to write the poses as, separated by commas: npz, json, coco, csv, bvh, trc.
    poses.npz is always among them."""
    overlay: bool = True
    """Draw the poses on copies of the pictures and videos."""
    overlay_3d: bool = True
    """Also draw them beside their 3D poses: <name>_3d.jpg, <name>_3d.mp4."""
    skip_done: bool = False
    """Leave out pictures and videos whose poses are in output_dir/poses.npz already, to their end,
    and keep these, whatever the options were that made them."""

    def __post_init__(self) -> None:
        for name in self.exports:
            known = ", ".join(EXPORTS)
            need(name in EXPORTS, f"--export takes {known}, separated by commas, not {name}")

    @property
    def exports(self) -> tuple[str, ...]:
        """Kinds of files, poses.npz first."""
        return ("npz", *(name for name in separated(self.export) if name != "npz"))


@dataclass
class MachineOptions:
    """What computes."""

    accelerator: Annotated[
        Literal["auto", "cpu", "gpu", "cuda", "mps"], tyro.conf.arg(aliases=["--device"])
    ] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Number format; auto is bf16 where the device computes in it."""
    backend: Literal["auto", "torch", "onnx"] = "auto"
    """What runs the networks: PyTorch, or ONNX Runtime on the CPU (temporal lifters stay with
    PyTorch); auto is ONNX Runtime where films are among the inputs, it is installed, no GPU is
    used and .cache/ can be written."""
    devices: int = 1
    """Devices (GPUs, or processes on CPU) on each machine that share the inputs; under torchrun,
    what it started."""
    num_nodes: int = 1
    """Machines; start the command on each of them (or use torchrun)."""
    profile: bool = False
    """Print where the time goes."""

    def __post_init__(self) -> None:
        at_least_one(devices=self.devices, num_nodes=self.num_nodes)
        need(
            self.backend != "onnx" or self.accelerator in ("auto", "cpu"),
            "--backend onnx runs on the CPU: leave --accelerator (--device) out",
        )
        if self.backend == "onnx":
            refuse_given(self, ("precision",), "with --backend onnx")


@dataclass
class PoseOptions:
    """Find people in pictures, folders, videos or a webcam: 2D and 3D poses, drawn and as files."""

    inputs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="INPUT...")]
    """Pictures, videos, folders of them, quoted patterns ('photos/*.jpg', with subfolders
    'photos/**/*.jpg') or webcam numbers (0)."""
    output_dir: str = "visualizations/pose"
    """Where poses.npz, the other pose files and the overlay pictures and videos go."""
    load: str = ""
    """Weights that find the joints: shipped model, run folder, .safetensors, .ckpt or public
    checkpoint; empty takes what --mode says."""
    mode: Literal["best", "lightweight", "balanced"] = "best"
    """Shipped weights that find the joints: the most accurate, or those of this name."""
    who: PeopleOptions = field(default_factory=PeopleOptions)
    lifting: LiftOptions = field(default_factory=LiftOptions)
    video: VideoOptions = field(default_factory=VideoOptions)
    files: FilesOptions = field(default_factory=FilesOptions)
    machine: MachineOptions = field(default_factory=MachineOptions)

    def __post_init__(self) -> None:
        need(bool(self.inputs), "name a picture, a video, a folder or the number of a webcam")
        need(
            self.mode == "best" or not self.load,
            f"--mode {self.mode} and --load {self.load} name two models: give one of them",
        )
        flat = [name for name in self.files.exports if name in EXPORTS_OF_3D]
        need(
            self.lifting.lift or not flat,
            f"--export {','.join(flat)} holds 3D poses: leave out --lift False",
        )
