import dataclasses
from itertools import islice

import cv2
import numpy as np
import pytest

from utils.cameras import Camera
from utils.crops import box_around
from utils.errors import UserError
from utils.mannequin import (
    MannequinOptions,
    MannequinSample,
    render_clip,
    render_mpii,
    render_sample,
    render_scene,
    sample_pose_sequence,
    sample_poses,
    sample_scene,
)
from utils.mannequin.angles import NAMES, SIDES, pose_row
from utils.mannequin.body import FRAMES, mpii_joints, standing
from utils.mannequin.figure import build_figure
from utils.mannequin.occluders import Occluder
from utils.mannequin.outfit import sample_outfit
from utils.skeletons import H36M_17, MPII_16

SMALL = MannequinOptions(160, 160)
CLEAN = MannequinOptions(256, 256, occluders=False, degradation=False, cropped=False)


@pytest.fixture(scope="module")
def samples() -> list[MannequinSample]:
    return [render_sample(11, i, MannequinOptions(200, 160, people=1 + i % 2)) for i in range(12)]


@pytest.fixture(scope="module")
def clean() -> list[MannequinSample]:
    return [render_sample(12, i, CLEAN) for i in range(20)]


def ground_truth(person):
    yield MPII_16, person.keypoints_2d_mpii, person.keypoints_3d_mpii, person.visibility_mpii
    yield H36M_17, person.keypoints_2d_h36m, person.keypoints_3d_h36m, person.visibility_h36m


def test_shapes_types_and_box(samples):
    for sample in samples:
        assert sample.image.shape == (160, 200, 3) and sample.image.dtype == np.uint8
        assert sample.mask.shape == (160, 200) and sample.mask.max() <= len(sample.people)
        for person in sample.people:
            for skeleton, places, points, seen in ground_truth(person):
                n = len(skeleton.joints)
                assert places.shape == (n, 2) and points.shape == (n, 3) and seen.shape == (n,)
                assert np.isfinite(places).all() and seen.dtype == bool
            expected = box_around(person.keypoints_2d_mpii, 1.25)
            np.testing.assert_allclose(person.box, expected)


def test_projecting_the_3d_joints_gives_the_2d_joints(samples):
    for sample in samples:
        fx, fy, cx, cy = sample.camera.intrinsics
        for person in sample.people:
            for _, places, points, _ in ground_truth(person):
                x, y, z = points.T
                assert (z > 0).all()
                pinhole = np.stack([fx * x / z + cx, fy * y / z + cy], -1)
                np.testing.assert_allclose(places, pinhole, atol=1e-3)
                np.testing.assert_allclose(places, sample.camera.project(points), atol=1e-3)


def test_the_camera_takes_world_joints_to_camera_joints():
    scene = sample_scene(3, 4, SMALL)
    sample = render_scene(scene)
    world = mpii_joints(scene.people[0].body, scene.people[0].posture)[0]
    camera = sample.camera
    assert isinstance(camera, Camera) and camera.image_size == (160, 160)
    found = sample.people[0].keypoints_3d_mpii
    np.testing.assert_allclose(camera.to_camera(world), found, atol=1e-6)
    np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(camera.rotation) == pytest.approx(1)


def test_both_skeletons_share_the_joints_that_they_have_in_common(samples):
    limbs = [j for j in MPII_16.joints if j in H36M_17.joints and j != "thorax"]
    assert len(limbs) == 12
    for person in (p for s in samples for p in s.people):
        np.testing.assert_array_equal(
            person.keypoints_3d_mpii[MPII_16.indices(*limbs)],
            person.keypoints_3d_h36m[H36M_17.indices(*limbs)],
        )


def test_visible_joints_lie_on_the_figure(clean):
    visible = 0
    for sample in clean:
        near = cv2.dilate((sample.mask == 1).astype(np.uint8), np.ones((5, 5), np.uint8))
        for _, places, _, seen in ground_truth(sample.people[0]):
            for x, y in np.round(places[seen]).astype(int):
                assert near[y, x]
                visible += 1
    assert visible > 500


def test_the_figure_is_where_the_joints_are_and_nowhere_else(clean):
    for sample in clean:
        y, x = np.nonzero(sample.mask)
        joints = sample.people[0].keypoints_2d_mpii
        margin = 0.35 * np.ptp(joints, axis=0).max() + 3
        assert x.min() > joints[:, 0].min() - margin and x.max() < joints[:, 0].max() + margin
        assert y.min() > joints[:, 1].min() - margin and y.max() < joints[:, 1].max() + margin


