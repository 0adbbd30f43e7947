"""Batches of windows: what is in them, their mirror images, and their order."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.temporal.small_films import bodies, films, store
from twod_threed.data import measure_bodies
from twod_threed.detector_noise import read_table
from twod_threed.temporal.data import (
    FilmBatches,
    Minibatch,
    MotionWindows,
    PairedBatches,
    mirrored,
    spoil,
)
from twod_threed.temporal.options import WindowOptions
from twod_threed.temporal.sequences import sequences_of
from twod_threed.temporal.windows import Reach, Windows
from twod_threed.views import project_mpii
from utils.batches import Order, Plan
from utils.skeletons import H36M_17, MPII_16

FIELD = 5


def film_batches(
    stride: int = 1, size: int = 4, mirror: bool = False, shuffle: bool = False, **more: Any
) -> FilmBatches:
    pairs = films()
    windows = Windows(sequences_of(pairs), stride, Reach.of(FIELD, False))
    plan = Plan(Order([len(windows) * (1 + mirror)], 3, shuffle), size, drop_last=False)
    return FilmBatches(pairs, windows, bodies(pairs), plan, mirror, **more)


def motion_windows(
    lengths: dict[str, int], windows: int, steps: int = 2, seed: int = 1, **more: Any
) -> MotionWindows:
    one = store(lengths)
    found = measure_bodies(one.positions, one.valid_of_frame(), one.subjects, one.clip_of_frame())
    return MotionWindows(one, found, 1, Reach.of(FIELD, False), windows, steps, seed, **more)


def project_windows(batch: Minibatch, frames: slice) -> torch.Tensor:
    """Exact 2D joints of the 3D poses of a batch."""
    poses = batch["poses_3d"][:, frames]
    count = poses.shape[1]
    lens = batch["intrinsics"].repeat_interleave(count, 0)
    bend = batch["distortion"].repeat_interleave(count, 0) if "distortion" in batch else None
    return project_mpii(poses.flatten(0, 1), lens, bend).unflatten(0, (-1, count))


@pytest.mark.parametrize("stride", [1, 4])
def test_batches_are_rows_of_the_films(stride: int) -> None:
    batches = film_batches(stride)
    pairs, rows = films(), batches.windows.choose(torch.arange(len(batches.windows)))
    made = list(batches.epoch(0))
    whole = {name: torch.cat([batch[name] for batch in made]) for name in made[0]}
    assert np.array_equal(whole["poses_2d"], pairs.poses_2d[rows.inputs])
    assert np.array_equal(whole["poses_3d"], pairs.poses_3d[rows.outputs])
    camera = pairs.camera[rows.outputs[:, 0]]
    for name in ("intrinsics", "image_size", "distortion"):
        assert np.allclose(whole[name], getattr(pairs, name)[camera])
    assert whole["size"].tolist() == (3300 + camera).tolist()
    assert whole["valid"].all()


def test_in_whole_films_every_frame_counts_once() -> None:
    valid = torch.cat([batch["valid"] for batch in film_batches(4, whole_films=True).epoch(0)])
    assert len(valid) * 4 > 15 and int(valid.sum()) == 15 * 17


def test_a_mirror_image_is_what_the_mirrored_camera_sees_of_the_mirrored_person() -> None:
    batch = next(film_batches(4, size=5).epoch(0))
    seen = batch["poses_2d"][:, 2:-2]
    assert torch.allclose(project_windows(batch, slice(None)), seen, atol=0.02)
    flipped = mirrored(batch, torch.ones(5, dtype=torch.bool), MPII_16, H36M_17)
    assert torch.allclose(
        project_windows(flipped, slice(None)), flipped["poses_2d"][:, 2:-2], atol=0.02
    )
    knee, other = MPII_16.indices("left_knee", "right_knee")
    width = batch["image_size"][:, None, 0]
    assert torch.equal(
        flipped["poses_2d"][:, :, knee, 0], width - batch["poses_2d"][:, :, other, 0]
    )
    assert torch.equal(flipped["poses_2d"][:, :, knee, 1], batch["poses_2d"][:, :, other, 1])
    knee, other = H36M_17.indices("left_knee", "right_knee")
    assert torch.equal(flipped["poses_3d"][:, :, knee, 0], -batch["poses_3d"][:, :, other, 0])
    assert torch.equal(flipped["distortion"][:, 4], -batch["distortion"][:, 4])
    assert torch.equal(flipped["distortion"][:, :4], batch["distortion"][:, :4])


def test_a_mirror_of_a_mirror_changes_nothing() -> None:
    batch = next(film_batches(4, size=5).epoch(0))
    batch["valid"][0, 1, H36M_17.index("left_wrist")] = False
    batch["poses_2d"][1, 3, MPII_16.index("right_knee")] = torch.nan
    which = torch.tensor([True, False, True, True, False])
    once = mirrored(batch, which, MPII_16, H36M_17)
    assert not once["valid"][0, 1, H36M_17.index("right_wrist")]
    assert all(torch.equal(once[key][1], batch[key][1]) for key in ("poses_3d", "intrinsics"))
    twice = mirrored(once, which, MPII_16, H36M_17)
    for name, values in batch.items():
        assert torch.allclose(values.float(), twice[name].float(), atol=1e-4, equal_nan=True), name


def test_the_second_half_of_the_samples_are_mirror_images_of_the_first() -> None:
    batches = film_batches(size=30, mirror=True)
    (batch,) = batches.epoch(0)
    assert len(batch["size"]) == 30
    first = {name: values[:15] for name, values in batch.items()}
    again = mirrored(first, torch.ones(15, dtype=torch.bool), MPII_16, H36M_17)
    assert all(torch.equal(again[name], batch[name][15:]) for name in batch)


def test_film_batches_can_be_entered_anywhere() -> None:
    whole = [batch["poses_2d"] for batch in film_batches(mirror=True, shuffle=True).epoch(1)]
    late = [batch["poses_2d"] for batch in film_batches(mirror=True, shuffle=True).epoch(1, 3)]
    assert len(whole) == 8 and all(map(torch.equal, whole[3:], late))
    assert not torch.equal(
        whole[0], next(film_batches(mirror=True, shuffle=True).epoch(0))["poses_2d"]
    )


def test_motion_windows_are_a_clip_seen_by_a_camera_that_holds_still() -> None:
    batches = motion_windows({"a/1": 30, "b/1": 3}, 40)
    batch = next(batches.epoch(0))
    assert batch["poses_2d"].shape == (40, FIELD, 16, 2)
    assert batch["poses_3d"].shape == (40, 1, 17, 3) and (batch["poses_3d"][..., 2] > 0).all()
    middle = batch["poses_2d"][:, 2:3]
    assert torch.allclose(project_windows(batch, slice(None)), middle, atol=0.05)
    # Distances within the pose are those of a stored frame, whose neighbours stand around it.
    one = store({"a/1": 30, "b/1": 3})
    stored = torch.cdist(torch.from_numpy(one.positions), torch.from_numpy(one.positions))
    seen = torch.cdist(batch["poses_3d"][:, 0], batch["poses_3d"][:, 0])
    apart = torch.cdist(seen.flatten(1), stored.flatten(1), p=torch.inf)
    assert apart.amin(1).max() < 1.0
    frame = apart.argmin(1)
    short = frame >= 30
    assert 0 < int(short.sum()) < 40
    # Of three frames, windows of five hold copies of the first or the last.
    points = batch["poses_2d"][short]
    first, last = frame[short] == 30, frame[short] == 32
    assert torch.equal(points[first, 0], points[first, 2])
    assert torch.equal(points[last, 4], points[last, 2])
    assert not torch.equal(points[first, 3], points[first, 2])


def test_data_sets_and_their_subjects_are_drawn_evenly() -> None:
    batches = motion_windows({"a/1": 5, "b/1": 300, "b/2": 20}, 2000)
    sizes = batches.draw(torch.Generator().manual_seed(0))["size"]
    shares = [float((sizes == size).float().mean()) for size in batches.frames.sizes]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.04)


def handedness(poses: torch.Tensor) -> torch.Tensor:
    """Volume between joints of (B, 17, 3), which changes its sign in a mirror alone."""
    hip, *ends = H36M_17.indices("hip", "left_hip", "head", "right_wrist")
    return torch.linalg.det((poses[:, ends] - poses[:, [hip]]).double()) / 1e6


@pytest.mark.parametrize("mirror", [False, True])
def test_half_of_the_motion_is_in_a_mirror(mirror: bool) -> None:
    batches = motion_windows({"a/1": 12}, 400, mirror=mirror)
    poses = batches.draw(torch.Generator().manual_seed(0))["poses_3d"][:, 0]
    stored = batches.positions
    exchanged = stored[:, list(H36M_17.flip_order)]
    both = torch.cat([stored, exchanged])
    distances = torch.cdist(both, both).flatten(1)
    apart = torch.cdist(torch.cdist(poses, poses).flatten(1), distances, p=torch.inf)
    assert apart.amin(1).max() < 1.0
    number = apart.argmin(1)
    assert float((number >= 12).float().mean()) == pytest.approx(0.5 * mirror, abs=0.08)
    # Left and right joints change places, and the person is reflected.
    expected = torch.cat([handedness(stored), -handedness(exchanged)])[number]
    assert torch.allclose(handedness(poses), expected, atol=0.1)


def test_motion_windows_can_be_entered_anywhere() -> None:
    lengths = {"a/1": 30}
    whole = [batch["poses_2d"] for batch in motion_windows(lengths, 8, 3).epoch(1)]
    late = [batch["poses_2d"] for batch in motion_windows(lengths, 8, 3).epoch(1, 2)]
    assert len(whole) == 3 and torch.equal(whole[2], late[0])
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole[0], next(motion_windows(lengths, 8, 3).epoch(0))["poses_2d"])
    other = motion_windows(lengths, 8, 3, seed=2)
    assert not torch.equal(whole[0], next(other.epoch(1))["poses_2d"])


def test_unlabelled_batches_go_on_over_the_epochs() -> None:
    labelled, others = film_batches(size=6), film_batches(size=4, shuffle=True)
    both = PairedBatches(labelled, others)
    assert (len(labelled), len(others), len(both)) == (3, 4, 3)
    found = [batch for epoch in range(3) for batch in both.epoch(epoch)]
    endless = [batch for epoch in range(3) for batch in others.epoch(epoch)]
    for batch, other in zip(found, endless[:9], strict=True):
        assert torch.equal(batch["unlabelled_poses_2d"], other["poses_2d"])
        assert torch.equal(batch["unlabelled_distortion"], other["distortion"])
        assert not {"unlabelled_poses_3d", "unlabelled_valid"} & batch.keys()
    late = next(both.epoch(2, 1))
    assert torch.equal(late["unlabelled_poses_2d"], endless[7]["poses_2d"])


def test_noise_is_drawn_anew_for_every_frame() -> None:
    points = torch.rand(1, 1, 16, 2).repeat(50, 7, 1, 1) * 400
    table, one = read_table(), torch.Generator().manual_seed(0)
    assert torch.equal(spoil(points, WindowOptions(), table, one), points)
    noisy = spoil(points, WindowOptions(input_noise=1.0), table, one)
    assert not torch.equal(noisy[:, 0].nan_to_num(), noisy[:, 1].nan_to_num())
    # Some windows have nearly none, others all of it.
    error = (noisy - points).norm(dim=-1).flatten(1).nanmedian(1).values
    assert error.max() > 5 * error.min()
    dropped = spoil(points, WindowOptions(drop_joint_prob=0.3), table, one)
    assert float(dropped[..., 0].isnan().float().mean()) == pytest.approx(0.3, abs=0.03)
    assert not torch.equal(dropped[:, 0].isnan(), dropped[:, 1].isnan())
