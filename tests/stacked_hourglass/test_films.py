"""Films: windows, attention over their frames, their way through a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.augmentation import random_views, views_of_films
from stacked_hourglass.films import in_windows, reading_windows, window_starts
from stacked_hourglass.inference import run
from stacked_hourglass.mannequin_films import mannequin_films
from stacked_hourglass.model import FrameAttention, StackedHourglass
from stacked_hourglass.options import (
    DataOptions,
    HourglassRunOptions,
    HourglassTrainOptions,
    NetworkOptions,
)
from stacked_hourglass.predictor import load_model
from stacked_hourglass.starting import load_start
from stacked_hourglass.training import train
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses


def network(attention: str) -> StackedHourglass:
    """A small one whose attention does something."""
    torch.manual_seed(0)
    model = StackedHourglass(Architecture(2, 16, attention=attention)).eval()
    for name, weights in model.named_parameters():
        if "attention.merge.weight" in name:
            torch.nn.init.normal_(weights, std=0.3)
    return model


def moved_frames(model: StackedHourglass, changed: int, frames: int) -> list[int]:
    """Which of 8 pictures come out otherwise if one is changed."""
    images = torch.randn(8, 3, 64, 64)
    other = images.clone()
    other[changed] += 1
    with torch.no_grad():
        change = (model(images, frames=frames) - model(other, frames=frames)).abs()
    return torch.nonzero(change.amax(dim=(0, 2, 3, 4)))[:, 0].tolist()


def test_a_window_is_seen_whole_and_nothing_of_other_films() -> None:
    assert moved_frames(network("window"), 5, 4) == [4, 5, 6, 7]
    assert moved_frames(network("window"), 5, 1) == [5]


def test_causal_attention_looks_at_no_later_frame() -> None:
    assert moved_frames(network("causal"), 5, 8) == [5, 6, 7]
    assert moved_frames(network("causal"), 5, 4) == [5, 6, 7]


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_the_softmax_of_the_inner_products(causal: bool) -> None:
    torch.manual_seed(1)
    attention = FrameAttention(6, causal)
    torch.nn.init.normal_(attention.merge.weight)
    x = torch.randn(2 * 3, 6, 2, 2)
    found = attention(x, 3)
    w = attention.key.weight[:, :, 0, 0]
    for film, t, i, j in np.ndindex(2, 3, 2, 2):
        h = x[3 * film : 3 * film + (t + 1 if causal else 3), :, i, j]
        y = x[3 * film + t, :, i, j]
        weights = torch.softmax(h @ w.T @ y / 6**0.5, dim=0)
        both = torch.cat([weights @ h, y])
        merged = attention.merge.weight[:, :, 0, 0] @ both
        torch.testing.assert_close(found[3 * film + t, :, i, j], y + merged)


def test_it_begins_as_the_network_without_it() -> None:
    torch.manual_seed(0)
    plain = StackedHourglass(Architecture(1, 16)).eval()
    model = StackedHourglass(Architecture(1, 16, attention="window")).eval()
    missing = model.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing and all(".attention." in name for name in missing)
    images = torch.randn(4, 3, 64, 64)
    torch.testing.assert_close(model(images, frames=4), plain(images))


def test_windows_stay_within_films_and_reach_their_ends() -> None:
    film = np.array([3] * 10 + [5] * 4 + [-1] * 6 + [7] * 3)
    assert window_starts(film, 4, 4).tolist() == [0, 4, 6, 10]
    assert window_starts(film, 4, 2).tolist() == [0, 2, 4, 6, 10]
    assert window_starts(film, 11, 1).tolist() == []


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 4, 5, 8])
def test_every_row_is_settled_once_in_its_best_window(frames: int, causal: bool) -> None:
    film = np.array([0] * 13 + [1] * 2 + [-1, -1] + [2] * 8)
    windows = reading_windows(film, frames, causal)
    settled = np.concatenate([rows[settles] for rows, settles in windows])
    assert settled.tolist() == list(range(len(film)))
    for rows, settles in windows:
        assert len({*film[rows]}) == 1 and len(rows) <= frames
        place = np.flatnonzero(settles)
        if (
            causal
            and rows[0] > 0
            and len(rows) == frames > 2
            and film[rows[0] - 1] == film[rows[0]]
        ):
            assert place.min() >= frames // 2 - 1  # so much of the past is seen


def test_a_table_of_windows_has_each_frame_with_its_own_box() -> None:
    table = mannequin_films(2, 0, 4, 0)
    assert table.film.tolist() == [0] * 4 + [1] * 4 and len({*table.picture.tolist()}) == 8
    windows = in_windows(table, window_starts(table.film, 3, 1), 3)
    assert windows.picture.tolist() == [0, 1, 2, 1, 2, 3, 4, 5, 6, 5, 6, 7]
    np.testing.assert_array_equal(windows.box[3:6], table.box[1:4])
    assert len(np.unique(table.box[:4], axis=0)) == 4, "who moves is followed"


def test_mannequin_films_move_hide_joints_and_are_always_the_same() -> None:
    one, same = mannequin_films(3, 1, 6, 5), mannequin_films(3, 1, 6, 5)
    np.testing.assert_array_equal(one.keypoints, same.keypoints)
    assert (one.split == "val").sum() == 6 and one.film[-1] == 3
    steps = np.abs(np.diff(one.keypoints[:6], axis=0))
    assert 0.1 < np.nanmedian(steps) < 20
    assert (one.visibility == 0).any() and (one.visibility == 1).any()
    assert one.read_picture(0).image.shape == (192, 192, 3)


def test_all_frames_of_a_film_are_viewed_alike() -> None:
    views = random_views(3, torch.Generator().manual_seed(0))
    films = views_of_films(views, 4)
    assert films.scale.tolist() == [s for s in views.scale.tolist() for _ in range(4)]
    assert films.colour.shape == (12, 3) and (films.flip.view(3, 4) == views.flip[:, None]).all()


def options(folder: Path, exp: str = "default", load: str = "", **network: Any) -> Any:
    return HourglassTrainOptions(
        run=RunOptions(
            checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb"), exp=exp, load=load
        ),
        loop=LoopOptions(
            epochs=1, train_batch_size=8, test_batch_size=8, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=1, features=16, resolution=64, **network),
        data=DataOptions(dataset="mannequin_video", mannequin_films=4, film_frames=4),
    )


@pytest.fixture
def few_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacked_hourglass.training_data.FILMS_VALIDATION", 3)
    monkeypatch.setattr("stacked_hourglass.inference.FILM", 7)


@pytest.mark.usefixtures("few_films")
def test_train_run_and_start_from_a_network_without_attention(tmp_path: Path) -> None:
    assert train(options(tmp_path, "plain")) == 0
    plain = tmp_path / "runs/hourglass_mannequin_video_plain/best.safetensors"
    asked = options(tmp_path, "films", str(plain), add_attention=True)
    assert train(asked) == 0
    weights = tmp_path / "runs/hourglass_mannequin_video_films/best.safetensors"
    model, description = load_model(str(weights))
    assert description.frames == 4 and model.architecture.attention == "window"
    header = (weights.parent / "history.csv").read_text().splitlines()[0]
    assert "validation_wrong_hidden" in header
    out = tmp_path / "out"
    shown = HourglassRunOptions(
        dataset="mannequin_video", load=str(weights), output_dir=str(out), mannequin_count=14
    )
    assert run(shown) == 0
    poses = read_poses(out / "poses.npz")
    assert len(poses) == 14 and np.isfinite(poses.keypoints_2d).all()
    assert poses.source[0] == "film00000/0000.png" and poses.source[-1] == "film00001/0006.png"


@pytest.mark.usefixtures("few_films")
def test_weights_without_attention_load_into_a_network_with_it(tmp_path: Path) -> None:
    assert train(options(tmp_path, "plain")) == 0
    plain = tmp_path / "runs/hourglass_mannequin_video_plain/best.safetensors"
    _, old = load_model(str(plain))
    asked = options(tmp_path, "films", str(plain), add_attention=True, causal_attention=True)
    model = StackedHourglass(asked.network.architecture())
    assert load_start(model, old, asked).load == ""


@pytest.mark.parametrize(
    ("dataset", "network", "batch", "words"),
    [
        ("mannequin", {"add_attention": True}, 8, "--add_attention needs films"),
        ("mannequin_video", {"causal_attention": True}, 8, "needs --add_attention"),
        ("mannequin_video", {}, 6, "--train_batch_size must be a multiple of --film_frames, 8"),
    ],
)
def test_options_that_contradict_themselves(dataset, network, batch: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        HourglassTrainOptions(
            network=NetworkOptions(**network),
            data=DataOptions(dataset=dataset),
            loop=LoopOptions(train_batch_size=batch, test_batch_size=8),
        )
