"""What the options of the hourglass commands refuse, in one line that names the option."""

from dataclasses import replace
from typing import Any

import pytest

import options
from stacked_hourglass.options import (
    DataOptions,
    HeatmapOptions,
    HourglassRunOptions,
    HourglassTrainOptions,
    NetworkOptions,
)
from utils.command_line import parse_options
from utils.errors import UserError
from utils.options import LoopOptions

INFINITE, NOTHING = float("inf"), float("nan")


@pytest.mark.parametrize("values", [{"batch_norm_momentum": 0.2}, {"no_batch_norm_affine": True}])
def test_layer_norm_leaves_nothing_to_batch_norm(values: dict[str, Any]) -> None:
    NetworkOptions(**values)
    with pytest.raises(UserError, match=f"--use_layer_norm and --{next(iter(values))}"):
        NetworkOptions(use_layer_norm=True, **values)


def test_layer_norm_has_no_statistics_to_validate_with() -> None:
    heatmaps = HeatmapOptions(use_train_mode_to_eval=True)
    with pytest.raises(UserError, match="--use_layer_norm and --use_train_mode_to_eval"):
        HourglassTrainOptions(network=NetworkOptions(use_layer_norm=True), heatmaps=heatmaps)


@pytest.mark.parametrize("sigma", [1e-170, 0.0, -1.0, 1e200, INFINITE, NOTHING])
def test_sigmas_that_no_map_can_show(sigma: float) -> None:
    with pytest.raises(UserError, match=r"--sigma must be from 0\.1 to 100"):
        HeatmapOptions(sigma=sigma)


def test_a_decaying_sigma_stays_one_that_a_map_can_show() -> None:
    assert HeatmapOptions(sigma_decay=0.5).sigma_in(3000) == 0.1


@pytest.mark.parametrize(
    "weights", [(NOTHING, 1.0), (1.0, NOTHING), (INFINITE, 1.0), (-1.0, 2.0), (0.0, 0.0)]
)
def test_source_weights_that_weigh_nothing(weights: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="--source_weights must be finite, from 0 up"):
        DataOptions("people", sources=("mannequin=4", "mannequin=5"), source_weights=weights)


def test_a_source_may_weigh_nothing_beside_another() -> None:
    DataOptions("people", sources=("lsp", "mannequin=5"), source_weights=(0, 1))


@pytest.mark.parametrize("kind", [DataOptions, HourglassRunOptions])
def test_fewer_mannequins_than_one(kind: Any) -> None:
    with pytest.raises(UserError, match="--mannequin_count must be at least 1, not -5"):
        kind(mannequin_count=-5)


@pytest.mark.parametrize("option", ["mannequin_count", "mannequin_films"])
def test_a_number_of_mannequins_that_no_source_asks_for(option: str) -> None:
    idle: dict[str, Any] = {option: 7}
    used = ("mannequin", "mannequin_video")
    DataOptions("people", sources=used, **idle)
    for sources in (("lsp",), ("mannequin=5", "mannequin_video=5")):
        with pytest.raises(UserError, match=f"--{option} does nothing unless --sources names"):
            DataOptions("people", sources=sources, **idle)


def test_a_pack_comes_in_place_of_sources() -> None:
    assert DataOptions("people", data_dir="people.pack").data_dir == "people.pack"
    with pytest.raises(UserError, match="--sources or --data_dir, not both"):
        DataOptions("people", data_dir="people.pack", sources=("lsp",))
    with pytest.raises(UserError, match="--data_dir does nothing for mannequin"):
        DataOptions("mannequin", data_dir="people.pack")


@pytest.mark.parametrize(
    ("batch", "own_statistics"), [("train_batch_size", False), ("test_batch_size", True)]
)
def test_one_picture_is_too_few_for_the_batch_norms_at_64(batch: str, own_statistics: bool) -> None:
    loop = replace(LoopOptions(), **{batch: 1})
    heatmaps = HeatmapOptions(use_train_mode_to_eval=own_statistics)
    with pytest.raises(UserError, match=f"--{batch} must be at least 2: at --resolution 64"):
        HourglassTrainOptions(loop=loop, heatmaps=heatmaps, network=NetworkOptions(resolution=64))
    HourglassTrainOptions(loop=loop, heatmaps=heatmaps, network=NetworkOptions(resolution=128))
    plain = NetworkOptions(resolution=64, use_layer_norm=not own_statistics)
    HourglassTrainOptions(loop=replace(loop, **{batch: 2}), heatmaps=heatmaps, network=plain)


@pytest.mark.parametrize("table", [options.TRAIN, options.RUN], ids=["train", "run"])
@pytest.mark.parametrize("seed", ["-1", "99999999999999999999"])
def test_seeds_that_no_generator_takes(table: dict[str, Any], seed: str) -> None:
    with pytest.raises(UserError, match="--seed must"):
        parse_options(table["hourglass_mannequin"], ["--seed", seed], "program")
