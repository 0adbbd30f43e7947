"""Names of clips, subjects and actions from file names."""

import pytest

from utils.errors import UserError
from utils.mocap.naming import distinct_names, frame_rate_in_name, subject_and_action


@pytest.mark.parametrize(
    ("source", "place", "subject", "action"),
    [
        ("cmu", "06/06_01", "cmu/06", "06_01"),
        ("hdm05", "bd/HDM_bd_kickLFront1Reps_013_120", "hdm05/bd", "kickLFront1Reps"),
        ("hdm05", "HDM_dg_03-11_02_120", "hdm05/dg", "03-11"),
        ("uiprmd", "m10_s08_e10", "uiprmd/s08", "m10"),
        ("uiprmd", "m01_s01_e01_inc", "uiprmd/s01", "m01"),
        ("reactidle", "014_genuine", "reactidle/014", "genuine"),
        ("bandai", "dataset-1_walk-back_feminine_001", "bandai/dataset-1", "walk-back"),
        ("studio", "anna/jump", "studio/anna", "jump"),
        ("studio", "day1/anna/jump", "studio/day1/anna", "jump"),
        ("studio", "jump", "studio/clips", "jump"),
        ("cmu", "06_01", "cmu/06", "06_01"),
        ("cmu", "subjects/06/06_01", "cmu/06", "06_01"),
        ("cmu", "walks/other", "cmu/walks", "other"),
    ],
)
def test_subject_and_action(source, place, subject, action):
    assert subject_and_action(source, place, "clips") == (subject, action)


def test_a_pattern_names_the_subject():
    found = subject_and_action("cmu", "day2/p07_run", "clips", r"p(\d+)_")
    assert found == ("cmu/07", "p07_run")
    with pytest.raises(UserError, match="no subject in day2/run"):
        subject_and_action("cmu", "day2/run", "clips", r"p(\d+)_")


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (["06/06_01", "06/06_02.1", "07/07_01"], ["06_01", "06_02.1", "07_01"]),
        (["anna/walk", "anna/run", "ben/walk"], ["anna/walk", "run", "ben/walk"]),
        (["walk", "anna/walk"], ["walk", "anna/walk"]),
        # A file of each kind, say, and one that is really called so.
        (["a/walk", "a/walk", "a/walk (2)"], ["a/walk", "a/walk (2)", "walk (2)"]),
        (["walk", "walk", "walk (2)"], ["walk", "walk (2)", "walk (2) (2)"]),
    ],
)
def test_names_of_clips_tell_them_apart(places, names):
    assert distinct_names(["cmu"] * len(places), places) == names


def test_clips_of_two_sources_may_have_the_same_name():
    assert distinct_names(["cmu", "lab"], ["a/walk", "b/walk"]) == ["walk", "walk"]


def test_frame_rates_in_names():
    assert frame_rate_in_name("HDM_bd_kickLFront1Reps_013_120") == 120.0
    assert frame_rate_in_name("06_01") is None
    assert frame_rate_in_name("HDM_bd_walk_013") is None
