from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stacked_hourglass.data import read_people
from stacked_hourglass.options import DataOptions, HourglassRunOptions
from stacked_hourglass.pack import write_pack
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.training_data import training_people, untrained_joints
from tests.stacked_hourglass.fake_data import coco_annotation, write_coco, write_lsp
from utils.errors import UserError


@pytest.fixture(autouse=True)
def few_validation_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacked_hourglass.training_data.MANNEQUIN_VALIDATION", 2)


def people(train_on_validation: bool) -> tuple[PersonTable, PersonTable]:
    """Who trains and who validates, of three mannequins and two more."""
    data = DataOptions(mannequin_count=3, train_on_validation=train_on_validation)
    found = training_people(data, seed=0)
    return found.train, found.validation


def test_validation_people_train_only_if_asked() -> None:
    alone, validation = people(train_on_validation=False)
    everybody, same = people(train_on_validation=True)
    assert (len(alone), len(everybody)) == (3, 5)
    np.testing.assert_array_equal(everybody.keypoints[:3], alone.keypoints)
    np.testing.assert_array_equal(everybody.keypoints[3:], validation.keypoints)
    np.testing.assert_array_equal(same.keypoints, validation.keypoints)


def test_an_only_picture_is_told_to_do_both(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_coco(tmp_path, "train", [coco_annotation(1, 1), coco_annotation(2, 1)])
    found = training_people(DataOptions("coco", data_dir=str(tmp_path)), seed=0)
    assert (len(found.train), len(found.validation)) == (2, 2)
    assert "coco: its only picture trains and validates" in capsys.readouterr().out


def test_joints_that_nobody_who_trains_has_are_known(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_coco(tmp_path / "coco", split, [coco_annotation(1, 1)])
    coco = f"coco={tmp_path / 'coco'}"
    alone = training_people(DataOptions("people", sources=(coco,)), seed=0)
    assert untrained_joints(alone.train) == {"upper_neck", "head_top"}
    write_lsp(tmp_path / "lsp")
    # COCO's people validate, but LSP's have both joints.
    both = training_people(DataOptions("people", sources=(coco, f"lsp={tmp_path / 'lsp'}")), seed=0)
    assert both.validation.name == "coco" and not untrained_joints(both.train)


@pytest.mark.parametrize(("source", "films"), [("mannequin_video=3", 3), ("mannequin_video", 2)])
def test_so_many_films_of_mannequins(
    source: str, films: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacked_hourglass.training_data.FILMS_VALIDATION", 1)
    count: dict[str, Any] = {} if "=" in source else {"mannequin_films": 2}
    data = DataOptions("people", sources=(source,), film_frames=2, **count)
    assert training_people(data, seed=0).sizes == [2 * films]


@pytest.mark.parametrize("source", ["mannequin_video=x", "mannequin=0", "mannequin=²"])
def test_numbers_of_mannequins_that_are_none(source: str) -> None:
    with pytest.raises(UserError, match=f"--sources {source}: mannequin.* takes a number of"):
        training_people(DataOptions("people", sources=(source,)), seed=0)


def test_a_pack_trains_by_either_option(tmp_path: Path) -> None:
    write_lsp(tmp_path / "lsp")
    pack = str(tmp_path / "lsp.pack")
    write_pack(Path(pack), read_people("lsp", tmp_path / "lsp"), 64)
    one, two = (
        training_people(DataOptions("people", **given), seed=0)  # pyright: ignore[reportArgumentType]
        for given in ({"data_dir": pack}, {"sources": (pack,)})
    )
    np.testing.assert_array_equal(one.train.keypoints, two.train.keypoints)
    with pytest.raises(UserError, match="lsp is neither a training pack"):
        training_people(DataOptions("people", data_dir=str(tmp_path / "lsp")), seed=0)


def test_run_with_train_is_the_training_part() -> None:
    assert HourglassRunOptions("lsp", run_with_train=True).split == "train"
    assert HourglassRunOptions("lsp").split == "val"


def test_a_misspelt_source_names_all_that_there_are() -> None:
    with pytest.raises(UserError, match=r"manequin=5 is unknown: .* mannequin, .*pack"):
        training_people(DataOptions("people", sources=("manequin=5",)), seed=0)
