import numpy as np
import pytest

from stacked_hourglass.options import DataOptions, HourglassRunOptions
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.training_data import HELD_OUT, hold_out, training_people


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


def test_every_twentieth_validates_where_the_data_set_marks_nobody() -> None:
    table, _ = people(train_on_validation=False)
    many = table.rows(np.zeros(45, int))
    rows = np.flatnonzero(hold_out(many).split == "val")
    assert HELD_OUT == 20 and rows.tolist() == [0, 20, 40]


def test_run_with_train_is_the_training_part() -> None:
    assert HourglassRunOptions("lsp", run_with_train=True).split == "train"
    assert HourglassRunOptions("lsp").split == "val"
