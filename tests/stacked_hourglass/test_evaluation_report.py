"""Rows of the tables of scores."""

from pathlib import Path

import numpy as np

from stacked_hourglass.evaluation_report import Metric, ModelScores
from utils.skeletons import custom_skeleton


def test_a_joint_called_like_a_row_of_the_table_has_a_row_of_its_own():
    face = custom_skeleton(["head", "nose", "left_ear", "right_ear", "mean"], [], [(2, 3)])
    distances = np.array([[0.0, 0, 1, 1, 0]] * 4)
    scores = ModelScores("mine", Path("x.npz"), distances, face).at(Metric("PCK", 0.2, "boxes"))
    assert scores["head"] == 50 and scores["head alone"] == 100
    assert scores["mean"] == 60 and scores["mean alone"] == 100
