"""Annotations that a sure network contradicts are found, and no others are touched."""

from dataclasses import replace

import numpy as np
import pytest

from stacked_hourglass import label_noise
from stacked_hourglass.label_noise import LIMBS, is_exchanged, mend, sure_joints
from stacked_hourglass.mannequin_people import mannequin_people
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor
from tests.stacked_hourglass.test_predictor import SMALL, small_network
from utils.errors import UserError
from utils.skeletons import MPII_16

PEOPLE = 12


@pytest.fixture(scope="module")
def table() -> PersonTable:
    """Mannequins, all of whom train."""
    return mannequin_people(PEOPLE, 0, 5)


@pytest.fixture
def network(table: PersonTable, monkeypatch: pytest.MonkeyPatch) -> Predictor:
    """A network that knows where the joints are, within a hundredth of the box."""
    noise = np.random.default_rng(0).normal(size=table.keypoints.shape)
    found = table.keypoints + noise * 0.01 * table.box[:, 2, None, None]
    monkeypatch.setattr(label_noise, "sure_joints", lambda *_: found)
    return Predictor(small_network(), SMALL, "cpu", "32-true")


def test_good_annotations_stay(table: PersonTable, network: Predictor) -> None:
    done = mend(table, network)
    np.testing.assert_array_equal(done.table.keypoints, table.keypoints)
    np.testing.assert_array_equal(done.table.visibility, table.visibility)
    assert (
        done.line() == "arms of 0 people exchanged, legs of 0 people exchanged, 0 joints left out"
    )


def test_exchanged_limbs_are_put_right_and_far_joints_left_out(
    table: PersonTable, network: Predictor
) -> None:
    keypoints, visibility = table.keypoints.copy(), table.visibility.copy()
    (left, right), row = LIMBS["legs"], wide_apart(table)
    for values in (keypoints, visibility):
        values[row, left + right] = values[row, right + left]
    whole = np.isfinite(table.keypoints).all((1, 2))
    other = int(np.flatnonzero(whole & (np.arange(PEOPLE) != row))[0])
    keypoints[other, MPII_16.index("head_top")] += table.box[other, 2]
    done = mend(replace(table, keypoints=keypoints, visibility=visibility), network)
    assert done.exchanged["legs"].tolist() == [row] and done.exchanged["arms"].tolist() == []
    assert done.left_out.tolist() == [[other, MPII_16.index("head_top")]]
    expected = table.keypoints.copy()
    expected[other, MPII_16.index("head_top")] = np.nan
    np.testing.assert_array_equal(done.table.keypoints, expected)
    np.testing.assert_array_equal(done.table.visibility[row], table.visibility[row])


def wide_apart(table: PersonTable) -> int:
    """Row of the mannequin whose legs are farthest apart, for its size."""
    left, right = LIMBS["legs"]
    apart = np.linalg.norm(table.keypoints[:, left] - table.keypoints[:, right], axis=-1)
    return int((apart.mean(1) / table.box[:, 2]).argmax())


def test_limbs_are_exchanged_only_where_both_sides_are_known() -> None:
    left, right = LIMBS["arms"]
    keypoints = np.zeros((1, 16, 2))
    keypoints[0, left, 0], keypoints[0, right, 0] = 100, -100
    sure = keypoints.copy()
    sure[0, left + right] = keypoints[0, right + left]
    unit = np.array([50.0])
    assert is_exchanged(keypoints, sure, unit, left, right).tolist() == [True]
    assert is_exchanged(sure, sure, unit, left, right).tolist() == [False]
    sure[0, right] = np.nan
    assert is_exchanged(keypoints, sure, unit, left, right).tolist() == [False]


def test_only_those_who_train_are_looked_at(table: PersonTable) -> None:
    network = Predictor(small_network(), replace(SMALL, calibration=(0.0, 9.0)), "cpu", "32-true")
    split = np.where(np.arange(PEOPLE) < 3, "train", "val")
    joints = sure_joints(replace(table, split=split), network, 2)
    assert np.isfinite(joints[:3]).all() and np.isnan(joints[3:]).all()
    unsure = Predictor(small_network(), replace(SMALL, calibration=(0.0, -9.0)), "cpu", "32-true")
    assert np.isnan(sure_joints(table, unsure, 5)).all()


def test_other_joints_are_refused(table: PersonTable) -> None:
    architecture = replace(SMALL.architecture, num_classes=14)
    shape = replace(SMALL, architecture=architecture, skeleton="lsp_14")
    lsp = Predictor(StackedHourglass(architecture), shape, "cpu", "32-true")
    with pytest.raises(UserError, match="MPII's joints"):
        mend(table, lsp)
