"""Options of `run.py temporal_*` and `eval.py temporal_*` as they are written."""

from typing import Any

import pytest

from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from twod_threed.temporal.inference_options import TemporalRunOptions
from twod_threed.temporal.options import TemporalDataOptions, TemporalDataset
from utils.command_line import Options, option_names, parse_options
from utils.errors import UserError


def told(kind: Any, words: str, dataset: TemporalDataset = "h36m") -> Any:
    options = Options("", kind, kind(data=TemporalDataOptions(dataset=dataset)))
    return parse_options(options, words.split(), "program")


@pytest.mark.parametrize("kind", [TemporalRunOptions, TemporalEvalOptions])
def test_published_names_and_short_forms(kind):
    words = (
        "-k gt -ste S11 -a Walking,Sitting -c runs --evaluate epoch_80.bin -no-tta -arc 3,3,3 "
        "--causal --downsample 2 --skeleton-2d coco_17"
    )
    found = told(kind, words)
    assert found.data.keypoints == "gt" and found.data.subjects_test == ("S11",)
    assert found.data.actions == ("Walking", "Sitting") and found.data.downsample == 2
    assert found.weights.load == "epoch_80.bin" and found.weights.checkpoint_dir == "runs"
    assert found.weights.no_test_time_augmentation and found.weights.causal
    assert found.weights.widths == (3, 3, 3) and found.weights.skeleton_2d == "coco_17"
    same = told(kind, "--load epoch_80.bin --checkpoint runs --no-test-time-augmentation")
    assert same.weights.load == "epoch_80.bin" and same.weights.checkpoint_dir == "runs"
    assert same.weights.no_test_time_augmentation and same.data.dataset == "h36m"


def test_options_of_their_own():
    found = told(TemporalEvalOptions, "--by-subject --split validation --seed 3", "mocap")
    assert found.by_subject and found.split == "validation" and found.seed == 3
    words = "--poses in.json --fps 30 --smooth savitzky_golay --height 1700 --fov 60 --max_gap 4"
    found = told(TemporalRunOptions, words, "mannequin")
    assert (found.poses, found.film.fps, found.film.smooth) == ("in.json", 30, "savitzky_golay")
    assert (found.film.height, found.film.fov, found.weights.max_gap) == (1700, 60, 4)
    with pytest.raises(UserError, match="smooth"):
        told(TemporalRunOptions, "--smooth very", "mannequin")


@pytest.mark.parametrize("kind", [TemporalRunOptions, TemporalEvalOptions])
def test_no_two_options_share_a_spelling(kind):
    names = option_names(kind)
    assert {"--load", "--evaluate", "-no-tta", "-arc", "-k", "-ste", "-a", "-c"} <= set(names)
