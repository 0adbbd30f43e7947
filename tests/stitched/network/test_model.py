"""Each half against the subpackage it comes from, gradients through both, one file of weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stacked_hourglass.predictor import load_model
from stitched.network.description import StitchedDescription, description_from_metadata
from stitched.network.loading import load_stitched, open_network
from stitched.network.options import JoinOptions
from tests.stitched.network.small_networks import (
    RESOLUTION,
    hourglass_description,
    lifter_description,
    small_description,
    small_network,
)
from twod_threed.predictor import LiftingModel, load_lifter
from utils.crops import crop_to_image
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import LSP_14, MPII_16
from utils.weights import save_weights

BOXES = torch.tensor([[310.0, 205.5, 180.0], [90.25, 400.0, 77.0], [500.0, 500.0, 640.0]])
INTRINSICS = torch.tensor([[800.0, 810.0, 320.0, 240.0]]).expand(3, 4)


def crops() -> torch.Tensor:
    return torch.rand(3, 3, RESOLUTION, RESOLUTION, generator=torch.Generator().manual_seed(2))


def logits_at(places: torch.Tensor, side: int = RESOLUTION // 4) -> torch.Tensor:
    """Scores whose probability is a Gaussian of deviation 1 about heatmap px (B, J, 2)."""
    cells = torch.arange(float(side))
    dx, dy = cells - places[..., :1], cells - places[..., 1:]
    return -(dx.square()[..., None, :] + dy.square()[..., None]) / 2


def test_places_on_the_map_become_pixels_of_the_picture():
    network = small_network()
    generator = torch.Generator().manual_seed(5)
    places = 5 + 5 * torch.rand(3, len(MPII_16), 2, generator=generator)
    found = network.keypoints(logits_at(places), BOXES).detach()
    of_crop = (places + 0.5) * 4 - 0.5
    expected = crop_to_image(of_crop.numpy(), BOXES.numpy(), RESOLUTION)
    # The window's edge, five px from the largest cell, cuts the Gaussian a little.
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-3 * 4 * 640 / RESOLUTION)


def test_the_second_half_is_the_lifter():
    network = small_network()
    with torch.no_grad():
        scores, lift = network(crops(), BOXES, INTRINSICS)
    assert scores.shape == (2, 3, 16, 16, 16) and lift.keypoints_2d.shape == (3, 16, 2)
    lifting = LiftingModel(network.lifter, network.description.lifter, "cpu")
    points = lift.keypoints_2d.numpy()
    expected = lifting.lift(points, MPII_16.name, intrinsics=INTRINSICS.numpy()).poses
    assert np.abs(expected).max() > 10
    np.testing.assert_allclose(lift.poses_3d.numpy(), expected, atol=0.05)


def test_joints_of_another_skeleton_are_converted_by_name():
    network = small_network(small_description("lsp_14"))
    scores = network.scores(crops())[-1].detach()
    lift = network.lift(scores, BOXES, INTRINSICS)
    assert lift.keypoints_2d.shape == (3, 14, 2)
    as_mpii = convert(lift.keypoints_2d, LSP_14, MPII_16).poses
    direct = small_network().lift_keypoints(as_mpii, INTRINSICS)
    network.lifter.load_state_dict(small_network().lifter.state_dict())
    again = network.lift(scores, BOXES, INTRINSICS)
    torch.testing.assert_close(again.poses_3d, direct.poses_3d)


def test_networks_that_do_not_fit_are_refused():
    feet = ("left_hip", "right_hip", "left_foot_index")
    lifter = replace(
        lifter_description(),
        architecture=replace(lifter_description().architecture, joints_in=3),
        skeleton_2d="blazepose_33",
        joints_2d=feet,
    )
    with pytest.raises(UserError, match="left_foot_index"):
        StitchedDescription(hourglass_description(), lifter)


def test_gradients_of_3d_reach_every_weight_of_the_hourglass():
    network = small_network()
    lift = network(crops(), BOXES, INTRINSICS).lift
    lift.poses_3d.square().mean().backward()
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            assert weight.grad is not None, name
            assert weight.grad.isfinite().all(), name
    first = network.hourglass.stem.conv.weight.grad
    assert first is not None and first.abs().max() > 0


def test_the_way_from_scores_to_millimetres_has_true_gradients():
    network = small_network().double()
    generator = torch.Generator().manual_seed(4)
    places = 5 + 5 * torch.rand(1, 16, 2, generator=generator, dtype=torch.float64)

    def poses(moved: torch.Tensor) -> torch.Tensor:
        pixels = network.keypoints(logits_at(moved).double(), BOXES[:1].double())
        return network.lift_keypoints(pixels, INTRINSICS[:1].double()).poses_3d / 1000

    assert torch.autograd.gradcheck(poses, (places.requires_grad_(),), fast_mode=True)


def test_half_precision_is_for_the_hourglass_alone():
    network = small_network()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        scores, lift = network(crops(), BOXES, INTRINSICS)
    assert scores.dtype == torch.bfloat16
    assert lift.keypoints_2d.dtype == lift.poses_3d.dtype == torch.float32
    with torch.no_grad():
        again = network.lift(scores[-1].float(), BOXES, INTRINSICS)
    torch.testing.assert_close(lift.poses_3d, again.poses_3d)


@pytest.mark.parametrize("frozen", ["hourglass", "lifter", "none"])
def test_frozen_parts_stay_as_they_are(frozen: str):
    network = small_network()
    network.freeze(frozen == "hourglass", frozen == "lifter", statistics=False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=1e-3)
    network(crops(), BOXES, INTRINSICS).lift.outputs.square().mean().backward()
    optimizer.step()
    changed = {
        name.split(".")[0]
        for name, value in network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"hourglass", "lifter"} - {frozen}


def test_fixed_statistics_are_used_and_kept_while_weights_train():
    network = small_network()
    network.freeze(False, False, statistics=True)
    still = network(crops(), BOXES, INTRINSICS).lift.outputs
    network.train()
    torch.testing.assert_close(network(crops(), BOXES, INTRINSICS).lift.outputs, still)
    assert network.training and network.hourglass.training
    assert not network.hourglass.stem.norm.training


def test_one_file_holds_both_and_overrides_the_halves(tmp_path: Path, halves: JoinOptions):
    joined = open_network("", halves)
    hourglass, lifter = load_model(halves.load_hourglass), load_lifter(halves.load_2d3d)
    assert (joined.description.hourglass, joined.description.lifter) == (hourglass[1], lifter[1])
    names = {name.split(".")[0] for name in joined.state_dict()}
    assert names == {"hourglass", "lifter", "soft_argmax"}
    with torch.no_grad():
        joined.lifter.last.bias.add_(1)
        joined.soft_argmax.log_temperature.fill_(0.25)
    path = tmp_path / "whole.safetensors"
    save_weights(path, joined.state_dict(), joined.description.as_metadata())
    whole = open_network(str(path), halves)
    assert whole.description == joined.description
    assert float(whole.soft_argmax.log_temperature) == 0.25
    torch.testing.assert_close(whole.lifter.last.bias, joined.lifter.last.bias)
    assert load_stitched(str(path), learnable=True).soft_argmax.log_temperature.requires_grad


def test_contradictions_and_other_models_are_refused(tmp_path: Path, halves: JoinOptions):
    network = open_network("", halves)
    path = tmp_path / "whole.safetensors"
    save_weights(path, network.state_dict(), network.description.as_metadata())
    with pytest.raises(UserError, match="--window uniform, not parzen"):
        open_network(str(path), replace(halves, window="parzen"))
    with pytest.raises(UserError, match=r"--temperature 1, not 0\.2"):
        open_network(str(path), replace(halves, temperature=0.2))
    open_network(str(path), replace(halves, window="uniform", temperature=1.0))
    with pytest.raises(UserError, match=r"holds a lifter, not a stitched: .*--load_2d3d"):
        load_stitched(halves.load_2d3d)
    with pytest.raises(UserError, match="description is damaged"):
        description_from_metadata({"kind": "stitched"}, "file")


def test_the_window_and_the_temperature_of_two_joined_networks(halves: JoinOptions):
    chosen = open_network("", replace(halves, window="parzen", temperature=0.3))
    assert chosen.soft_argmax.window == "parzen"
    assert float(chosen.soft_argmax.temperature.detach()) == pytest.approx(0.3)
    mse = replace(small_description(), hourglass=hourglass_description(loss="mse"))
    assert float(small_network(mse).soft_argmax.temperature.detach()) == pytest.approx(0.1)
