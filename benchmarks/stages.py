"""How fast each stage is, and how near to what this machine could do at most."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from benchmarks import (
    data_speed,
    film_speed,
    hourglass_speed,
    lifter_speed,
    motion_transfer_speed,
    pose_gan_speed,
    skeleton_to_image_speed,
    startup,
    temporal_speed,
)
from benchmarks.timing import Spread, multiply_rate, operations_of, rate, readable
from generative_models.motion_transfer.options import MotionDataOptions, TransferTrainOptions
from generative_models.pose_gan import training as gan_training
from generative_models.pose_gan.model import PoseGan
from generative_models.pose_gan.options import PoseGanTrainOptions
from generative_models.pose_gan.runs import architecture_of
from stacked_hourglass.architecture import Architecture
from stitched.network.data import plain_crops
from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.predictor import StitchedModel
from twod_threed.temporal.model import TemporalNetwork
from twod_threed.temporal.whole_sequence import lift_sequence
from utils.devices import device_kind, pick_precision

REAL_TIME = 25.0
"""Frames a second of most films."""


@dataclass(frozen=True)
class Figure:
    """What was measured of a stage, and beside what."""

    stage: str
    what: str
    found: Spread
    limit: str = ""
    ratio: float | None = None
    """of what was found to the limit, or of the limit to it where less is better"""

    def row(self) -> tuple[str, ...]:
        """Of the table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.stage, self.what, str(self.found), self.limit, ratio


def multiplying(
    stage: str,
    what: str,
    work: Callable[[], object],
    count: int,
    unit: str,
    operations: float | None = None,
    precision: str = "auto",
) -> Figure:
    """A figure beside the rate at which this machine multiplies matrices, in the number format
    that `--precision` takes here: nothing that has as much to multiply can be faster.

    operations: of one of the `count` things; None: as torch counts them.
    """
    device = device_kind()
    dtype = hourglass_speed.FORMATS.get(pick_precision(precision, device), torch.float32)
    each = operations or operations_of(work) / count
    found, most = rate(work, count), multiply_rate(dtype, device) / each
    number = str(dtype).removeprefix("torch.")
    limit = f"{readable(most)}, at {readable(each / 1e6)} MFLOP each in {number}"
    return Figure(stage, f"{what}, {unit}", found, limit, found.median / most)


def start_figures() -> Iterator[Figure]:
    """A command that only says what it can do."""
    found = startup.command_time(["run.py", "--help"])
    limit = startup.LIMIT
    yield Figure("start", "`run.py --help`, s", found, f"{limit} s", limit / found.median)


def film_figures() -> Iterator[Figure]:
    """`run.py pose` on a film, with all that it draws."""
    with tempfile.TemporaryDirectory() as name:
        clip, folder = Path(name) / "clip.mp4", Path(name) / "out"
        count = film_speed.write_clip(clip, 10)
        for backend in ("torch", "onnx"):
            found, _ = film_speed.film_rate(clip, count, folder, ("--backend", backend), 3)
            what = f"`run.py pose --mode lightweight --backend {backend}`, frames/s"
            yield Figure("film", what, found, "25, real time", found.median / REAL_TIME)


def data_figures() -> Iterator[Figure]:
    """What feeds the hourglass."""
    with tempfile.TemporaryDirectory() as name:
        batches = data_speed.batches_from_files(Path(name), 0)
        batch = next(iter(batches.epoch(0)))
        crops = rate(lambda: list(batches.epoch(0)), data_speed.COUNT)
    mannequins = rate(lambda: data_speed.mannequins(25, 1), 25)
    views = rate(lambda: data_speed.views_and_targets(batch), data_speed.BATCH)
    yield Figure("pictures", "mannequins of 256 px on one core, a second", mannequins)
    yield Figure("pictures", "decoded and cropped for 256 px, a second", crops)
    yield Figure("pictures", "views and targets of 256 px, a second", views)


