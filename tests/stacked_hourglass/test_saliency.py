"""Saliency: gradients of known networks, panels, which pictures, and misuse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from stacked_hourglass import saliency
from stacked_hourglass.architecture import Architecture
from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.saliency import coloured, draw_saliency, saliency_maps, softmax
from stacked_hourglass.saliency_options import SaliencyOptions
from utils.command_line import Options, parse_options
from utils.errors import UserError
from utils.images import read_image, write_image
from utils.pose_file import empty_row, write_poses

DESCRIPTION = Description(
    Architecture(stacks=1, features=16),
    resolution=64,
    heatmap_loss="cross_entropy",
    decoder="dark",
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
)
HEADER, PANEL = 28, 64


def small_predictor() -> Predictor:
    torch.manual_seed(0)
    return Predictor(StackedHourglass(DESCRIPTION.architecture), DESCRIPTION, "cpu", "32-true")


class Averages(torch.nn.Module):
    """Joint j scores (j + 1) times the mean of the colours of each 4 x 4 block."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        blocks = torch.nn.functional.avg_pool2d(images.mean(1, keepdim=True), 4)
        return (blocks * torch.arange(1.0, 17).view(1, 16, 1, 1))[None]


@pytest.fixture
def averages() -> Predictor:
    predictor = small_predictor()
    predictor.model = Averages()  # pyright: ignore[reportAttributeAccessIssue]
    return predictor


@pytest.fixture
def network(monkeypatch) -> Predictor:
    predictor = small_predictor()
    monkeypatch.setattr(saliency.Predictor, "load", lambda *_: predictor)
    monkeypatch.setattr(saliency, "PANEL", PANEL)  # small ones are written faster
    return predictor


def crop_with_light(x: int, y: int) -> np.ndarray:
    crop = np.zeros((64, 64, 3), np.uint8)
    crop[y, x] = 255
    return crop


def test_saliency_of_known_networks(averages):
    scores, found = saliency_maps(averages, crop_with_light(41, 22), "sum")
    assert scores.shape == (16, 16, 16) and found.shape == (16, 64, 64)
    # Each pixel is in one block of 16; |df/dx_c| = (j + 1) / 3 / 16 for each of the three colours.
    expected = np.arange(1, 17)[:, None, None] / 16 * np.ones((64, 64))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    _, found = saliency_maps(averages, crop_with_light(41, 22), "max")
    block = np.zeros((64, 64), bool)
    block[20:24, 40:44] = True  # the one with the light
    np.testing.assert_allclose(found, expected * block, rtol=1e-5)


def test_gradients_of_a_real_network_flow_through_what_is_given(network):
    crop = np.random.default_rng(1).integers(60, 200, (64, 64, 3)).astype(np.uint8)
    scores, found = saliency_maps(network, crop, "sum")
    pixels = torch.from_numpy(crop).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (DESCRIPTION.mean, DESCRIPTION.std))
    inputs = (pixels - mean) / std
    step = torch.zeros_like(inputs)
    step[0, :, 20:44, 20:44] = 1e-2
    with torch.no_grad():
        high, low = (network.model(inputs + sign * step)[-1][0].sum((1, 2)) for sign in (1, -1))
    # What a patch changes is at most what its pixels can.
    assert (np.abs((high - low).numpy()) / 2e-2 <= found[:, 20:44, 20:44].sum((1, 2)) * 1.1).all()
    np.testing.assert_allclose(scores, network.model(inputs)[-1][0].detach().numpy(), atol=1e-5)


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        image = np.full((60, 80, 3), 90, np.uint8)
        image[20:40, 50:70] = (250, 30, 30)
        write_image(folder / "img" / name, image)
    return folder / "img"


def run(tmp_path: Path, with_skeleton: bool = False, **options: Any) -> list[str]:
    chosen = SaliencyOptions(tmp_path / "img", tmp_path / "out", **options)
    assert draw_saliency(chosen, with_skeleton) == 0
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def panel(image: np.ndarray, row: int, column: int, left: int = 0) -> np.ndarray:
    top, start = HEADER + row * PANEL, left + column * PANEL
    return image[top : top + PANEL, start : start + PANEL]


