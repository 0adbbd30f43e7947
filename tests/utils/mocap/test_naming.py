"""Subjects and actions from file names."""

import pytest

from utils.errors import UserError
from utils.mocap.naming import frame_rate_in_name, name_clip


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
        ("studio", "jump", "studio/jump", "jump"),
        ("cmu", "walks/other", "cmu/walks", "other"),
    ],
)
def test_subject_and_action(source, place, subject, action):
    name = name_clip(source, place)
    assert (name.subject, name.action) == (subject, action)
    assert name.name == place.rsplit("/", 1)[-1]


def test_a_pattern_names_the_subject():
    assert name_clip("cmu", "day2/p07_run", r"p(\d+)_").subject == "cmu/07"
    with pytest.raises(UserError, match="no subject in day2/run"):
        name_clip("cmu", "day2/run", r"p(\d+)_")


def test_frame_rates_in_names():
    assert frame_rate_in_name("HDM_bd_kickLFront1Reps_013_120") == 120.0
    assert frame_rate_in_name("06_01") is None
    assert frame_rate_in_name("HDM_bd_walk_013") is None
