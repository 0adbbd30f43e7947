"""What the training of the GAN and of the VAE share: data, run folder, loop, samples at the end."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from generative_models.pose_gan.data import PoolBatches, PosePool, pose_pools
from generative_models.pose_gan.description import PoseModelDescription
from generative_models.pose_gan.inference import rows_of_samples
from generative_models.pose_gan.losses import energy_distance
from generative_models.pose_gan.model import BoneScale, PoseArchitecture
from generative_models.pose_gan.options import PoseGanTrainOptions, PoseVaeTrainOptions
from generative_models.pose_gan.predictor import load_sampler
from generative_models.pose_gan.representation import STANDARD_SIZE, to_joints
from utils.batches import MemoryBatches, Order, Plan
from utils.checkpoint import all_people
from utils.distributed import on_rank_zero
from utils.pose_file import write_poses
from utils.run_folder import find_start, run_folder
from utils.seeds import derive_seed
from utils.training_functions import TrainingFunctions
from utils.training_loop import train_loop

TrainOptions = PoseGanTrainOptions | PoseVaeTrainOptions
_MEASURED = 50_000
"""Poses that typical bones are measured on."""


@dataclass(frozen=True)
class PoseData:
    """What a run works on, for this process."""

    train: PoolBatches
    validation: MemoryBatches
    """"bones" (B, 15, 3) of people who were kept out, "training" (B, 15, 3) of those who train"""
    pool: PosePool
    """the poses that train"""


def pose_data(options: TrainOptions, fabric: Fabric) -> PoseData:
    """Read what the options ask for. Raises UserError for what is absent or says nothing."""
    data, loop, seed = options.data, options.loop, options.run.seed
    rank, world_size = fabric.global_rank, fabric.world_size
    held_out, pool = pose_pools(data, ("val", "train"), seed, fabric.device)
    fixed = torch.Generator().manual_seed(derive_seed("validation poses", seed))
    known = {
        "bones": held_out.draw(data.validation_poses, fixed),
        "training": pool.draw(data.validation_poses, fixed),
    }
    order = Order([data.validation_poses], seed, shuffle=False)
    still = Plan(order, loop.test_batch_size, False, rank, world_size)
    steps = max(1, data.epoch_poses // (loop.train_batch_size * world_size))
    train = PoolBatches(pool, loop.train_batch_size, steps, seed, rank)
    return PoseData(train, MemoryBatches(known, still), pool)


def architecture_of(options: TrainOptions) -> PoseArchitecture:
    """The sizes that the options ask for."""
    return PoseArchitecture(**asdict(options.network))


def measure_scale(scale: BoneScale, pool: PosePool, seed: int) -> None:
    """Measure typical bones on poses drawn as those that train."""
    generator = torch.Generator().manual_seed(derive_seed("typical bones", seed))
    scale.measure(pool.draw(_MEASURED, generator))


def distances_to_real(made: Tensor, minibatch: dict[str, Tensor]) -> dict[str, tuple[Tensor, int]]:
    """Energy distances, mm, between the joints of made poses and of two kinds of real ones, times
    the number of poses; and that number.

    made (N, 15, 3): bones of size 1, taken as those of a standard body. `energy_distance` is the
    one to poses that train: it says how far learning has come, and cannot be had by heart, since
    made poses are new ones. `held_out_distance` is the one to people who were kept out, who move
    differently. One pose alone has no distance, and is not counted.
    """
    count = len(made) if len(made) > 1 else 0

    def joints(bones: Tensor) -> Tensor:
        return to_joints(bones.float()).flatten(1) * STANDARD_SIZE

    def distance(real: Tensor) -> tuple[Tensor, int]:
        found = energy_distance(joints(made), joints(real)) if count else made.new_zeros(())
        return found * count, count

    return {
        "energy_distance": distance(minibatch["training"]),
        "held_out_distance": distance(minibatch["bones"]),
    }


def finish_run(folder: Path, options: TrainOptions) -> None:
    """Make up as many poses as validate, with the run's best weights: predictions.npz."""
    sampler = load_sampler(str(folder), options.loop.accelerator)
    poses = sampler.sample(options.data.validation_poses, options.run.seed)
    write_poses(folder / "predictions.npz", rows_of_samples(poses, folder.name))
    print(f"weights: {folder / 'best.safetensors'}\nsamples: {folder / 'predictions.npz'}")


def train_model(
    make_model: Callable[[PoseArchitecture], nn.Module],
    kind: str,
    functions: TrainingFunctions,
    options: TrainOptions,
    fabric: Fabric,
) -> int:
    """Train a model that has a `scale` (BoneScale), then sample its best weights. -> exit code."""
    run_name = f"{options.data.subcommand}_{options.run.exp}"
    # The loop asks again; asked here, a name in use is told before the data are read.
    start = on_rank_zero(fabric, lambda: find_start(options.run, run_name))
    data = pose_data(options, fabric)
    architecture = architecture_of(options)
    model = make_model(architecture)
    scale = model.scale
    assert isinstance(scale, BoneScale)
    measure_scale(scale, data.pool, options.run.seed)
    training_data = ", ".join(sorted(set(data.pool.sources)))
    people = all_people(data.pool.subjects, start)
    metadata = PoseModelDescription(kind, architecture).as_metadata()
    state = train_loop(
        model,
        data.train,
        data.validation,
        functions,
        options.run,
        options.loop,
        options.optim,
        run_name,
        fabric=fabric,
        options=options,
        metadata=metadata | {"training_data": training_data, "people": list(people)},
    )
    if state.stop_reason == "interrupted":
        return 130
    if fabric.is_global_zero:
        finish_run(run_folder(options.run, run_name), options)
    return 0
