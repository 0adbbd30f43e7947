"""Bars over training pictures: where they are, how often, and what they show."""

import numpy as np
import pytest
import torch

from stacked_hourglass.masking import mask_images, random_bars
from stacked_hourglass.options import MaskingOptions

SIZE = 64
COUNT = 4000


def bars(seed: int = 0, points: torch.Tensor | None = None, **changes: float) -> np.ndarray:
    """Covered pixels (B, SIZE, SIZE) for people whose joints span x 10 to 50 and y 5 to 60."""
    if points is None:
        points = torch.tensor([[10.0, 5.0], [50.0, 60.0], [30.0, 30.0]]).repeat(COUNT, 1, 1)
    options = MaskingOptions(add_random_masking=True, **({"mask_prob": 1.0} | changes))
    return random_bars(points, SIZE, options, torch.Generator().manual_seed(seed)).numpy()


def widths(covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows that are covered from edge to edge, of each picture."""
    return covered.all(axis=1).sum(axis=1), covered.all(axis=2).sum(axis=1)


def test_a_bar_goes_across_the_picture_and_covers_nothing_else() -> None:
    covered = bars()
    columns, rows = widths(covered)
    assert ((columns > 0) ^ (rows > 0)).all()
    assert (covered.sum(axis=(1, 2)) == SIZE * (columns + rows)).all()


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_how_often_there_is_a_bar(probability: float) -> None:
    share = bars(mask_prob=probability).any(axis=(1, 2)).mean()
    assert share == pytest.approx(probability, abs=0.03)


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_orientation_is_the_probability_of_a_vertical_bar(probability: float) -> None:
    columns, _ = widths(bars(orientation_prob=probability))
    assert (columns > 0).mean() == pytest.approx(probability, abs=0.03)


@pytest.mark.parametrize("ratio", [0.25, 0.5, 1.0])
def test_bars_begin_on_the_person_and_are_no_wider_than_the_ratio(ratio: float) -> None:
    covered = bars(orientation_prob=1.0, max_cover_ratio=ratio)[:, 0]
    first = covered.argmax(axis=1)
    assert first.min() == 10 and first.max() in (48, 49, 50)
    widest = covered.sum(axis=1).max()
    assert ratio * 40 * 0.9 < widest <= ratio * 40 + 1


def test_missing_joints_do_not_count_and_nobody_is_not_covered() -> None:
    points = torch.full((COUNT, 3, 2), float("nan"))
    points[: COUNT // 2, :2] = torch.tensor([[40.0, 5.0], [50.0, 60.0]])
    covered = bars(points=points, orientation_prob=1.0)
    assert not covered[COUNT // 2 :].any()
    assert covered[: COUNT // 2, 0].argmax(axis=1).min() == 40


def test_joints_outside_the_picture_do_not_put_the_bar_there() -> None:
    points = torch.tensor([[[-500.0, 5.0], [900.0, 60.0]]]).repeat(COUNT, 1, 1)
    assert bars(points=points).any(axis=(1, 2)).all()


def test_orientation_and_fill_are_draws_of_their_own() -> None:
    """The same generator for both, as in training: knowing one says nothing of the other."""
    generator = torch.Generator().manual_seed(3)
    options = MaskingOptions(add_random_masking=True, mask_prob=1.0)
    points = torch.tensor([[10.0, 5.0], [50.0, 60.0]]).repeat(COUNT, 1, 1)
    covered = random_bars(points, 16, options, generator)
    vertical = covered.all(1).any(1).numpy()
    shown = mask_images(
        torch.zeros(COUNT, 3, 16, 16), covered, (0.5, 0.5, 0.5), options, generator, generator
    )
    inside = [one[:, mask] for one, mask in zip(shown.numpy(), covered.numpy(), strict=True)]
    plain = np.array([(values == 0.5).all() for values in inside])
    assert plain.mean() == pytest.approx(0.5, abs=0.03)
    assert abs(np.corrcoef(plain, vertical)[0, 1]) < 0.05


def test_fill_is_the_mean_colour_or_noise_about_it_and_the_rest_stays() -> None:
    images = torch.rand(64, 3, SIZE, SIZE)
    covered = torch.zeros(64, SIZE, SIZE, dtype=torch.bool)
    covered[:, :, 20:30] = True
    mean, kinds = (0.4, 0.5, 0.6), []
    for probability in (1.0, 0.0):
        options = MaskingOptions(True, mean_valued_prob=probability, noise_std=0.1)
        generator = torch.Generator().manual_seed(0)
        shown = mask_images(images, covered, mean, options, generator, generator)
        assert torch.equal(shown[..., :20], images[..., :20])
        assert torch.equal(shown[..., 30:], images[..., 30:])
        kinds.append(shown[..., 20:30])
    plain, noise = kinds
    assert torch.equal(plain, torch.tensor(mean).view(1, 3, 1, 1).expand_as(plain))
    assert noise.mean(dim=(0, 2, 3)).tolist() == pytest.approx(mean, abs=0.01)
    assert noise.std(dim=(0, 2, 3)).tolist() == pytest.approx([0.1] * 3, abs=0.01)


def test_same_seed_same_bars() -> None:
    np.testing.assert_array_equal(bars(1), bars(1))
    assert (bars(1) != bars(2)).any()
