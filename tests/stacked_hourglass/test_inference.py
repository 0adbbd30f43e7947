"""Who `run.py hourglass_*` looks at."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from stacked_hourglass.data import read_people
from stacked_hourglass.decoding import DECODERS
from stacked_hourglass.inference import find_people, run
from stacked_hourglass.options import Dataset, Decoder, HourglassRunOptions
from stacked_hourglass.predictor import load_model
from stacked_hourglass.splits import hold_out
from tests.stacked_hourglass.fake_data import hrnet_record, write_lsp_extended, write_picture
from utils.errors import UserError
from utils.pose_file import read_poses


def asked(folder: Path, dataset: Dataset = "mpii", train: bool = False) -> HourglassRunOptions:
    return HourglassRunOptions(dataset, data_dir=str(folder), run_with_train=train)


def write_mpii_flat(folder: Path) -> None:
    """Two validation people and their pictures, in an order of their own, beside the file."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        write_picture(folder / name)
    (folder / "valid.json").write_text(json.dumps([hrnet_record("b.jpg"), hrnet_record("a.jpg")]))


def test_annotations_count_where_pictures_lie_beside_them(tmp_path: Path) -> None:
    write_mpii_flat(tmp_path)
    table, failures = find_people(asked(tmp_path))
    assert not failures and [table.picture_name(row) for row in (0, 1)] == ["b.jpg", "a.jpg"]
    assert len(table) == 2 and table.box[0].tolist() == [27, 37.75, 62.5]
    with pytest.raises(UserError, match="nobody in split train; it holds val"):
        find_people(asked(tmp_path, train=True))


def test_who_validated_where_the_data_mark_nobody_can_be_looked_at(tmp_path: Path) -> None:
    write_lsp_extended(tmp_path, 40)
    held = hold_out(read_people("lspet", tmp_path))
    for train in (True, False):
        found, _ = find_people(asked(tmp_path, "lspet", train))
        wanted = held.of_split("train" if train else "val")
        assert found.annotation_id.tolist() == wanted.annotation_id.tolist()


def test_mannequins_need_no_data(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty holds no pictures; mannequins need none"):
        find_people(asked(tmp_path / "empty", "mannequin"))
    with pytest.raises(UserError, match="--split does nothing for mannequins"):
        HourglassRunOptions("mannequin", split="test")


@pytest.mark.parametrize("dataset", ["mpii", "lsp", "coco", "custom", "people"])
def test_a_folder_of_bare_pictures_is_no_more_than_these(tmp_path: Path, dataset: Dataset) -> None:
    for name in ("a.jpg", "b.jpg"):
        write_picture(tmp_path / name)
    table, _ = find_people(asked(tmp_path, dataset))
    assert [table.picture_name(row) for row in (0, 1)] == ["a.jpg", "b.jpg"]
    assert table.box[0].tolist() == [29.5, 19.5, 60]
    with pytest.raises(UserError, match="--split does nothing for a folder of pictures"):
        find_people(replace(asked(tmp_path, dataset), split="test"))


def test_damaged_annotations_beside_pictures_are_told(tmp_path: Path) -> None:
    write_mpii_flat(tmp_path)
    (tmp_path / "valid.json").write_text("{")
    with pytest.raises(UserError, match=r"valid\.json is not JSON"):
        find_people(asked(tmp_path))


def test_a_folder_without_pictures_is_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{tmp_path} is neither a training pack .* with pictures"):
        find_people(asked(tmp_path, "people"))


def test_decoder_auto_is_what_the_weights_say(tmp_path: Path) -> None:
    found = {}
    choices: tuple[Decoder, ...] = ("auto", *DECODERS)  # pyright: ignore[reportAssignmentType]
    for decoder in choices:
        folder = str(tmp_path / decoder)
        options = HourglassRunOptions("mannequin", "lightweight", output_dir=folder)
        assert run(replace(options, mannequin_count=4, decoder=decoder)) == 0
        found[decoder] = read_poses(tmp_path / decoder / "poses.npz").keypoints_2d
    said = load_model("lightweight")[1].decoder
    assert np.array_equal(found["auto"], found[said])
    points = [found[name] for name in DECODERS]
    assert all((one != other).any() for one, other in combinations(points, 2))