def test_a_row_for_each_joint_a_file_for_each_reduction(network, tmp_path, capsys):
    pictures(tmp_path, "a.png")
    assert run(tmp_path) == ["a_max.png", "a_sum.png"]
    assert "drew the saliency of 1 picture (sum, max)" in capsys.readouterr().out
    image = read_image(tmp_path / "out" / "a_sum.png")
    assert image.shape == (HEADER + 16 * PANEL, 4 * PANEL, 3)
    crop = saliency.cut_crop(read_image(tmp_path / "img" / "a.png"), np.array([39.5, 29.5, 80]), 64)
    scores, found = saliency_maps(network, crop, "sum")
    joint = 5
    large = cv2.resize(crop, (PANEL, PANEL), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(panel(image, joint, 0)[32:], np.asarray(large)[32:])
    map_shown = panel(image, joint, 1)[2::4, 2::4]
    np.testing.assert_array_equal(map_shown, coloured(softmax(scores[joint]), "RdBu_r"))
    share = found[joint] / found[joint].max()
    np.testing.assert_array_equal(panel(image, joint, 2), coloured(softmax(share), "hot"))
    mixed = 0.25 * np.asarray(large) + 0.75 * 255 * share[..., None] * np.eye(3)[0]
    np.testing.assert_allclose(panel(image, joint, 3), mixed, atol=1)


def test_the_skeleton_stands_in_front(network, tmp_path):
    pictures(tmp_path, "a.png")
    run(tmp_path, saliency=("max",))
    plain = read_image(tmp_path / "out" / "a_max.png")
    run(tmp_path, with_skeleton=True, saliency=("max",))
    image = read_image(tmp_path / "out" / "a_skeleton_max.png")
    left = round(80 * PANEL / 60)
    assert image.shape == (plain.shape[0], left + plain.shape[1], 3)
    np.testing.assert_array_equal(image[HEADER:, left:], plain[HEADER:])
    rows = [image[HEADER + row * PANEL : HEADER + (row + 1) * PANEL, :left] for row in range(16)]
    assert (rows[0] != rows[9]).any()  # the ring is about another joint


def test_only_chosen_pictures(network, tmp_path):
    pictures(tmp_path, "a2.png", "a10.png", "a11.png")
    assert run(tmp_path, count=2, saliency=("max",)) == ["a10_max.png", "a2_max.png"]
    assert "a11_sum.png" in run(tmp_path, images=("a11.png",), saliency=("sum",))
    write_image(tmp_path / "img" / "a2.jpg", np.zeros((20, 20, 3), np.uint8))
    both = ("a2.jpg", str(tmp_path / "img" / "a2.png"))
    assert {"a2_jpg_sum.png", "a2_png_sum.png"} <= {*run(tmp_path, images=both, saliency=("sum",))}
    with pytest.raises(UserError, match=r"--images: .*b\.png is not in "):
        run(tmp_path, images=("../b.png",))


def test_joints_that_were_never_learned_get_no_ring(network):
    network.description = replace(DESCRIPTION, untrained=("head_top", "upper_neck"))
    image, box = np.full((50, 40, 3), 90, np.uint8), np.array([20.0, 25, 50])
    sheet = saliency.draw_sheet(network, image, box, "max", with_skeleton=True)
    assert sheet.shape[0] == HEADER + 16 * PANEL


def test_the_boxes_of_a_pose_file_are_looked_at(network, tmp_path, monkeypatch, capsys):
    folder = pictures(tmp_path, "a.png", "b.png")
    poses = replace(
        empty_row("photos/a.png", (80, 60), "mpii_16"), box=np.array([[60.0, 30.0, 40.0]])
    )
    write_poses(tmp_path / "poses.npz", poses)
    seen = []
    real = saliency.cut_crop
    monkeypatch.setattr(saliency, "cut_crop", lambda *w: seen.append(w[1].tolist()) or real(*w))
    file = tmp_path / "poses.npz"
    run(tmp_path, images=("a.png",), saliency=("sum",), twod_pose_estimations=file)
    assert seen[0] == [60, 30, 40]
    chosen = SaliencyOptions(
        folder, tmp_path / "out", saliency=("max",), twod_pose_estimations=file
    )
    assert draw_saliency(chosen) == 1
    assert "skipped: --2d_pose_estimations has no box of b.png" in capsys.readouterr().err


def test_what_cannot_be_drawn_is_refused(network, tmp_path):
    pictures(tmp_path, "a.png")
    with pytest.raises(UserError, match=r"cannot read .*absent.png"):
        run(tmp_path, images=("absent.png",))
    changes: list[tuple[dict[str, Any], str]]
    changes = [({"count": 0}, "--count must be"), ({"saliency": ()}, "needs sum")]
    for change, message in changes:
        with pytest.raises(UserError, match=message):
            SaliencyOptions(tmp_path, tmp_path, **change)


def test_colour_maps_run_from_end_to_end():
    values = np.linspace(3, 5, 256).reshape(16, 16)
    image = coloured(values, "hot").reshape(256, 3)
    assert image[0].max() < 20 and image[-1].min() == 255
    assert (np.diff(image.astype(int).sum(1)) >= 0).all()
    assert (coloured(np.ones((2, 2)), "hot") == coloured(np.zeros((2, 2)), "hot")).all()
    assert softmax(np.array([1000.0, 1000.0])).tolist() == [0.5, 0.5]


def test_the_established_spellings_are_taken():
    words = "--img_dir i --load m --output_dir o --saliency max --images a.jpg b.jpg"
    chosen = parse_options(Options("Draw.", SaliencyOptions), words.split(), "viz.py x")
    assert (chosen.load, chosen.saliency, chosen.images) == ("m", ("max",), ("a.jpg", "b.jpg"))
