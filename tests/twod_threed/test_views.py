"""Virtual cameras: what they show, from where, and how the ranges that are stated are kept."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.fake_h36m import standing
from twod_threed.pairs import PosePairs
from twod_threed.view_ranges import ViewRanges
from twod_threed.views import draw_views, frame_points, project_mpii, stored_views
from utils.cameras import Camera
from utils.errors import UserError
from utils.mocap.store import VALIDITY, MotionStore, make_store
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

Y_UP_FROM_Z_UP = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])


def people(count: int = 2000, seed: int = 0) -> torch.Tensor:
    """(count, 17, 3) mm, y up: standing, crouching, lying and reaching, all over a field."""
    rng = np.random.default_rng(seed)
    poses = standing(count, seed) * rng.uniform(0.5, 1.2, (count, 1, 3))
    lying = rng.random(count) < 0.2
    poses[lying] = poses[lying][..., [0, 2, 1]]
    poses[:, H36M_17.index("right_wrist")] += rng.normal(0, 400, (count, 3))
    poses += rng.uniform(-3000, 3000, (count, 1, 3)) * [1, 1, 0.1]
    return torch.tensor(poses @ Y_UP_FROM_Z_UP.T, dtype=torch.float32)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def share_filled(points: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
    return ((points.amax(dim=1) - points.amin(dim=1)) / size).amax(dim=1)


# --- projection --------------------------------------------------------------------------------


def test_projection_is_that_of_the_calibrated_camera():
    rng = np.random.default_rng(0)
    poses = rng.uniform(-800, 800, (6, 17, 3)) + np.array([0, 0, 4000])
    intrinsics = rng.uniform([900, 900, 400, 400], [1200, 1200, 600, 600], (6, 4))
    lenses = rng.normal(0, [[0.2, 0.2, 0.01, 0.002, 0.002]], (2, 5))[[0, 1, 1, 0, 1, 0]]
    seen = project_mpii(*(torch.tensor(a) for a in (poses, intrinsics, lenses)))
    plain = project_mpii(torch.tensor(poses), torch.tensor(intrinsics))
    for row in range(6):
        k1, k2, k3, p1, p2 = lenses[row].tolist()
        place = np.eye(3), np.zeros(3), intrinsics[row], (1000, 1000)
        points = convert(poses[row], H36M_17, MPII_16).poses
        camera = Camera(*place, (k1, k2, k3), (p1, p2))
        np.testing.assert_allclose(seen[row], camera.project(points), atol=1e-9)
        np.testing.assert_allclose(plain[row], Camera(*place).project(points), atol=1e-9)
    one = project_mpii(torch.tensor(poses), torch.tensor(intrinsics[0]), torch.tensor(lenses[0]))
    np.testing.assert_allclose(one[0], seen[0], atol=1e-9)


def test_unknown_joints_stay_unknown_in_2d():
    poses = people(3)
    poses[1, H36M_17.index("left_wrist")] = torch.nan
    poses[2, H36M_17.index("head")] = torch.nan
    views = draw_views(poses, generator())
    seen = project_mpii(views.to_camera(poses), views.intrinsics).isnan().any(dim=-1)
    assert not seen[0].any()
    assert [MPII_16.joints[j] for j in seen[1].nonzero()[:, 0]] == ["left_wrist"]
    assert [MPII_16.joints[j] for j in seen[2].nonzero()[:, 0]] == ["head_top"]


# --- drawn cameras -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    poses = people()
    return poses, draw_views(poses, generator()), ViewRanges()


def test_rotations_are_rotations(drawn):
    _, views, _ = drawn
    turns = views.rotation.double()
    torch.testing.assert_close(
        turns @ turns.mT, torch.eye(3).double().expand_as(turns), atol=2e-6, rtol=0
    )
    torch.testing.assert_close(
        torch.linalg.det(turns), torch.ones(2000).double(), atol=2e-6, rtol=0
    )


def test_everybody_is_in_front_and_in_the_picture(drawn):
    poses, views, ranges = drawn
    seen = views.to_camera(poses)
    distance = (convert(poses, H36M_17, MPII_16).poses - views.position[:, None]).norm(dim=-1)
    assert (distance > ranges.nearest - 1).all() and (seen[..., 2] > 100).all()
    points = project_mpii(seen, views.intrinsics)
    assert (points >= -0.5).all() and (points <= views.image_size[:, None] - 0.5).all()


def test_what_is_drawn_keeps_to_its_range(drawn):
    _, views, ranges = drawn
    focal = views.intrinsics[:, 0]
    torch.testing.assert_close(focal, views.intrinsics[:, 1])
    torch.testing.assert_close(views.intrinsics[:, 2:], (views.image_size - 1) / 2)
    field = torch.rad2deg(2 * torch.atan(views.image_size.amax(dim=1) / 2 / focal))
    assert (field > 39.99).all() and (field < 80.01).all()
    assert abs(field.mean() - 60) < 1 and abs(field.std() - 40 / 12**0.5) < 1, "uniform"
    up = -views.rotation[:, :, 1]
    roll = torch.rad2deg(torch.atan2(up[:, 0], up[:, 1]))
    assert (roll.abs() < 10.01).all() and abs(roll.mean()) < 0.4
    assert abs(roll.std() - 10 / 6**0.5) < 0.3, "triangular"
    sizes = {tuple(size) for size in views.image_size.int().tolist()}
    assert sizes == set(ranges.image_sizes)


def test_places_of_the_cameras(drawn):
    poses, views, ranges = drawn
    points = convert(poses, H36M_17, MPII_16).poses
    low, high = points.amin(dim=1), points.amax(dim=1)
    middle = (low + high) / 2
    away = views.position - middle
    height = views.position[:, 1] - low[:, 1]
    steep = torch.rad2deg(torch.asin(away[:, 1] / away.norm(dim=1)))
    # The cameras' own boxes around the person are turned, so that their middles differ a little.
    assert steep.abs().quantile(0.99) < ranges.steepest + 3 and steep.abs().max() < 60
    free = steep.abs() < ranges.steepest - 15
    assert (height[free] > 295).all() and (height[free] < 3005).all()
    assert 1400 < height.median() < 1800
    azimuth = torch.atan2(away[:, 0], away[:, 2])
    quarters = torch.histc(azimuth, 8, -np.pi, np.pi) / len(azimuth)
    assert (quarters > 0.09).all() and (quarters < 0.16).all(), "from all sides"


def test_people_fill_what_was_drawn_unless_too_near(drawn):
    poses, views, _ = drawn
    points = project_mpii(views.to_camera(poses), views.intrinsics)
    filled = share_filled(points, views.image_size)
    assert (filled < 1).all() and filled.quantile(0.995) < 0.97 and filled.quantile(0.005) > 0.27
    low, high = filled.quantile(torch.tensor([0.1, 0.5]))
    assert 0.32 < low < 0.42 and 0.5 < high < 0.66


def test_people_stand_all_over_the_picture_or_in_its_middle():
    poses = people(500)
    spread = {}
    for off_centre in (0.0, 0.9):
        views = draw_views(poses, generator(), ViewRanges(off_centre=off_centre))
        points = project_mpii(views.to_camera(poses), views.intrinsics)
        middle = (points.amin(dim=1) + points.amax(dim=1)) / 2 / views.image_size
        spread[off_centre] = middle.std(dim=0)
    assert (spread[0.0] < 0.02).all() and (spread[0.9] > 0.08).all()


def test_above_one_people_are_cut_off():
    poses = people(500)
    views = draw_views(poses, generator(), ViewRanges(off_centre=2.0))
    points = project_mpii(views.to_camera(poses), views.intrinsics)
    outside = (points < -0.5) | (points > views.image_size[:, None] - 0.5)
    assert 0.2 < outside.any(dim=-1).any(dim=-1).float().mean() < 0.9


def test_narrow_ranges_are_kept_to():
    ranges = ViewRanges(
        field_of_view=(50, 50),
        fill=(0.5, 0.5),
        roll=(5, 5),
        height=(1500, 1500),
        off_centre=0.5,
        image_sizes=((800, 600),),
    )
    poses = people(200)
    views = draw_views(poses, generator(), ranges)
    focal = 400 / np.tan(np.radians(25))
    expected = torch.tensor([focal, focal, 399.5, 299.5], dtype=torch.float32)
    torch.testing.assert_close(views.intrinsics, expected.expand(200, 4))
    points = project_mpii(views.to_camera(poses), views.intrinsics)
    np.testing.assert_allclose(share_filled(points, views.image_size), 0.5, atol=0.03)
    lowest = convert(poses, H36M_17, MPII_16).poses[..., 1].amin(dim=1)
    height = views.position[:, 1] - lowest
    assert (height < 1500.1).all() and (height > 1499.9).float().mean() > 0.95, "few are too near"
    roll = torch.rad2deg(torch.atan2(-views.rotation[:, 0, 1], -views.rotation[:, 1, 1]))
    np.testing.assert_allclose(roll, 5, atol=1e-3)


def test_the_world_may_have_another_upward_direction():
    y_up = people(50)
    z_up = y_up @ torch.tensor(Y_UP_FROM_Z_UP, dtype=torch.float32)
    views = draw_views(z_up, generator(), up=(0.0, 0.0, 1.0))
    height = views.position[:, 2] - convert(z_up, H36M_17, MPII_16).poses[..., 2].amin(dim=1)
    assert (height > 200).all() and (height < 3005).all()
    head, ankle = MPII_16.indices("head_top", "left_ankle")
    standing_up = z_up[:, H36M_17.index("head"), 2] - z_up[:, H36M_17.index("left_ankle"), 2] > 700
    points = project_mpii(views.to_camera(z_up), views.intrinsics)[standing_up]
    assert len(points) > 10 and (points[:, head, 1] < points[:, ankle, 1]).all()


def test_the_right_hand_is_on_the_left_of_who_faces_the_camera():
    poses = torch.tensor(standing(300) @ Y_UP_FROM_Z_UP.T, dtype=torch.float32)
    views = draw_views(poses, generator())
    points = project_mpii(views.to_camera(poses), views.intrinsics)
    right, left = MPII_16.indices("right_shoulder", "left_shoulder")
    # They face -z: forward of the figure, +y with z up, is -z with y up.
    facing = views.position[:, 2] - poses[:, 0, 2]
    clear = facing.abs() > 0.7 * (views.position - poses[:, 0])[:, [0, 2]].norm(dim=1)
    mirrored = points[:, right, 0] < points[:, left, 0]
    assert clear.sum() > 50
    np.testing.assert_array_equal(mirrored[clear], facing[clear] < 0)


def test_one_seed_one_draw():
    poses = people(20)
    first, again, other = (draw_views(poses, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.rotation, again.rotation)
    assert torch.equal(first.intrinsics, again.intrinsics)
    assert not torch.equal(first.position, other.position)


def test_poses_with_nothing_known_break_nothing():
    poses = people(4)
    clean = draw_views(poses, generator())
    poses[2] = torch.nan
    views = draw_views(poses, generator())
    for part in (views.rotation, views.position, views.intrinsics):
        assert part.isfinite().all()
    torch.testing.assert_close(views.rotation[[0, 1, 3]], clean.rotation[[0, 1, 3]])


def test_double_precision_stays_double():
    views = frame_points(people(3).double(), generator())
    assert views.rotation.dtype == views.intrinsics.dtype == torch.float64


@pytest.mark.parametrize(
    "change",
    [
        {"field_of_view": (80, 40)},
        {"field_of_view": (0, 40)},
        {"field_of_view": (40, 170)},
        {"fill": (0, 0.5)},
        {"fill": (0.5, 1.5)},
        {"nearest": 0},
        {"off_centre": -1},
        {"steepest": 60},
        {"image_sizes": ()},
    ],
)
def test_impossible_ranges_are_refused(change):
    with pytest.raises(UserError, match="virtual cameras"):
        ViewRanges(**change)


# --- stored views ------------------------------------------------------------------------------


def store(names=("walk", "fall"), frames=(40, 25), head=True) -> MotionStore:
    """People who wander through 4 m; the head is invalid on demand."""
    clips, flags = [], []
    for name, count in zip(names, frames, strict=True):
        seed = sum(map(ord, name))
        clip = standing(count, seed) @ Y_UP_FROM_Z_UP.T
        clip = clip + np.linspace(0, 4000, count)[:, None, None] * [1, 0, 0.3]
        flag = np.zeros(17, np.uint8)
        if not head:
            flag[H36M_17.index("head")] = VALIDITY.index("invalid")
            clip[:, H36M_17.index("head")] = np.nan
        clips.append(clip)
        flags.append(flag)
    subjects = [f"cmu/{name}" for name in names]
    rates = [60.0] * len(names)
    return make_store(clips, names, ["cmu"] * len(names), subjects, names, rates, flags)


def test_one_camera_holds_a_whole_clip():
    motion = store()
    pairs = stored_views(motion, seed=1)
    assert len(pairs) == 65 and len(pairs.intrinsics) == 2 and pairs.up.tolist() == [0, 1, 0]
    assert pairs.source_names()[[0, -1]].tolist() == ["cmu/walk/camera0", "cmu/fall/camera0"]
    assert pairs.subjects[0] == "cmu/walk" and pairs.frame_rates.tolist() == [60, 60]
    np.testing.assert_allclose(pairs.world_poses(), motion.positions, atol=0.02)
    size = pairs.image_size[pairs.camera][:, None]
    assert (pairs.poses_2d > -0.5).all() and (pairs.poses_2d < size - 0.5).all()
    for row in (0, 30, 64):
        points = convert(pairs.poses_3d[row], H36M_17, MPII_16).poses
        np.testing.assert_allclose(
            pairs.camera_of(row).project(points), pairs.poses_2d[row], atol=0.01
        )


def rows_of(pairs: PosePairs, clip: str) -> PosePairs:
    return pairs.select(pairs.clip_names[pairs.clip] == clip)


@pytest.mark.parametrize("per_frame", [False, True])
def test_other_clips_change_nothing(per_frame):
    options: dict[str, Any] = {"seed": 5, "every": 2, "camera_per_frame": per_frame}
    alone = stored_views(store(("fall",), (25,)), **options)
    among = rows_of(
        stored_views(store(("new", "walk", "fall"), (9, 40, 25)), **options), "cmu/fall"
    )
    np.testing.assert_array_equal(alone.poses_3d, among.poses_3d)
    np.testing.assert_array_equal(alone.poses_2d, among.poses_2d)
    options["seed"] = 6
    other = stored_views(store(("fall",), (25,)), **options)
    assert not np.allclose(alone.poses_2d, other.poses_2d)


def test_every_nth_frame_is_seen_by_the_camera_of_the_whole_clip():
    whole, fifth = stored_views(store(), 0), stored_views(store(), 0, every=5)
    assert fifth.frame.tolist() == [*range(0, 40, 5), *range(0, 25, 5)]
    np.testing.assert_array_equal(fifth.poses_2d, whole.select(whole.frame % 5 == 0).poses_2d)


def test_several_cameras_a_clip():
    pairs = stored_views(store(), 0, cameras=3)
    assert len(pairs) == 3 * 65 and len(pairs.intrinsics) == 6
    walk = rows_of(pairs, "cmu/walk")
    assert list(dict.fromkeys(walk.source_names())) == [f"cmu/walk/camera{n}" for n in range(3)]
    assert walk.frame.tolist() == [*range(40)] * 3
    np.testing.assert_allclose(walk.world_poses()[:40], walk.world_poses()[80:], atol=0.02)


def test_a_camera_for_each_frame():
    pairs = stored_views(store(), 0, cameras=2, camera_per_frame=True)
    assert len(pairs.intrinsics) == len(pairs) == 130
    np.testing.assert_allclose(pairs.world_poses(slice(40)), store().clip(0), atol=0.02)
    names, counts = np.unique(pairs.source_names(), return_counts=True)
    assert counts.tolist() == [25, 25, 40, 40] and names[0] == "cmu/fall/camera0"


def test_joints_that_a_source_lacks_are_not_valid_and_not_seen():
    pairs = stored_views(store(head=False), 0)
    head = H36M_17.index("head")
    assert not pairs.valid[:, head].any() and pairs.valid.sum() == 65 * 16
    unseen = np.isnan(pairs.poses_2d[..., 0])
    assert unseen[:, MPII_16.index("head_top")].all() and unseen.sum() == 65


def test_no_motion_is_refused():
    with pytest.raises(UserError, match="no motion"):
        stored_views(make_store([], [], [], [], [], [], []), 0)
