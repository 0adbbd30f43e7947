"""What travels with the weights."""

import json
import math
from dataclasses import replace

import pytest

from twod_threed.temporal.description import TemporalDescription, description_from_metadata
from twod_threed.temporal.model import TemporalArchitecture
from utils.errors import UserError
from utils.skeletons import COCO_17, HUMANEVA_15

ONE = TemporalDescription(
    architecture=TemporalArchitecture(widths=(3, 5), channels=32, causal=True),
    normalisation="view",
    standard_size=3300.0,
    frame_rate=25.0,
)
OTHER = TemporalDescription(
    architecture=TemporalArchitecture(joints_in=17, joints_out=15, dense=True),
    normalisation="screen",
    standard_size=3100.5,
    skeleton_2d=COCO_17.name,
    joints_2d=COCO_17.joints,
    skeleton_3d=HUMANEVA_15.name,
    joints_3d=HUMANEVA_15.joints,
    trajectory=True,
)


@pytest.mark.parametrize("one", [ONE, OTHER])
def test_metadata_bring_it_back(one: TemporalDescription) -> None:
    found = description_from_metadata(json.loads(json.dumps(one.as_metadata())), "weights")
    assert math.isnan(found.frame_rate) == math.isnan(one.frame_rate)
    assert replace(found, frame_rate=1.0) == replace(one, frame_rate=1.0)


def test_metadata_are_strict_json() -> None:
    assert json.dumps(OTHER.as_metadata(), allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joints_2d": ("hip",)}, "16 joints go in, but 1 are named"),
        ({"joints_3d": COCO_17.joints}, "joints that go out are not of h36m_17"),
        ({"skeleton_2d": "nobody"}, "joints that go in are not of nobody"),
        ({"normalisation": "other"}, "screen or view, not other"),
        ({"standard_size": 0.0}, "larger than 0"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(ONE, **changes)


def test_view_is_for_whole_human36m_poses() -> None:
    with pytest.raises(UserError, match="view is for all joints of h36m_17"):
        replace(OTHER, normalisation="view")


def test_other_models_and_damage_are_named() -> None:
    with pytest.raises(UserError, match="x holds a lifter, not a temporal"):
        description_from_metadata({"kind": "lifter"}, "x")
    metadata = ONE.as_metadata()
    del metadata["joints_2d"]
    with pytest.raises(UserError, match=r"x: its description is damaged \('joints_2d'\)"):
        description_from_metadata(metadata, "x")
