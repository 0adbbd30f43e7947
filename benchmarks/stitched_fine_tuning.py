"""Fine-tuning end to end beside retraining the lifter alone: the same minutes, the same data.

    python -m benchmarks.stitched_fine_tuning --minutes 30 [--hourglass NAME] [--lifter NAME]

All start from the same two networks and learn from the same mannequin pictures, which are rendered
before the clock starts:

    as they are     the two networks joined by the soft-argmax, nothing trained
    lifter          `--freeze hourglass`: the lifter on what the soft-argmax says of random views
    lifter, kept    the lifter on what it said once of every picture, which leaves more steps; the
                    look at the pictures counts
    end to end      both, with 3D and heatmap loss

The last validation or the best one before it decides the weights; the errors are of other pictures,
which none has seen. Runs stay in --output_dir, and what is there is not trained again.
"""

import argparse
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from benchmarks.timing import machine, print_rows
from stitched.network.data import PicturedPairs
from stitched.network.evaluation import place_errors, score_3d
from stitched.network.loading import open_network
from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.options import (
    DataOptions,
    JoinOptions,
    LearningOptions,
    StitchedTrainOptions,
)
from stitched.network.predictor import StitchedModel, find_pairs
from stitched.network.training import train
from twod_threed.model import LifterArchitecture
from twod_threed.options import DataOptions as LifterDataOptions
from twod_threed.options import LifterNetworkOptions, LifterTrainOptions, train_defaults
from twod_threed.pairs import PosePairs, join_pairs, write_pairs
from twod_threed.training import train as train_lifter
from utils.options import RunOptions
from utils.pose_file import write_poses

SEED = 234
MEASURES = ("MPJPE", "P-MPJPE", "N-MPJPE")


def fine_tune(chosen: argparse.Namespace, name: str, freeze: str) -> StitchedModel:
    """`train.py stitched_mannequin` for the minutes asked for, unless its run is there."""
    folder = chosen.output_dir / f"stitched_mannequin_{name}"
    defaults = StitchedTrainOptions()
    if not (folder / "best.safetensors").is_file():
        options = StitchedTrainOptions(
            run=_run(chosen, name),
            loop=replace(defaults.loop, epochs=10_000, max_minutes=chosen.minutes),
            optim=replace(defaults.optim, lr=chosen.lr),
            join=_join(chosen),
            learning=LearningOptions(freeze=freeze),  # pyright: ignore[reportArgumentType]
            data=DataOptions(mannequin_count=chosen.pictures, held_out_count=chosen.held_out),
        )
        train(options)
    return StitchedModel.load(str(folder))


def retrain_on_kept(chosen: argparse.Namespace) -> StitchedModel | None:
    """The lifter's own training on the soft-argmax's joints of every training picture; None if the
    minutes are over once every picture was looked at."""
    folder = chosen.output_dir / "2d3d_mocap_kept"
    if not (folder / "best.safetensors").is_file():
        begin = time.monotonic()
        model = StitchedModel.load(join=_join(chosen))
        pairs = [_seen(model, people) for people in _people(chosen, "train", "val")]
        write_pairs(chosen.output_dir / "kept.npz", join_pairs(pairs))
        left = chosen.minutes - (time.monotonic() - begin) / 60
        if left <= 0:
            return None
        options = _kept_options(chosen, model.description.lifter.architecture, left, pairs[1])
        train_lifter(options)
    return _same_size(replace(_join(chosen), load_2d3d=str(folder)), _join(chosen))


def _kept_options(
    chosen: argparse.Namespace,
    architecture: LifterArchitecture,
    minutes: float,
    validation: PosePairs,
) -> LifterTrainOptions:
    """Of `train.py 2d3d_mocap` on kept.npz, from the lifter's weights."""
    defaults = train_defaults("mocap")
    parts = {one.name: getattr(architecture, one.name) for one in fields(LifterNetworkOptions)}
    run = _run(chosen, "kept")
    run.load = chosen.lifter
    return replace(
        defaults,
        run=run,
        loop=replace(defaults.loop, epochs=10_000, max_minutes=minutes),
        optim=replace(defaults.optim, lr=chosen.lr),
        network=LifterNetworkOptions(**parts),
        augmentation=replace(defaults.augmentation, flip_prob=0.0),
        data=LifterDataOptions(
            dataset="mocap",
            data_dir=str(chosen.output_dir / "kept.npz"),
            val_subjects=tuple(validation.clip_subjects.tolist()),
        ),
    )


