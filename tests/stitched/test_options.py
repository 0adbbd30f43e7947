"""`run.py pose` as it is typed."""

import pytest

import options
from stitched.options import PoseOptions
from utils.command_line import parse_options
from utils.errors import UserError


def typed(*words):
    return parse_options(options.RUN["pose"], words, "run.py pose")


def test_inputs_need_no_flags_and_stand_before_or_after_them():
    assert typed("a.jpg") == PoseOptions(("a.jpg",))
    wanted = PoseOptions(("a.jpg", "0"), flip=False, end=3.0)
    assert typed("a.jpg", "0", "--flip", "False", "--end", "3") == wanted
    assert typed("--flip", "False", "--end", "3", "a.jpg", "0") == wanted


def test_switch_before_an_input_does_not_swallow_it():
    assert typed("--overlay", "false", "--flip", "a.jpg").inputs == ("a.jpg",)


@pytest.mark.parametrize("words", [(), ("a.jpg", "--end", "soon"), ("a.jpg", "--boxes", "1")])
def test_what_cannot_be_understood_is_one_line(words):
    with pytest.raises(UserError) as raised:
        typed(*words)
    assert "\n" not in str(raised.value)
