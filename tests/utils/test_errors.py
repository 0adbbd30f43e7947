"""Messages for users are one line that can be printed and read."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from utils.errors import LONGEST, UserError


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    message = str(UserError(text))
    assert message.isprintable() and len(message) <= LONGEST


def test_ordinary_messages_stay_as_they_are() -> None:
    assert str(UserError("cannot read a  b.jpg: it is empty")) == (
        "cannot read a  b.jpg: it is empty"
    )
    assert str(UserError("two\n  lines\x00")) == "two lines?"


def test_a_long_message_keeps_both_ends() -> None:
    message = str(UserError("begin " + "9" * 5000 + " end"))
    assert message.startswith("begin 999") and message.endswith("999 end") and " ... " in message


def test_it_survives_the_way_from_another_process() -> None:
    assert str(pickle.loads(pickle.dumps(UserError("a\nb")))) == "a b"
