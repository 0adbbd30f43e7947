import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from utils.errors import UserError
from utils.meters import LossMeans, Magnitudes
from utils.moving_average import MovingAverage

FABRIC = Fabric(accelerator="cpu", devices=1)


def test_update_is_measured_not_guessed():
    model = nn.Linear(1, 2, bias=False)
    model.weight.data = torch.tensor([[3.0], [4.0]])
    frozen = nn.Linear(1, 1).requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(2):
        meter = Magnitudes(nn.ModuleList([model, frozen]))
        optimizer.zero_grad()
        (model.weight * torch.tensor([[6.0], [8.0]])).sum().backward()  # a gradient of norm 10
        optimizer.step()
        found = meter.after_step()
        # Momentum: the first update is lr * g, the second lr * (0.9 g + g).
        update = 0.1 * 10 * (1 if step == 0 else 1.9)
        weight = 5 - update if step == 0 else 5 - 1 - update
        assert found["gradient_magnitude"] == pytest.approx(10)
        assert found["update_magnitude"] == pytest.approx(update, rel=1e-5)
        assert found["parameter_magnitude"] == pytest.approx(weight, rel=1e-5)
        assert found["update_ratio"] == pytest.approx(update / weight, rel=1e-5)
    optimizer.zero_grad(set_to_none=True)
    assert "gradient_magnitude" not in Magnitudes(model).after_step()


def test_means_are_over_the_steps_that_had_a_loss():
    means = LossMeans(FABRIC, {"a": (3.0, 1)})
    means.add(0, {"a": torch.tensor(1.0, requires_grad=True), "b": 5.0})
    means.add(1, {"a": 2.0})
    assert means.means() == {"a": 3.0}
    means.flush()
    assert means.sums == {"a": (6.0, 3), "b": (5.0, 1)}
    assert means.means() == {"a": 2.0, "b": 5.0} and means.latest == {"a": 2.0, "b": 5.0}


def test_the_first_step_that_is_not_finite_is_named():
    means = LossMeans(FABRIC, {})
    means.add(4, {"a": 1.0})
    means.add(5, {"a": torch.tensor(torch.inf), "b": 2.0})
    means.add(6, {"a": torch.nan})
    with pytest.raises(UserError, match=r"step 5 \(a inf, b 2\)"):
        means.flush()


def test_moving_average_follows_the_closed_form():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    state = model.state_dict()
    state["0.weight"].fill_(1.0)
    average = MovingAverage(model, decay=0.5)
    expected = 1.0
    for step in range(20):
        state["0.weight"].fill_(step)
        state["1.running_mean"].fill_(step)
        average.update(model, step)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * step
        found = average.module.state_dict()
        assert found["0.weight"].item() == pytest.approx(expected, rel=1e-5)
    assert average.module.state_dict()["1.running_mean"].item() == 19
    assert not any(p.requires_grad for p in average.module.parameters())
    assert not average.module.training