def _same_size(trained: JoinOptions, start: JoinOptions) -> StitchedModel:
    """The network of `trained`, which answers in the size of the body that `start` answers in: a
    new lifter takes over the size of its training bodies, and poses alone are compared here."""
    network, before = open_network("", trained), open_network("", start).description.lifter
    lifter = replace(network.description.lifter, standard_size=before.standard_size)
    network.description = replace(network.description, lifter=lifter)
    return StitchedModel(network)


def _run(chosen: argparse.Namespace, name: str) -> RunOptions:
    folder = str(chosen.output_dir)
    return RunOptions(exp=name, checkpoint_dir=folder, tb_dir=folder, overwrite=True, seed=SEED)


def _join(chosen: argparse.Namespace) -> JoinOptions:
    return JoinOptions(load_hourglass=chosen.hourglass, load_2d3d=chosen.lifter)


def _people(chosen: argparse.Namespace, *splits: str) -> list[PicturedPairs]:
    counts = {"train": chosen.pictures, "val": chosen.held_out, "test": chosen.held_out}
    return [mannequin_pictures(split, counts[split], SEED) for split in splits]


def _seen(model: StitchedModel, people: PicturedPairs) -> PosePairs:
    """The pairs with what the soft-argmax says in place of the exact joints."""
    found = find_pairs(model, people, flip=False, batch_size=32)
    return replace(people.pairs, poses_2d=found.keypoints_2d)


def errors(model: StitchedModel, people: PicturedPairs, path: Path) -> tuple[str, ...]:
    """3D errors, mm, and the mean 2D error in px and per cent of the box, without mirroring."""
    found = find_pairs(model, people, flip=False, batch_size=32)
    assert found.intrinsics is not None
    write_poses(path, model.lift(found, found.intrinsics))
    scores = score_3d(path.stem, path, people).main
    places = place_errors(found, people)["mean"]
    values = (*(scores.mean(measure) for measure in MEASURES), *places)
    return tuple(f"{value:.2f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="of each training")
    parser.add_argument("--hourglass", default="lightweight")
    parser.add_argument("--lifter", default="lifter")
    parser.add_argument("--pictures", type=int, default=5000, help="that train")
    parser.add_argument("--held_out", type=int, default=500, help="that validate, and that test")
    parser.add_argument("--lr", type=float, default=StitchedTrainOptions().optim.lr)
    parser.add_argument("--output_dir", type=Path, default=Path("visualizations/stitched_tuning"))
    chosen = parser.parse_args()
    _people(chosen, "train", "val")
    (test,) = _people(chosen, "test")
    models = {
        "as they are": lambda: StitchedModel.load(join=_join(chosen)),
        "lifter": lambda: fine_tune(chosen, "lifter", "hourglass"),
        "lifter, kept": lambda: retrain_on_kept(chosen),
        "end to end": lambda: fine_tune(chosen, "end_to_end", "none"),
    }
    rows: list[tuple[str, ...]] = [
        ("trained", *(f"{m}, mm" for m in MEASURES), "2D, px", "% of box")
    ]
    for number, (name, make) in enumerate(models.items()):
        model, path = make(), chosen.output_dir / f"test_{number}.npz"
        cells = errors(model, test, path) if model else ("too few minutes", *[""] * 4)
        rows.append((name, *cells))
    print(machine())
    size = f"{chosen.pictures} pictures, tested on {len(np.unique(test.pairs.subjects))}"
    print_rows(f"{chosen.hourglass} and {chosen.lifter}, {chosen.minutes:g} minutes, {size}", rows)


if __name__ == "__main__":
    main()
