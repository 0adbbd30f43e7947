"""Frames a second of the temporal lifter: 27 frames, 1,024 channels, batches of 1,024.

    python -m benchmarks.temporal_speed [--peer FOLDER] [--precision bf16-mixed]

FOLDER is a clone of github.com/facebookresearch/VideoPose3D: its optimised network, generator of
batches, loss and update as its authors ship them, on the same films and device. Ours is a whole
step of `train.py`: windows cut or motion seen by drawn cameras, normalised, updated.
"""

import argparse
import math
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from benchmarks.peers import load_file
from benchmarks.timing import machine, multiply_rate, paired_rates, print_rows, rate, seconds
from twod_threed.data import measure_bodies
from twod_threed.detector_noise import read_table
from twod_threed.pairs import PosePairs
from twod_threed.temporal.data import FilmBatches, MotionWindows
from twod_threed.temporal.description import TemporalDescription
from twod_threed.temporal.films import bodies_of
from twod_threed.temporal.mannequin_clips import mannequin_clips
from twod_threed.temporal.model import TemporalArchitecture, TemporalNetwork, pad_sequence
from twod_threed.temporal.networks import TemporalNetworks
from twod_threed.temporal.options import Normalisation, train_defaults
from twod_threed.temporal.sequences import sequences_of
from twod_threed.temporal.streaming import CausalStream
from twod_threed.temporal.training import make_optimizer_fn, update_op
from twod_threed.temporal.updates import Lifting
from twod_threed.temporal.whole_sequence import lift_sequence
from twod_threed.temporal.windows import Reach, Windows
from twod_threed.views import stored_views
from utils.batches import Batches, Order, Plan
from utils.distributed import start_fabric
from utils.skeletons import H36M_17, MPII_16
from utils.training_functions import seeded_context

BATCH, RATE, BODIES = 1024, 25.0, 16
SIZES = TemporalArchitecture()
REACH = Reach.of(SIZES.receptive_field, causal=False)
FILM_FRAMES, HOUR_FRAMES = 4096, 90_000
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
Steps = Callable[[], None]


def outputs_of_layers(form: Literal["strided", "dilated", "film"]) -> list[int]:
    """Frames that the first layer and each block compute for a pose.

    The first two forms are given a window of as many frames as a pose is made from; in a film
    poses share what lies between.
    """
    seen = [math.prod(SIZES.widths[: layer + 1]) for layer in range(len(SIZES.widths))]
    if form == "strided":
        return [SIZES.receptive_field // frames for frames in seen]
    return [1 if form == "film" else SIZES.receptive_field - frames + 1 for frames in seen]


def operations(network: TemporalNetwork, outputs: list[int]) -> tuple[int, int]:
    """Floating-point operations of the matrices for a pose: (forward, a training step).

    Training also multiplies for the gradients of the weights and, but in the first layer, of what
    went in.
    """
    layers = [network.first, *network.blocks]
    sizes = [sum(p.numel() for p in layer.parameters() if p.ndim == 3) for layer in layers]
    each = [2 * size * count for size, count in zip(sizes, outputs, strict=True)]
    forward = sum(each) + 2 * network.last.weight.numel()
    return forward, 3 * forward - each[0]


def our_step(batches: Batches, normalisation: Normalisation, single: bool, precision: Any) -> Steps:
    """One training step, with everything that `train.py` does in it."""
    options = train_defaults("mannequin")
    options = replace(options, loop=replace(options.loop, precision=precision))
    fabric = start_fabric(options.loop, 0)
    description = TemporalDescription(SIZES, normalisation, standard_size=3000.0)
    networks = TemporalNetworks(description)
    model, optimizer = fabric.setup(networks, make_optimizer_fn(networks, options))
    model.train()
    lifting = Lifting(description.normaliser(fabric.device), read_table(), REACH, single)
    endless = (batch for epoch in range(sys.maxsize) for batch in batches.epoch(epoch))

    def step() -> None:
        context = seeded_context(fabric, options, options.optim, "training", (0, 0, 0, 0))
        losses = update_op(model, optimizer, next(endless), 0, context, lifting)
        float(losses["loss"])

    return step


def film_batches(pairs: PosePairs) -> FilmBatches:
    """Windows of films and their mirror images, as `train.py temporal_h36m` makes them."""
    windows = Windows(sequences_of(pairs), 1, REACH, DEVICE)
    plan = Plan(Order([2 * len(windows)], 0, shuffle=True), BATCH, True)
    return FilmBatches(pairs, windows, bodies_of(pairs), plan, mirror=True, device=DEVICE)


def motion_batches() -> MotionWindows:
    """Windows of motion seen by drawn cameras, as `train.py temporal_mocap` makes them."""
    store = mannequin_clips(0, 0, BODIES, RATE)
    known, clip = store.valid_of_frame(), store.clip_of_frame()
    bodies = measure_bodies(store.positions, known, store.subjects, clip)
    return MotionWindows(store, bodies, 1, REACH, BATCH, 100, 0, mirror=True, device=DEVICE)


def their_batches(folder: Path, pairs: PosePairs) -> Iterator[Any]:
    """(_, 3D poses, 2D poses) of the public generator, the same films in the picture's units."""
    size = pairs.image_size[pairs.camera].astype(np.float32)
    width, height = size[:, None, :1], size[:, None, 1:]
    points = pairs.poses_2d * 2 / width - np.concatenate([np.ones_like(width), height / width], 2)
    films = sequences_of(pairs)
    left_2d, right_2d = (list(side) for side in zip(*MPII_16.pairs, strict=True))
    left_3d, right_3d = (list(side) for side in zip(*H36M_17.pairs, strict=True))
    generator = load_file(folder, "common/generators.py").ChunkedGenerator(
        BATCH,
        None,
        [pairs.poses_3d[film] / 1000 for film in films],
        [points[film] for film in films],
        1,
        pad=REACH.before,
        augment=True,
        kps_left=left_2d,
        kps_right=right_2d,
        joints_left=left_3d,
        joints_right=right_3d,
        endless=True,
    )
    return (batch for batch in generator.next_epoch() if len(batch[1]) == BATCH)


def their_step(folder: Path, pairs: PosePairs) -> Steps:
    """One training step of the public program."""
    sizes: Any = {"filter_widths": list(SIZES.widths), "channels": SIZES.channels}
    network = load_file(folder, "common/model.py").TemporalModelOptimized1f
    model = network(SIZES.joints_in, 2, SIZES.joints_out, **sizes).to(DEVICE).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)
    loss_of = load_file(folder, "common/loss.py").mpjpe
    batches = their_batches(folder, pairs)

    def step() -> None:
        _, poses, points = next(batches)
        targets, inputs = (torch.from_numpy(a.astype("float32")) for a in (poses, points))
        targets = targets.to(DEVICE)
        targets[:, :, 0] = 0
        optimizer.zero_grad()
        loss = loss_of(model(inputs.to(DEVICE)), targets)
        loss.item()
        loss.backward()
        optimizer.step()

    return step


