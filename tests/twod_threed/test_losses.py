import pytest
import torch

from twod_threed.losses import pose_loss


def test_closed_forms_over_valid_joints_only() -> None:
    outputs = torch.zeros(2, 3, 3)
    targets = torch.tensor([3.0, 4.0, 0.0]).expand(2, 3, 3).clone()
    valid = torch.tensor([[True, True, False], [False, False, True]])
    targets[~valid] = float("nan")
    assert [float(v) for v in pose_loss(outputs, targets, valid, "mpjpe")] == [15.0, 3.0]
    assert [float(v) for v in pose_loss(outputs, targets, valid, "mse")] == [25.0, 3.0]


@pytest.mark.parametrize("kind", ["mse", "mpjpe"])
def test_gradients_are_finite_at_unknown_and_at_perfect_joints(kind: str) -> None:
    outputs = torch.zeros(1, 3, 3, requires_grad=True)
    targets = torch.tensor([[[0.0] * 3, [float("nan")] * 3, [1.0, 0, 0]]])
    total, _ = pose_loss(outputs, targets, torch.tensor([[True, False, True]]), kind)
    total.backward()
    assert outputs.grad is not None and outputs.grad.isfinite().all()
    assert (outputs.grad[0, :2] == 0).all() and outputs.grad[0, 2, 0] < 0


def test_unknown_kind() -> None:
    empty = torch.zeros(1, 1, 3)
    with pytest.raises(ValueError, match="mse, mpjpe"):
        pose_loss(empty, empty, torch.ones(1, 1, dtype=torch.bool), "l1")