def test_uncropped_pictures_hold_every_joint(clean):
    for sample in clean:
        joints = sample.people[0].keypoints_2d_mpii
        assert joints.min() > 0 and joints.max() < 255


def test_some_joints_are_hidden_by_the_own_body(clean):
    share = np.mean([s.people[0].visibility_mpii for s in clean])
    assert 0.6 < share < 0.95


def test_pictures_do_not_depend_on_the_order_of_rendering():
    first = [render_sample(5, i, SMALL) for i in range(4)]
    again = [render_sample(5, i, SMALL) for i in reversed(range(4))][::-1]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.people[0].keypoints_3d_h36m, b.people[0].keypoints_3d_h36m)
        np.testing.assert_array_equal(a.people[0].visibility_mpii, b.people[0].visibility_mpii)
    assert not np.array_equal(first[0].image, first[1].image)
    assert not np.array_equal(first[0].image, render_sample(6, 0, SMALL).image)


def test_switching_something_off_leaves_the_rest():
    full = render_sample(5, 7, SMALL)
    for name in ("occluders", "degradation"):
        other = render_sample(5, 7, dataclasses.replace(SMALL, **{name: False}))
        np.testing.assert_array_equal(
            full.people[0].keypoints_2d_mpii, other.people[0].keypoints_2d_mpii
        )


def test_degradation_and_occluders_change_pictures():
    options = dataclasses.replace(SMALL, degradation=False)
    assert not np.array_equal(render_sample(5, 7, SMALL).image, render_sample(5, 7, options).image)
    occluded = [len(sample_scene(5, i, SMALL).occluders) for i in range(20)]
    assert 2 < np.count_nonzero(occluded) < 18
    without = dataclasses.replace(SMALL, occluders=False)
    assert not any(sample_scene(5, i, without).occluders for i in range(5))


def test_cropped_lets_people_leave_the_picture():
    def leaving(cropped: bool) -> int:
        options = MannequinOptions(64, 64, cropped=cropped)
        outside = 0
        for i in range(25):
            person = sample_scene(8, i, options)
            joints = mpii_joints(person.people[0].body, person.people[0].posture)
            places = person.cameras.project(person.cameras.to_camera(joints))
            outside += bool(((places < -0.5) | (places > 63.5)).any())
        return outside

    assert leaving(True) > 0 == leaving(False)


def coloured(seed: int, colours: dict[str, tuple[int, int, int]], **angles: float):
    """Scene of the clean data set whose person wears colours on named parts, posed if asked."""
    scene = sample_scene(seed, 0, CLEAN)
    person = scene.people[0]
    outfit = sample_outfit(np.random.default_rng(seed), person.body.femininity)
    figure = build_figure(person.body, dataclasses.replace(outfit, painted=colours))
    posture = standing(person.body, pose_row(angles)[None]) if angles else person.posture
    person = dataclasses.replace(person, figure=figure, posture=posture)
    return dataclasses.replace(scene, people=(person,))


LIMBS = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "collar")


@pytest.mark.parametrize("seed", range(8))
def test_left_limbs_are_drawn_at_left_joints(seed):
    paint = {"left": (255, 0, 0), "right": (0, 0, 255)}
    sample = render_scene(
        coloured(seed, {f"{side}_{limb}": paint[side] for side in SIDES for limb in LIMBS})
    )
    person = sample.people[0]
    checked = 0
    for joint, (x, y), seen in zip(
        MPII_16.joints, person.keypoints_2d_mpii, person.visibility_mpii, strict=True
    ):
        side, _, limb = joint.partition("_")
        if seen and limb in ("knee", "elbow", "wrist", "ankle"):
            red, _, blue = sample.image[round(y), round(x)].astype(int)
            assert (red > blue + 20) == (side == "left")
            checked += 1
    assert checked >= 3


def facing(yaw: float) -> MannequinSample:
    scene = coloured(0, {"head": (0, 255, 0), "head_extra": (0, 255, 0)}, yaw=yaw)
    joints = mpii_joints(scene.people[0].body, scene.people[0].posture)
    position = np.array([[0.0, joints[0, :, 1].mean(), -5000.0]])
    # Looks along +z with y up in the world, so that x of the picture runs against the world's.
    rotation = np.diag([-1.0, -1.0, 1.0])[None]
    cameras = scene.cameras._replace(
        rotation=rotation, position=position, intrinsics=np.array([[500, 500, 127.5, 127.5]])
    )
    return render_scene(dataclasses.replace(scene, cameras=cameras))