def training_rows(limit: float, peer: Path | None, precision: str) -> list[tuple[str, ...]]:
    """Steps beside the limit, the other form and the public program."""
    pairs = stored_views(mannequin_clips(0, 0, BODIES, RATE), 0)
    films, network = film_batches(pairs), TemporalNetwork(SIZES)
    strided, dilated = (our_step(films, "screen", one, precision) for one in (True, False))
    motion = our_step(motion_batches(), "view", True, precision)
    rows = []

    def add(name: str, step: Steps, form: Literal["strided", "dilated"], *other: Any) -> None:
        ratio = ""
        if other:
            found, theirs, pairwise = paired_rates(step, other[1], BATCH)
            ratio = f"{pairwise.median:.2f}x of {other[0]}, {theirs}"
        else:
            found = rate(step, BATCH)
        each = operations(network, outputs_of_layers(form))[1]
        rows.append((name, str(found), f"{found.median * each / limit:.0%}", ratio))

    public = ("the public loop", their_step(peer, pairs)) if peer else ()
    add("training step, films", strided, "strided", *public)
    add("training step, motion and drawn cameras", motion, "strided")
    add("with `--disable_optimizations`", dilated, "dilated", "the strided form", strided)
    return rows


def film_rows(limit: float, peer: Path | None) -> list[tuple[str, ...]]:
    """A film through the network, once and not mirrored."""
    network = TemporalNetwork(SIZES).eval().to(DEVICE)
    film = torch.randn(FILM_FRAMES, SIZES.joints_in, 2, device=DEVICE)

    def ours() -> None:
        float(lift_sequence(network, film)[0, 0, 0])

    if peer is None:
        found, ratio = rate(ours, FILM_FRAMES), ""
    else:
        make = load_file(peer, "common/model.py").TemporalModel
        public = make(SIZES.joints_in, 2, SIZES.joints_out, list(SIZES.widths)).eval().to(DEVICE)
        padded = pad_sequence(film[None], SIZES)
        theirs = torch.no_grad()(lambda: float(public(padded)[0, 0, 0, 0]))
        found, other, pairwise = paired_rates(ours, theirs, FILM_FRAMES)
        ratio = f"{pairwise.median:.2f}x of the public network, {other}"
    share = found.median * operations(network, outputs_of_layers("film"))[0] / limit
    return [(f"film of {FILM_FRAMES} frames", str(found), f"{share:.0%}", ratio)]


def print_hour() -> None:
    """An hour at 25 frames a second in one call: how long, and by how much memory grows."""
    network = TemporalNetwork(SIZES).eval().to(DEVICE)
    film = torch.randn(HOUR_FRAMES, SIZES.joints_in, 2, device=DEVICE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = seconds(lambda: lift_sequence(network, film).cpu())
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"an hour, {HOUR_FRAMES} frames: {took:.0f} s, {more:.0f} MB more memory")


def print_stream() -> None:
    """The causal network frame by frame, on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    stream = CausalStream(TemporalNetwork(replace(SIZES, causal=True)).eval())
    frames = torch.randn(200, SIZES.joints_in, 2)
    found = rate(lambda: [stream.push(frame) for frame in frames], len(frames))
    torch.set_num_threads(threads)
    print(f"frame by frame, one core: {1000 / found.median:.2f} ms a frame; {found} frames/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="clone of facebookresearch/VideoPose3D")
    parser.add_argument("--precision", default="32-true", choices=("32-true", "bf16-mixed"))
    chosen = parser.parse_args()
    print(machine())
    print_stream()
    print_hour()
    exact = multiply_rate(torch.float32, DEVICE)
    limit = exact if chosen.precision == "32-true" else multiply_rate(torch.bfloat16, DEVICE)
    print(f"limit: {limit / 1e9:.0f} GFLOP/s, (4096, 1024) x (1024, 1024) matrices")
    head = (f"temporal lifter, {chosen.precision}", "frames/s", "share of the limit", "beside it")
    rows = training_rows(limit, chosen.peer, chosen.precision) + film_rows(exact, chosen.peer)
    print_rows("Temporal", [head, *rows])


if __name__ == "__main__":
    main()
