"""Subjects that are named must be there, defaults need not."""

import pytest

from utils.errors import UserError
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS, check_subjects

THERE = ["cmu/01", "cmu/06", "cmu/07", "studio/anna", "cmu/07"]


def test_a_subject_that_is_not_there_is_told_with_near_names():
    told = "^the test subject cmu/7 is not in the data; near names: cmu/07, cmu/06, cmu/01$"
    with pytest.raises(UserError, match=told):
        check_subjects(THERE, validation=("cmu/06",), test=("studio/anna", "cmu/7"))
    told = "^the training subject x is not in the data; there: cmu/01, cmu/06, cmu/07, studio/anna$"
    with pytest.raises(UserError, match=told):
        check_subjects(THERE, training=("x",))


def test_subjects_that_are_there_and_defaults_pass():
    check_subjects(THERE, training=("cmu/01",), validation=(), test=["studio/anna"])
    check_subjects(THERE, validation=VALIDATION_SUBJECTS["mocap"], test=TEST_SUBJECTS["mocap"])
    with pytest.raises(UserError, match="the test subject hdm05/mm is not in the data"):
        check_subjects(THERE, test=TEST_SUBJECTS["mocap"][:2])