def test_who_faces_the_camera_has_the_left_hand_on_the_right_of_the_picture():
    left, right = MPII_16.indices("left_shoulder", "right_shoulder")
    front = facing(180).people[0].keypoints_2d_mpii
    back = facing(1e-9).people[0].keypoints_2d_mpii
    assert front[left, 0] > front[right, 0] + 10
    assert back[left, 0] < back[right, 0] - 10


def test_heads_are_drawn_at_the_head():
    sample = facing(180)
    place = dict(zip(MPII_16.joints, sample.people[0].keypoints_2d_mpii, strict=True))
    x, y = np.round((place["head_top"] + place["upper_neck"]) / 2).astype(int)
    red, green, blue = sample.image[y, x].astype(int)
    assert green > red + 30 and green > blue + 30


def standing_scene():
    """A person with arms spread, seen from behind, nothing hidden."""
    scene = coloured(1, {}, shoulder_raise=80.0)
    joints = mpii_joints(scene.people[0].body, scene.people[0].posture)
    cameras = scene.cameras._replace(
        rotation=np.diag([-1.0, -1.0, 1.0])[None],
        position=np.array([[0.0, joints[0, :, 1].mean(), -5000.0]]),
        intrinsics=np.array([[500, 500, 127.5, 127.5]]),
    )
    return dataclasses.replace(scene, cameras=cameras)


def square(place: np.ndarray, half: float, depth: float) -> Occluder:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return Occluder(place + corners, depth, np.array([[250.0, 0, 250], [250, 0, 250]]))


@pytest.mark.parametrize("hidden", ["left_wrist", "right_knee", "head_top"])
def test_an_occluder_hides_the_joints_behind_it_and_no_other(hidden):
    scene = standing_scene()
    before = render_scene(scene).people[0]
    assert before.visibility_mpii.all() and before.visibility_h36m.all()
    place = before.keypoints_2d_mpii[MPII_16.index(hidden)]
    after = render_scene(dataclasses.replace(scene, occluders=(square(place, 6, 3000),)))
    expected = np.abs(before.keypoints_2d_mpii - place).max(axis=1) > 6
    np.testing.assert_array_equal(after.people[0].visibility_mpii, expected)
    x, y = np.round(place).astype(int)
    red, green, _ = after.image[y, x].astype(int)
    assert red > 200 and green < 50 and after.mask[y, x] == 0


def test_what_stands_behind_a_person_hides_nothing():
    scene = standing_scene()
    place = np.array([127.5, 127.5])
    behind = render_scene(dataclasses.replace(scene, occluders=(square(place, 200, 9000),)))
    assert behind.people[0].visibility_mpii.all()


def test_a_hand_behind_the_back_is_hidden_and_seen_from_the_other_side():
    scene = standing_scene()
    arm = {
        "shoulder_direction": -60.0,
        "shoulder_raise": 30.0,
        "elbow_flex": 70.0,
        "shoulder_twist": 75.0,
    }
    seen = {}
    for yaw in (0.0, 180.0):
        row = pose_row(arm | {"yaw": yaw})[None]
        person = dataclasses.replace(scene.people[0], posture=standing(scene.people[0].body, row))
        result = render_scene(dataclasses.replace(scene, people=(person,))).people[0]
        seen[yaw] = result.visibility_mpii[MPII_16.indices("left_wrist", "right_wrist")]
    assert seen[0.0].all() and not seen[180.0].any()


def test_the_nearer_of_two_people_hides_the_other():
    scene = standing_scene()
    person = scene.people[0]
    nearer = dataclasses.replace(person, posture=person.posture.moved(np.array([0, 0, -900.0])))
    sample = render_scene(dataclasses.replace(scene, people=(person, nearer)))
    far, near = sample.people
    assert near.visibility_mpii.all()
    assert not far.visibility_mpii[MPII_16.indices("pelvis", "thorax", "upper_neck")].any()
    assert np.count_nonzero(sample.mask == 2) > np.count_nonzero(sample.mask == 1)


def test_people_stand_apart_and_each_has_its_own_ground_truth():
    options = MannequinOptions(256, 256, people=3, cropped=False, occluders=False)
    for index in range(6):
        sample = render_sample(21, index, options)
        assert set(np.unique(sample.mask)) == {0, 1, 2, 3}
        a, b, c = (p.keypoints_3d_mpii for p in sample.people)
        for one, other in ((a, b), (a, c), (b, c)):
            assert np.linalg.norm(one[:, None] - other, axis=-1).min() > 200
        for number, person in enumerate(sample.people, start=1):
            own = cv2.dilate((sample.mask == number).astype(np.uint8), np.ones((5, 5), np.uint8))
            for x, y in np.round(person.keypoints_2d_mpii[person.visibility_mpii]).astype(int):
                assert own[y, x]


