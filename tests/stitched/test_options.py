"""`run.py pose` as it is typed."""

import pytest

import options
from stitched.options import EXPORTS, EXPORTS_OF_3D, PeopleOptions, PoseOptions, VideoOptions
from utils.command_line import parse_options
from utils.errors import UserError
from utils.exporters import EXPORTERS, NEED_3D


def typed(*words):
    return parse_options(options.RUN["pose"], words, "run.py pose")


def test_inputs_need_no_flags_and_stand_before_or_after_them():
    assert typed("a.jpg") == PoseOptions(("a.jpg",))
    wanted = PoseOptions(("a.jpg", "0"), who=PeopleOptions(flip=False), video=VideoOptions(end=3.0))
    assert typed("a.jpg", "0", "--flip", "False", "--end", "3") == wanted
    assert typed("--flip", "False", "--end", "3", "a.jpg", "0") == wanted


def test_device_is_another_name_of_accelerator():
    assert typed("a.jpg", "--device", "cpu").machine.accelerator == "cpu"


def test_kinds_of_files_are_those_that_can_be_written():
    assert tuple(EXPORTERS) == EXPORTS and NEED_3D == EXPORTS_OF_3D


def test_switch_before_an_input_does_not_swallow_it():
    assert typed("--overlay", "false", "--flip", "a.jpg").inputs == ("a.jpg",)


@pytest.mark.parametrize("words", [(), ("a.jpg", "--end", "soon"), ("a.jpg", "--boxs", "1")])
def test_what_cannot_be_understood_is_one_line(words):
    with pytest.raises(UserError) as raised:
        typed(*words)
    assert "\n" not in str(raised.value)
