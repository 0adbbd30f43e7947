"""Pictures that change under a training; the number of processes that read them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stacked_hourglass.options import DataOptions, HourglassTrainOptions, NetworkOptions
from stacked_hourglass.training import train
from stacked_hourglass.training_data import TrainingPeople, training_people
from tests.nests import same
from tests.stacked_hourglass.fake_data import write_lsp_extended, write_picture
from utils.checkpoint import read_checkpoint
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions

PEOPLE = 24


def options(data: Path, folder: Path, epochs: int = 2, workers: int = 0) -> HourglassTrainOptions:
    loop = LoopOptions(
        epochs=epochs, train_batch_size=4, workers=workers, accelerator="cpu", precision="32-true"
    )
    return HourglassTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=loop,
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=1, features=8, resolution=64),
        data=DataOptions(dataset="lspet", data_dir=str(data)),
    )


def learned(folder: Path) -> dict:
    return read_checkpoint(folder / "runs/hourglass_lspet_default/last.ckpt")["model"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lspet")
    write_lsp_extended(folder, PEOPLE)
    return folder


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Weights after two epochs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert train(options(data, folder)) == 0
    return learned(folder)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_makes_no_difference(
    workers: int, data: Path, undisturbed: dict, tmp_path: Path
) -> None:
    assert train(options(data, tmp_path, workers=workers)) == 0
    assert same(learned(tmp_path), undisturbed)


@pytest.mark.parametrize("damage", [None, b"", b"no picture"])
def test_a_picture_that_goes_ends_the_run_in_a_line_and_it_goes_on_when_that_is_back(
    damage: bytes | None,
    data: Path,
    undisturbed: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train(options(data, tmp_path, epochs=1))
    path = data / "images/im00007.jpg"
    whole = path.read_bytes()

    def disturbed(*chosen: Any) -> TrainingPeople:
        people = training_people(*chosen)
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        return people

    resumed = options(data, tmp_path)
    resumed = replace(resumed, run=replace(resumed.run, resume=True))
    with monkeypatch.context() as patch:
        patch.setattr("stacked_hourglass.training.training_people", disturbed)
        with pytest.raises(UserError, match=r"im00007\.jpg"):
            train(resumed)
    path.write_bytes(whole)
    assert train(resumed) == 0
    assert same(learned(tmp_path), undisturbed)


def test_another_number_of_people_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lsp_extended(tmp_path / "lspet", PEOPLE)
    train(options(tmp_path / "lspet", tmp_path, epochs=1))
    write_lsp_extended(tmp_path / "lspet", PEOPLE + 8)
    write_picture(tmp_path / "lspet/images/im00032.jpg")
    resumed = options(tmp_path / "lspet", tmp_path)
    train(replace(resumed, run=replace(resumed.run, resume=True)))
    assert "an epoch has 7 steps" in capsys.readouterr().out
