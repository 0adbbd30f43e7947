import torch

from stacked_hourglass.losses import heatmap_loss, joint_losses, joint_weights, without_worst
from stacked_hourglass.targets import make_heatmaps

PLACES = torch.tensor([[[2.0, 3.0], [5.5, 4.25]]])
TARGETS = make_heatmaps(PLACES, 8, 8, 1.0)


def test_mse_is_the_mean_over_the_map() -> None:
    scores = TARGETS[None] + 0.5
    torch.testing.assert_close(joint_losses(scores, TARGETS, "mse"), torch.full((1, 1, 2), 0.25))


def test_cross_entropy_is_the_divergence_that_torch_computes() -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, 1, 2, 8, 8)
    target = TARGETS.flatten(-2) / TARGETS.flatten(-2).sum(-1, keepdim=True)
    expected = torch.nn.functional.kl_div(
        scores.flatten(-2).log_softmax(-1), target.expand(3, -1, -1, -1), reduction="none"
    ).sum(-1)
    torch.testing.assert_close(joint_losses(scores, TARGETS, "cross_entropy"), expected)


def test_a_perfect_map_has_no_loss() -> None:
    assert joint_losses(TARGETS[None], TARGETS, "mse").abs().max() == 0
    perfect = TARGETS.clamp_min(1e-30).log()[None]
    assert joint_losses(perfect, TARGETS, "cross_entropy").abs().max() < 1e-5


def test_a_missing_joint_never_enters_the_loss_or_its_gradient() -> None:
    for kind in ("mse", "cross_entropy"):
        scores = torch.randn(2, 1, 2, 8, 8, requires_grad=True)
        targets = torch.stack([TARGETS[:, 0], torch.zeros(1, 8, 8)], dim=1)
        total, count = heatmap_loss(scores, targets, torch.tensor([[True, False]]), kind)
        total.backward()
        assert int(count) == 1
        assert scores.grad is not None
        assert scores.grad[:, :, 1].abs().max() == 0 < scores.grad[:, :, 0].abs().max()
        alone, _ = heatmap_loss(scores[:, :, :1], TARGETS[:, :1], torch.tensor([[True]]), kind)
        torch.testing.assert_close(total, alone)


def test_without_intermediate_supervision_only_the_last_stack_learns() -> None:
    scores = torch.randn(3, 1, 2, 8, 8, requires_grad=True)
    present = torch.ones(1, 2, dtype=torch.bool)
    every, _ = heatmap_loss(scores, TARGETS, present, "mse")
    last, _ = heatmap_loss(scores, TARGETS, present, "mse", intermediate_supervision=False)
    last.backward()
    assert scores.grad is not None
    assert scores.grad[:2].abs().max() == 0 < scores.grad[2].abs().max()
    torch.testing.assert_close(last, joint_losses(scores, TARGETS, "mse")[-1].sum())
    assert every > last


def test_hidden_joints_weigh_what_they_are_told_to() -> None:
    present = torch.tensor([[True, True, True, False]])
    seen = torch.tensor([[1.0, 0.0, torch.nan, 0.0]])
    weights = joint_weights(present, seen, 0.25)
    assert weights.tolist() == [[1, 0.25, 1, 0]]
    scores = torch.randn(2, 1, 2, 8, 8)
    total, count = heatmap_loss(scores, TARGETS, weights[:, :2], "cross_entropy")
    each = joint_losses(scores, TARGETS, "cross_entropy").sum(0)[0]
    torch.testing.assert_close(total, each[0] + 0.25 * each[1])
    assert count == 1.25


def test_the_worst_joints_are_left_out() -> None:
    weights = torch.tensor([[1.0, 1.0, 0.0], [0.5, 1.0, 1.0]])
    losses = torch.tensor([[3.0, 1.0, 99.0], [9.0, 2.0, 4.0]])
    assert without_worst(weights, losses, 0.4).tolist() == [[1, 1, 0], [0, 1, 0]]
    assert without_worst(weights, losses, 0.19) is weights


def test_a_trimmed_joint_teaches_nothing() -> None:
    scores = (6 * TARGETS)[None].clone().requires_grad_()
    wrong = TARGETS.clone()
    wrong[:, 1] = TARGETS[:, 1].flip(-1)
    total, count = heatmap_loss(scores, wrong, torch.ones(1, 2), "cross_entropy", trimmed=0.5)
    total.backward()
    assert int(count) == 1 and scores.grad is not None
    assert scores.grad[:, :, 1].abs().max() == 0 < scores.grad[:, :, 0].abs().max()