def hourglass_figures() -> Iterator[Figure]:
    """The published sizes: 256 px, 256 features, two stacks."""
    device = device_kind()
    precision = pick_precision("auto", device)
    stage, batch = "hourglass, 2 stacks", hourglass_speed.BATCH
    step = hourglass_speed.our_step(Architecture(2), precision, device)
    yield multiplying(stage, f"training step, batch {batch}", step, batch, "pictures/s")
    for count in (1, 16):
        forward = hourglass_speed.our_inference(Architecture(2), precision, device, count)
        yield multiplying(stage, f"inference, batch {count}", forward, count, "pictures/s")


def lifter_figures() -> Iterator[Figure]:
    """Of single poses, 1,024 units."""
    count = lifter_speed.STEPS * 4096
    yield multiplying(
        "lifter", "training, batch 4096", lifter_speed.our_steps(4096), count, "poses/s"
    )
    yield Figure("lifter", "one pose at a time, poses/s", lifter_speed.alone())


def temporal_figures() -> Iterator[Figure]:
    """Of films, 27 frames, 1,024 channels."""
    step = temporal_speed.our_step(temporal_speed.motion_batches(), "view", True, "auto")
    batch, frames = temporal_speed.BATCH, temporal_speed.FILM_FRAMES
    yield multiplying("temporal lifter", f"training, batch {batch}", step, batch, "frames/s")
    sizes, device = temporal_speed.SIZES, temporal_speed.DEVICE
    network = TemporalNetwork(sizes).eval().to(device)
    film = torch.randn(frames, sizes.joints_in, 2, device=device)
    found = rate(lambda: float(lift_sequence(network, film)[0, 0, 0]), frames)
    yield Figure("temporal lifter", f"a film of {frames} frames, frames/s", found)


def stitched_figures() -> Iterator[Figure]:
    """`lightweight` and `lifter` as one network: crops in, 2D and 3D joints out."""
    model, people = StitchedModel.load(), mannequin_pictures("val", 32, 0)
    images, boxes, _ = next(plain_crops(people, model.resolution, len(people)))
    work = partial(model.keypoints, images, boxes, flip=False)
    yield Figure("stitched network", "joints of 32 crops, pictures/s", rate(work, len(boxes)))


def generative_figures() -> Iterator[Figure]:
    """Poses, dancers and motion made up."""
    gan = PoseGanTrainOptions()
    model = PoseGan(architecture_of(gan))
    # torch cannot count within a penalty on gradients.
    each = pose_gan_speed.gan_operations(model, gan.learning)
    steps = pose_gan_speed.steps_of(model, gan_training.FUNCTIONS, gan)
    count = pose_gan_speed.STEPS * gan.loop.train_batch_size
    how = gan.loop.precision
    yield multiplying("pose GAN", "training", steps, count, "poses/s", each, how)
    speed = skeleton_to_image_speed.SpeedOptions(image_size=128, features=12)
    dancer = skeleton_to_image_speed.options_of("vanilla_image", speed)
    train, draw, _ = skeleton_to_image_speed.steps_of(dancer)
    count = skeleton_to_image_speed.STEPS * speed.batch_size
    yield multiplying("dancer, 128 px", "training", train, count, "frames/s")
    drawn = rate(draw, speed.batch_size)
    yield Figure(
        "dancer, 128 px", "drawn, frames/s", drawn, "25, real time", drawn.median / REAL_TIME
    )
    bodies = motion_transfer_speed.BODIES
    motion = TransferTrainOptions(data=MotionDataOptions(mannequin_count=bodies))
    windows = motion_transfer_speed.STEPS * motion.loop.train_batch_size
    motion.losses = replace(motion.losses, epoch_windows=windows)
    moves, _ = motion_transfer_speed.train_steps(motion)
    yield multiplying(
        "motion transfer", "training", moves, windows * motion.losses.window, "frames/s"
    )


STAGES = (
    start_figures,
    film_figures,
    data_figures,
    hourglass_figures,
    lifter_figures,
    temporal_figures,
    stitched_figures,
    generative_figures,
)
