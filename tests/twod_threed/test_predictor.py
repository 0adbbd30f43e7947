from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.small_poses import lenses, poses_3d
from twod_threed.alignment import SIZE_PER_HEIGHT, about_hip, body_size
from twod_threed.description import LifterDescription
from twod_threed.model import Lifter, LifterArchitecture
from twod_threed.predictor import FIELD_OF_VIEW, LiftingModel, guess_intrinsics, load_lifter
from twod_threed.views import project_mpii
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, H36M_17, MPII_16
from utils.weights import save_weights

STANDARD = 3300.0


def description() -> LifterDescription:
    return LifterDescription(LifterArchitecture(linear_size=16, num_stage=1), STANDARD)


def untrained() -> LiftingModel:
    torch.manual_seed(0)
    one = description()
    return LiftingModel(Lifter(one.architecture).eval(), one, "cpu")


def knowing(answers: Callable[[torch.Tensor], torch.Tensor]) -> LiftingModel:
    """A model whose network is replaced."""
    model = untrained()
    model.network = answers  # pyright: ignore[reportAttributeAccessIssue]
    return model


def perfect(poses: torch.Tensor, pixels: torch.Tensor) -> LiftingModel:
    """A model whose network knows the true targets."""
    one = description().normaliser()
    _, view = one.inputs(pixels, lenses(len(poses)).float())
    targets = one.targets(poses, view, body_size(poses))
    return knowing(lambda _: targets)


@pytest.fixture
def seen() -> tuple[torch.Tensor, torch.Tensor]:
    poses = poses_3d(7).float()
    return poses, project_mpii(poses, lenses(7).float())


def test_a_perfect_network_gives_poses_and_places_at_the_body_s_size(seen) -> None:
    poses, pixels = seen
    lifted = perfect(poses, pixels).lift(pixels.numpy(), "mpii_16", intrinsics=lenses(7).numpy())
    factor = (STANDARD / body_size(poses))[:, None]
    assert np.allclose(lifted.poses, about_hip(poses) * factor[..., None], atol=0.1)
    # A body so many times as large stands so many times as far.
    assert np.allclose(lifted.root_camera, poses[:, 0] * factor, atol=1.0)


def test_height_sets_the_size(seen) -> None:
    poses, pixels = seen
    model = perfect(poses, pixels)
    lifted = model.lift(pixels.numpy(), "mpii_16", intrinsics=lenses(7).numpy(), height=1500.0)
    assert np.allclose(body_size(torch.from_numpy(lifted.poses)), 1500 * SIZE_PER_HEIGHT, rtol=1e-4)


def test_a_video_has_one_size_and_keeps_the_changes_within(seen) -> None:
    _, pixels = seen
    model = untrained()
    how = {"skeleton": "mpii_16", "intrinsics": lenses(7).numpy()}
    single, video = model.lift(pixels.numpy(), **how), model.lift(pixels.numpy(), **how, video=True)
    sizes = body_size(torch.from_numpy(video.poses))
    assert float(sizes.median()) == pytest.approx(STANDARD, rel=1e-4)
    factor = video.poses[:, 1:] / single.poses[:, 1:]
    assert np.allclose(factor, factor.flat[0], rtol=1e-3) and abs(factor.flat[0] - 1) > 0.01


def test_batches_do_not_matter(seen) -> None:
    _, pixels = seen
    model = untrained()
    whole = model.lift(pixels.numpy(), "mpii_16", image_size=np.array([960, 1040]))
    parts = model.lift(pixels.numpy(), "mpii_16", image_size=np.array([960, 1040]), batch_size=3)
    assert np.allclose(whole.poses, parts.poses, atol=1e-2)
    one = model.lift(pixels[:1].numpy(), "mpii_16", image_size=np.array([[960, 1040]]))
    assert np.allclose(one.poses[0], whole.poses[0], atol=1e-2)
    assert model.lift(pixels[:0].numpy(), "mpii_16", image_size=np.zeros((0, 2))).poses.shape == (
        0,
        17,
        3,
    )


def test_absent_joints_give_a_pose_and_absent_people_none(seen) -> None:
    _, pixels = seen
    points = pixels.numpy().copy()
    points[0, MPII_16.indices("left_wrist", "left_hip")] = np.nan
    points[1] = np.nan
    lifted = untrained().lift(points, "mpii_16", image_size=np.array([960, 1040]))
    nothing = np.isnan(lifted.poses).all(axis=(1, 2))
    assert nothing.tolist() == [False, True] + [False] * 5
    assert np.isfinite(lifted.poses[0]).all() and np.isfinite(lifted.root_camera[0]).all()
    assert np.isnan(lifted.root_camera[1]).all()


def test_other_skeletons_are_converted(seen) -> None:
    _, pixels = seen
    model, size = untrained(), np.array([960, 1040])
    coco = convert(pixels.numpy(), MPII_16, COCO_17).poses
    straight = convert(coco, COCO_17, MPII_16).poses
    first = model.lift(coco, "coco_17", image_size=size)
    assert np.allclose(first.poses, model.lift(straight, "mpii_16", image_size=size).poses)


def test_unknown_cameras_are_guessed() -> None:
    sizes = np.array([[1920, 1080], [480, 640], [1920, 1080]])
    found = guess_intrinsics(sizes)
    half = np.tan(np.radians(FIELD_OF_VIEW) / 2)
    assert np.allclose(found[0], [960 / half, 960 / half, 959.5, 539.5])
    assert np.allclose(found[1], [320 / half, 320 / half, 239.5, 319.5])
    assert np.array_equal(found[0], found[2])
    assert np.allclose(guess_intrinsics(sizes, focal=700.0)[:, :2], 700)
    narrow = guess_intrinsics(sizes, field_of_view=30.0)
    assert (narrow[:, :2] > found[:, :2]).all() and np.array_equal(narrow[:, 2:], found[:, 2:])


def test_weights_are_loaded_with_what_they_need_and_others_refused(tmp_path: Path) -> None:
    one = description()
    model = Lifter(one.architecture)
    save_weights(tmp_path / "w.safetensors", model.state_dict(), one.as_metadata())
    loaded, found = load_lifter(str(tmp_path / "w.safetensors"))
    assert found == one
    assert torch.equal(loaded.last.weight, model.last.weight)
    save_weights(tmp_path / "o.safetensors", model.state_dict(), {"kind": "stacked_hourglass"})
    with pytest.raises(UserError, match="holds a stacked_hourglass, not a lifter"):
        load_lifter(str(tmp_path / "o.safetensors"))


def test_h36m_joints_are_those_of_the_answer(seen) -> None:
    poses, pixels = seen
    lifted = perfect(poses, pixels).lift(pixels.numpy(), "mpii_16", intrinsics=lenses(7).numpy())
    names = dict(zip(H36M_17.joints, lifted.poses[0], strict=True))
    knee = (poses[0, H36M_17.index("left_knee")] - poses[0, 0]) * STANDARD / body_size(poses)[0]
    assert np.allclose(names["left_knee"], knee, atol=0.1)
