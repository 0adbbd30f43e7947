import numpy as np
import pytest

from stacked_hourglass.joints import FoundJoints
from stitched import demo
from stitched.demo_options import DemoOptions
from utils.errors import UserError
from utils.mannequin import MannequinOptions, render_clip
from utils.pose_file import read_poses
from utils.pose_json import read_pose_json
from utils.skeletons import MPII_16
from utils.video import VideoReader


def standing_people(count: int) -> np.ndarray:
    """Joints (count, 16, 2) px of people whose heads are 20 px long."""
    truth = np.random.default_rng(0).uniform(0, 500, (count, 16, 2))
    truth[:, MPII_16.index("head_top")] = truth[:, MPII_16.index("upper_neck")] - (0, 20)
    return truth


def test_report_counts_joints_within_half_a_head():
    truth = standing_people(4)
    found = truth + np.array([3, 4])
    found[0] += (30, 0)
    # A quarter is sqrt(33^2 + 4^2) px off, more than half a head of 20 px; the rest 5 px.
    mean = (3 * 5 + np.hypot(33, 4)) / 4
    report = demo.error_report(found, truth)
    assert report.startswith("75.0 % of all joints")
    assert "(10 px)" in report and report.endswith(f"mean distance {mean:.1f} px")


def test_report_counts_missing_joints_as_wrong():
    truth = standing_people(2)
    found = truth.copy()
    found[0, :8] = np.nan
    assert demo.error_report(found, truth).startswith("75.0 %")
    assert demo.error_report(found, truth).endswith("mean distance 0.0 px")
    assert demo.error_report(np.full_like(truth, np.nan), truth).endswith("none found")


class Oracle:
    """Knows the clip by heart: gives the true joints of the frame that it is shown."""

    skeleton = "mpii_16"
    resolution = 64

    def __init__(self, options: DemoOptions) -> None:
        look = MannequinOptions(
            options.size, options.size, occluders=False, degradation=False, cropped=False
        )
        self.clip = list(render_clip(options.seed, options.frames, demo.FPS, look))

    def __call__(self, images, boxes, flip=True):
        joints = [self.true_joints(image) for image in images]
        found = np.stack(joints).astype(np.float32)
        return FoundJoints(found, np.ones((len(images), 16), np.float32))

    def true_joints(self, image: np.ndarray) -> np.ndarray:
        gaps = [np.abs(sample.image.astype(float) - image).mean() for sample in self.clip]
        return self.clip[int(np.argmin(gaps))].people[0].keypoints_2d_mpii


def test_demo_measures_against_what_it_rendered(tmp_path, capsys: pytest.CaptureFixture[str]):
    options = DemoOptions(str(tmp_path), frames=4, size=64, seed=3)
    oracle = Oracle(options)
    assert demo.run(options, lambda *_: oracle) == 0
    report = capsys.readouterr().out
    assert "100.0 % of all joints" in report and "mean distance 0.0 px" in report
    assert str(tmp_path / "mannequin_pose.mp4") in report
    truth = np.stack([sample.people[0].keypoints_2d_mpii for sample in oracle.clip])
    for poses in (read_poses(tmp_path / "poses.npz"), read_pose_json(tmp_path / "poses.json")):
        np.testing.assert_allclose(poses.keypoints_2d, truth, atol=1e-3)
    with VideoReader(tmp_path / "mannequin_pose.mp4") as video:
        assert len(list(video)) == options.frames
    for name in ("dance.mp4", "side_by_side.mp4"):
        with VideoReader(tmp_path / "dance" / name) as video:
            assert len(list(video)) == options.frames


@pytest.mark.parametrize("wrong", [{"frames": 1}, {"size": 10}, {"seed": -1}])
def test_impossible_options_are_refused(wrong: dict[str, int]):
    with pytest.raises(UserError, match=f"--{next(iter(wrong))} must"):
        DemoOptions(**wrong)  # pyright: ignore[reportArgumentType]
