"""`train.py temporal_h36m -sun`: the whole training, on VideoPose3D's files and bent lenses."""

import csv
from pathlib import Path

import pytest

from tests.twod_threed.fake_h36m import write_videopose
from twod_threed.temporal import training
from twod_threed.temporal.loading import load_networks
from twod_threed.temporal.options import TemporalTrainOptions, train_defaults
from utils.command_line import Options, parse_options

WORDS = (
    "-k gt -str S1 -sun S5 -ste S9 -a Walking --warmup 1 -arc 3,3 -ch 8 -e 2 -b 16 --max_steps 4 "
    "--workers 0 --accelerator cpu"
)


@pytest.mark.parametrize("more", ["", "--linear-projection", "--no-bone-length", "--no-proj"])
def test_films_without_labels_join_after_the_warm_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    monkeypatch.setattr(training, "score_and_report", lambda *_: None)
    folder = write_videopose(tmp_path / "h36m", ("S1", "S5", "S9"), ("Walking",))
    words = f"{WORDS} {more} --data_dir {folder} -c {tmp_path} --tb_dir {tmp_path}/tb".split()
    table = Options("", TemporalTrainOptions, train_defaults("h36m"))
    assert training.train(parse_options(table, words, "train.py temporal_h36m")) == 0
    run = tmp_path / "temporal_h36m_default"
    _, description = load_networks(str(run))
    assert description.trajectory and description.normalisation == "screen"
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    terms = {name for name, value in rows[-1].items() if name.startswith("train_") and value}
    assert "train_trajectory" in terms
    assert ("train_reprojection" in terms) == (more != "--no-proj")
    assert ("train_bones" in terms) == (more != "--no-bone-length")
    assert not rows[0].get("train_reprojection") and not rows[0].get("train_bones")
