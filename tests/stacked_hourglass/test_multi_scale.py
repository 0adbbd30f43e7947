import numpy as np
import pytest
import torch

from stacked_hourglass.decoding import decode_dark
from stacked_hourglass.multi_scale import MultiScale, look_at_scales, onto_boxes
from stacked_hourglass.targets import make_heatmaps
from tests.stacked_hourglass.test_predictor import beacon_predictor, picture_with_red_square

PLACES = torch.tensor([[[120.0, 85.0], [90.0, 110.0]]])


def maps_of_box(side: float) -> torch.Tensor:
    """What a network says that sees PLACES, px, in a box about (100, 100)."""
    points = (PLACES - (100 - side / 2)) * 48 / side - 0.5
    return make_heatmaps(points, 48, 48, 3 * 200 / side)


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.25, 1.6])
def test_joints_and_their_mass_stay_where_they_are_in_the_picture(scale: float) -> None:
    seen = maps_of_box(200 * scale)
    moved = onto_boxes(seen, scale)
    torch.testing.assert_close(decode_dark(moved), decode_dark(maps_of_box(200)), atol=0.05, rtol=0)
    torch.testing.assert_close(moved.sum((-1, -2)), seen.sum((-1, -2)), atol=0, rtol=0.005)


def test_answers_are_averaged() -> None:
    boxes = np.array([[100, 100, 200]])
    asked = []

    def cut(places: np.ndarray) -> torch.Tensor:
        asked.append(places.tolist())
        return torch.tensor(places[0, 2])

    def look(side: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return maps_of_box(float(side)), side / 200 * torch.tensor([[0.5, 0.2]])

    maps, visible = look_at_scales(look, cut, boxes, (1, 1.5))
    assert asked == [[[100, 100, 200]], [[100, 100, 300]]]
    assert visible is not None
    torch.testing.assert_close(visible, torch.tensor([[0.625, 0.25]]), check_dtype=False)
    expected = (maps_of_box(200) + onto_boxes(maps_of_box(300), 1.5)) / 2
    torch.testing.assert_close(maps, expected)
    one, _ = look_at_scales(look, cut, boxes, (1,))
    torch.testing.assert_close(one, maps_of_box(200), rtol=0, atol=0)


@pytest.mark.parametrize("flip", [False, True])
def test_joints_come_back_in_picture_pixels(flip: bool) -> None:
    places = [(40, 30), (150, 90)]
    images = [picture_with_red_square(x, y) for x, y in places]
    boxes = np.array([[99.5, 59.5, 200], [140, 80, 80]])
    predictor = MultiScale(beacon_predictor(), (1, 1.2))
    keypoints, confidence, _ = predictor(images, boxes, flip)
    assert predictor.skeleton == "mpii_16" and confidence.shape == (2, 16)
    error = np.linalg.norm(keypoints - np.array(places)[:, None], axis=-1)
    assert (error < 0.5 * 4 * boxes[:, 2:] / 64).all()  # half a heatmap pixel


def test_nobody() -> None:
    predictor = MultiScale(beacon_predictor(), (1, 1.2))
    assert predictor([], np.zeros((0, 3))).keypoints.shape == (0, 16, 2)
