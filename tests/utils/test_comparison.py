"""Names of models, and tables as text."""

from pathlib import Path

import pytest

from utils.comparison import aligned, model_names
from utils.errors import UserError


def test_names_are_those_given_or_the_files():
    assert model_names([Path("a/x.npz"), Path("b/y.npz")], ["one", "two"]) == ["one", "two"]
    assert model_names([Path("a/x.npz"), Path("b/y.npz")], []) == ["x", "y"]
    assert model_names([Path("a/x.npz"), Path("b/x.npz")], []) == ["a/x.npz", "b/x.npz"]


@pytest.mark.parametrize(
    ("files", "names", "message"),
    [
        ([], [], "nothing to score"),
        (["a", "b"], ["one"], "1 --model_names for 2 --prediction_files"),
        (["a", "b"], ["one", "one"], "one is given twice"),
        (["a", "a"], [], "a is given twice"),
    ],
)
def test_names_that_do_not_tell_models_apart_are_refused(files, names, message):
    with pytest.raises(UserError, match=message):
        model_names([Path(file) for file in files], names)


def test_columns_are_aligned():
    assert aligned([("", "x"), (), ("long", "10.0"), ("a", "")]) == (
        "         x\n----------\nlong  10.0\na"
    )


def test_lines_of_other_lengths_are_refused():
    with pytest.raises(ValueError):
        aligned([("a", "b"), ("c",)])
