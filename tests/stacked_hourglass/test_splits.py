from pathlib import Path

import numpy as np
import pytest

from stacked_hourglass.person_table import JOINTS, PersonTable, PictureFiles, make_table
from stacked_hourglass.splits import HELD_OUT, held_out, hold_out, picture_names
from utils.errors import UserError


def people_in(pictures: list[int], split: str | list[str] = "train") -> PersonTable:
    """Somebody in each of these pictures, marked as the data set would."""
    count = len(pictures)
    names = np.array([f"{number}.jpg" for number in range(max(pictures) + 1)])
    keypoints = np.random.default_rng(0).uniform(0, 99, (count, JOINTS, 2))
    return make_table(
        "few",
        PictureFiles(Path(), names),
        keypoints,
        np.ones((count, JOINTS)),
        np.ones((count, 3)),
        np.broadcast_to(split, count),
        picture=np.array(pictures),
    )


def test_every_twentieth_validates_where_each_has_a_picture() -> None:
    rows = np.flatnonzero(hold_out(people_in([*range(45)])).split == "val")
    assert HELD_OUT == 20 and rows.tolist() == [0, 20, 40]


def test_whole_pictures_validate() -> None:
    table = hold_out(people_in([number // 2 for number in range(80)]))
    parts = [set(picture_names(table.of_split(split))) for split in ("train", "val")]
    assert len(parts[1]) == 2 and not parts[0] & parts[1]
    assert (table.split == "val").sum() == 4


def test_an_only_picture_trains_and_validates() -> None:
    table = hold_out(people_in([7, 7]))
    assert table.split.tolist() == ["train", "train", "val", "val"]
    np.testing.assert_array_equal(table.keypoints[:2], table.keypoints[2:])
    assert picture_names(table) == ["7.jpg"] * 4


def test_only_who_trains_is_held_out() -> None:
    table = hold_out(people_in([0, 1, 2], ["test", "train", "train"]))
    assert table.split.tolist() == ["test", "val", "train"]
    with pytest.raises(UserError, match="nobody in split train; it holds test"):
        hold_out(people_in([0, 1], "test"))


def test_who_is_marked_for_validation_stays_alone() -> None:
    table = people_in([0, 1], ["train", "val"])
    assert hold_out(table) is table


@pytest.mark.parametrize(("count", "expected"), [(2, [1]), (10, [9]), (11, [10]), (31, [10, 30])])
def test_of_few_pictures_the_last_validates(count: int, expected: list[int]) -> None:
    assert np.flatnonzero(held_out(np.arange(count), 10)).tolist() == expected