def test_clips_move_smoothly_before_a_still_background():
    options = MannequinOptions(128, 128, occluders=False, degradation=False)
    frames = list(render_clip(4, 20, 25.0, options))
    assert [f.time for f in frames] == pytest.approx(np.arange(20) / 25)
    joints = np.stack([f.people[0].keypoints_3d_mpii for f in frames])
    step = np.linalg.norm(np.diff(joints, axis=0), axis=-1)
    assert 0 < step.max() < 600
    assert step.mean() > 2
    height = [
        np.linalg.norm(j[MPII_16.index("left_knee")] - j[MPII_16.index("left_ankle")])
        for j in joints
    ]
    assert np.ptp(height) < 1e-6
    places = np.stack([f.people[0].keypoints_2d_mpii for f in frames])
    assert places.min() > 0 and places.max() < 127
    free = np.all([f.mask == 0 for f in frames], axis=0)
    free = cv2.erode(free.astype(np.uint8), np.ones((3, 3), np.uint8))
    corners = free[:4, :4].all() and free[:4, -4:].all()
    assert corners
    for frame in frames[1:]:
        np.testing.assert_array_equal(frame.image[:4, :4], frames[0].image[:4, :4])


def test_a_clip_repeats_itself_and_starts_at_once():
    one = next(islice(render_clip(4, 500, 25.0, SMALL), 3, None))
    other = next(islice(render_clip(4, 500, 25.0, SMALL), 3, None))
    np.testing.assert_array_equal(one.image, other.image)


def test_two_people_cross_in_a_clip():
    frames = list(render_clip(9, 12, 4.0, MannequinOptions(96, 96, people=2, occluders=False)))
    hip = H36M_17.index("hip")
    side = [
        f.people[0].keypoints_2d_h36m[hip, 0] - f.people[1].keypoints_2d_h36m[hip, 0]
        for f in frames
    ]
    assert side[0] * side[-1] < 0
    assert all((f.mask == 1).any() or (f.mask == 2).any() for f in frames)


def test_the_short_form_for_training_is_the_same_picture():
    image, joints, seen, box = render_mpii(5, 3, SMALL)
    sample = render_sample(5, 3, SMALL)
    np.testing.assert_array_equal(image, sample.image)
    np.testing.assert_array_equal(joints, sample.people[0].keypoints_2d_mpii)
    np.testing.assert_array_equal(seen, sample.people[0].visibility_mpii)
    np.testing.assert_array_equal(box, sample.people[0].box)


def test_poses_without_pictures_project_by_their_cameras():
    for poses in (sample_poses(1, 0, 50), sample_pose_sequence(1, 0, 50)):
        assert poses.keypoints_3d_h36m.shape == (50, 17, 3)
        for points, places in (
            (poses.keypoints_3d_mpii, poses.keypoints_2d_mpii),
            (poses.keypoints_3d_h36m, poses.keypoints_2d_h36m),
        ):
            focal, centre = poses.intrinsics[:, None, :2], poses.intrinsics[:, None, 2:]
            expected = points[..., :2] / points[..., 2:] * focal + centre
            np.testing.assert_allclose(places, expected, atol=1e-3)
    again = sample_poses(1, 0, 50)
    np.testing.assert_array_equal(again.keypoints_3d_h36m, sample_poses(1, 0, 50).keypoints_3d_h36m)
    assert not np.array_equal(again.keypoints_3d_h36m, sample_poses(1, 1, 50).keypoints_3d_h36m)


def test_a_sequence_is_continuous_and_its_camera_at_rest():
    poses = sample_pose_sequence(2, 3, 100, fps=50.0)
    assert (poses.intrinsics == poses.intrinsics[0]).all()
    step = np.linalg.norm(np.diff(poses.keypoints_3d_h36m, axis=0), axis=-1)
    assert 0 < step.max() < 300


@pytest.mark.parametrize("values", [{"width": 8}, {"height": 0}, {"people": 0}])
def test_impossible_options_are_a_users_error(values):
    with pytest.raises(UserError):
        MannequinOptions(**values)


def test_every_frame_has_a_place_in_the_body():
    body = sample_scene(0, 0, SMALL).people[0].body
    assert body.offsets.shape == (len(FRAMES), 3)
    assert len(NAMES) == pose_row({}).size
