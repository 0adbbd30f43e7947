"""What the network sees of a minibatch, and whether it can learn it."""

import pytest
import torch

from tests.twod_threed.temporal.small_films import bodies, films
from twod_threed.detector_noise import read_table
from twod_threed.losses import joint_errors, pose_loss
from twod_threed.temporal.data import FilmBatches, Minibatch
from twod_threed.temporal.model import TemporalArchitecture, TemporalNetwork
from twod_threed.temporal.normalisation import TemporalNormaliser
from twod_threed.temporal.options import Normalisation, WindowOptions
from twod_threed.temporal.sequences import sequences_of
from twod_threed.temporal.updates import Lifting, normalise, split_batch
from twod_threed.temporal.windows import Reach, Windows
from utils.batches import Order, Plan
from utils.skeletons import H36M_17, MPII_16

REACH = Reach.of(9, False)


def lifting(kind: Normalisation = "screen", reach: Reach = REACH) -> Lifting:
    names = ("mpii_16", MPII_16.joints, "h36m_17", H36M_17.joints)
    return Lifting(TemporalNormaliser(kind, *names, 3300.0), read_table(), reach, single=True)


def minibatch(stride: int = 1, reach: Reach = REACH) -> Minibatch:
    pairs = films((9, 7), bent=False)
    windows = Windows(sequences_of(pairs), stride, reach)
    plan = Plan(Order([len(windows)], 0, shuffle=False), 16, drop_last=False)
    return next(FilmBatches(pairs, windows, bodies(pairs), plan).epoch(0))


@pytest.mark.parametrize("kind", ["screen", "view"])
@pytest.mark.parametrize("causal", [False, True])
def test_targets_are_those_of_the_frames_that_are_answered(
    kind: Normalisation, causal: bool
) -> None:
    reach = Reach.of(9, causal)
    one = lifting(kind, reach)
    batch = minibatch(4, reach)
    found = normalise(batch, one)
    assert found.points.shape[1] == 12 and found.targets.shape[1] == 4
    size = batch["size"] if kind == "view" else None
    back = one.normaliser.poses(found.targets, found.view, size)
    hip = batch["poses_3d"][:, :, [H36M_17.root]]
    assert torch.allclose(back, batch["poses_3d"] - hip, atol=0.05)
    assert torch.allclose(found.roots * 1000, hip, atol=0.01)


def test_what_cannot_be_known_does_not_count() -> None:
    batch = minibatch()
    wrist, head = H36M_17.indices("left_wrist", "head")
    batch["poses_3d"][0, 0, wrist] = torch.nan
    batch["valid"][0, 0, wrist] = False
    batch["valid"][1, 0, head] = False
    batch["poses_2d"][2, REACH.before, 2:] = torch.nan
    one = normalise(batch, lifting())
    assert one.points.isfinite().all() and one.targets[one.valid].isfinite().all()
    assert one.valid.sum((1, 2))[:4].tolist() == [16, 16, 0, 17]
    outputs = torch.zeros_like(one.targets, requires_grad=True)
    total, count = pose_loss(outputs, one.targets, one.valid, "mpjpe")
    total.backward()
    assert int(count) == int(one.valid.sum()) and outputs.grad is not None
    assert (outputs.grad[~one.valid] == 0).all() and outputs.grad.isfinite().all()


def test_both_halves_of_a_batch_get_errors_of_their_own() -> None:
    batch = minibatch()
    both = batch | {f"unlabelled_{name}": value for name, value in batch.items()}
    draw = torch.Generator().manual_seed(0)
    first, second = split_batch(both, WindowOptions(drop_joint_prob=0.5), read_table(), draw)
    assert first.keys() == second.keys() == batch.keys()
    assert not torch.equal(first["poses_2d"].isnan(), second["poses_2d"].isnan())
    assert torch.equal(batch["poses_2d"], both["poses_2d"])
    assert split_batch(batch, WindowOptions(), read_table(), draw)[1] == {}


@pytest.mark.parametrize("kind", ["screen", "view"])
def test_a_few_windows_are_learnt_to_under_8_mm(kind: Normalisation) -> None:
    torch.manual_seed(0)
    one, batch = lifting(kind), minibatch()
    model = TemporalNetwork(TemporalArchitecture(widths=(3, 3), channels=64, dropout=0.0))
    optimizer = torch.optim.Adam(model.parameters(), 3e-3, amsgrad=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
    found = normalise(batch, one)
    for _ in range(200):
        optimizer.zero_grad()
        outputs = model.forward_single(found.points)[:, None]
        total, count = pose_loss(outputs, found.targets, found.valid, "mpjpe")
        (total / count).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        poses = one.normaliser.poses(model.forward_single(found.points)[:, None], found.view)
    truth = batch["poses_3d"] - batch["poses_3d"][:, :, [H36M_17.root]]
    if kind == "view":
        truth = truth * (3300 / batch["size"])[:, None, None, None]
    total, count = joint_errors(poses, truth, batch["valid"])
    assert float(total / count) < 8.0
