"""`--profile`: what is counted, and to which stage."""

import numpy as np
import torch

from stacked_hourglass.joints import FoundJoints
from stitched import profile
from stitched.profile import STAGES, Clock, TimedPredictor


class Hands:
    """A clock on the wall that is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return 2 * self.now


def turned(monkeypatch) -> tuple[Hands, Clock]:
    hands = Hands()
    monkeypatch.setattr(profile, "time", hands)
    return hands, Clock()


def test_blocks_and_items_are_counted_to_their_stage(monkeypatch):
    hands, clock = turned(monkeypatch)

    def slow():
        for item in range(3):
            hands.now += 2
            yield item

    for _ in clock.each("decode", slow()):
        with clock("draw"):
            hands.now += 1
    assert clock.seconds == {"decode": 6.0, "draw": 3.0} and clock.whole == 9.0
    lines = clock.table(3).splitlines()
    assert [line.split()[0] for line in lines[1:-2]] == list(STAGES)
    assert ["decode", "6.00", "2000.0", "67%"] in [line.split() for line in lines]
    assert lines[-2].split() == ["whole", "9.00", "3000.0", "100%"] and "18.00 s" in lines[-1]


def test_network_is_told_from_what_is_around_it(monkeypatch):
    hands, clock = turned(monkeypatch)

    class Slow(torch.nn.Module):
        def forward(self, x):
            hands.now += 5
            return x

    class Predictor:
        skeleton = "mpii_16"
        model = Slow()

        def __call__(self, images, boxes, flip=True):
            hands.now += 1
            self.model(torch.zeros(1))
            return FoundJoints(np.zeros((1, 16, 2)), np.full((1, 16), float(flip)))

    timed = TimedPredictor(Predictor(), clock)
    for _ in range(2):
        confidence = timed([np.zeros((2, 2, 3), np.uint8)], np.ones((1, 3)), flip=False)[1]
        assert confidence.sum() == 0
    assert timed.skeleton == "mpii_16"
    assert clock.seconds == {"network": 10.0, "crop": 2.0}


def test_table_is_printed(run_pose, photo, capsys):
    assert run_pose(photo[0], profile=True) == 0
    said = capsys.readouterr().out
    assert all(f"\n{stage} " in said for stage in STAGES)
