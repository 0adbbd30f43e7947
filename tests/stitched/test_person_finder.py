"""The person finder, with a network that sees coloured squares."""

import numpy as np
import pytest

from stacked_hourglass.joints import FoundJoints
from stitched.person_finder import (
    MARGIN,
    SEARCH_EVERY,
    SHRINK,
    ZOOMS,
    Follower,
    Sighting,
    find_people,
    look,
    part_boxes,
)
from utils.crops import whole_image_box
from utils.skeletons import MPII_16


def picture(width=640, height=480):
    return np.zeros((height, width, 3), np.uint8)


def error(sighting, truth):
    return np.linalg.norm(sighting.keypoints - truth, axis=-1).max()


def test_closer_look_finds_what_the_whole_picture_is_too_coarse_for(predictor, paint):
    image = picture()
    truth = paint(image, 400, 250, 150)
    whole = look(predictor, [image], whole_image_box(640, 480)[None], True)[0]
    found = find_people(predictor, [image])[0]
    assert error(whole, truth) > 4
    assert error(found, truth) < 1.5
    assert found.mean_confidence > whole.mean_confidence
    assert found.box[2] < 260


def test_person_who_fills_the_picture_needs_one_look(predictor, paint):
    image = picture(300, 300)
    truth = paint(image, 45, 45, 210)
    found = find_people(predictor, [image])[0]
    assert predictor.batches == [1]
    assert error(found, truth) < 3
    np.testing.assert_array_equal(found.box, whole_image_box(300, 300))


def test_worse_closer_look_is_thrown_away():
    class FarSighted:
        """The bigger the box, the surer; always the same small person."""

        skeleton = "mpii_16"

        def __call__(self, images, boxes, flip=True):
            square = np.random.default_rng(0).uniform(100, 140, (16, 2)).astype(np.float32)
            confidence = np.minimum(boxes[:, 2:] / 640, 1) * np.ones((1, 16))
            return FoundJoints(
                np.repeat(square[None], len(images), 0), confidence.astype(np.float32)
            )

    found = find_people(FarSighted(), [picture()])[0]
    np.testing.assert_array_equal(found.box, whole_image_box(640, 480))
    assert found.mean_confidence == 1


class Standing:
    """A figure of 300 px, whose lower legs are seen only in a box that is close and holds them."""

    skeleton = "mpii_16"
    joints = np.zeros((16, 2), np.float32)
    lower = MPII_16.indices("left_knee", "right_knee", "left_ankle", "right_ankle")

    def __init__(self):
        self.joints[:] = np.linspace((320, 100), (340, 260), 16)
        self.joints[MPII_16.indices("upper_neck")] = (330, 130)
        self.joints[MPII_16.indices("left_hip", "right_hip")] = [(345, 250), (315, 250)]
        self.joints[self.lower] = [(345, 330), (315, 330), (345, 400), (315, 400)]

    def __call__(self, images, boxes, flip=True):
        inside = np.abs(self.joints - boxes[:, None, :2]).max(-1) <= boxes[:, 2:] / 2
        close = np.ones((len(boxes), 16), bool)
        close[:, self.lower] = boxes[:, 2:] < 600
        sure = np.where(inside & close, 0.9, 0.1).astype(np.float32)
        return FoundJoints(np.repeat(self.joints[None], len(boxes), 0), sure)


def test_a_closer_box_leaves_room_for_legs_that_were_not_seen():
    predictor = Standing()
    whole = look(predictor, [picture()], whole_image_box(640, 480)[None], True)[0]
    assert (whole.confidence[predictor.lower] < 0.2).all()
    found = find_people(predictor, [picture()])[0]
    assert (found.confidence > 0.8).all()
    assert found.box[2] < 500


class Stray:
    """A figure of 100 px, one joint of which seems to be 400 px away, unless the box is close."""

    skeleton = "mpii_16"
    joints = np.linspace((520, 150), (540, 250), 16).astype(np.float32)

    def __call__(self, images, boxes, flip=True):
        found = np.repeat(self.joints[None], len(boxes), 0)
        wide = boxes[:, 2] > 400
        found[wide, 0] = (120, 240)
        sure = np.where(wide, 0.8, 0.85).astype(np.float32)
        return FoundJoints(found, np.repeat(sure[:, None], 16, 1))


def test_a_stray_joint_does_not_keep_the_box_wide():
    whole = look(Stray(), [picture()], whole_image_box(640, 480)[None], True)[0]
    assert whole.keypoints[0, 0] == 120
    found = find_people(Stray(), [picture()])[0]
    np.testing.assert_array_equal(found.keypoints, Stray.joints)


def test_pictures_are_looked_at_together_and_each_as_if_alone(predictor, paint):
    images = [picture(), picture(200, 300), picture(640, 200)]
    paint(images[0], 400, 250, 150)
    paint(images[2], 30, 30, 100)
    together = find_people(predictor, images)
    assert predictor.batches[:2] == [3, 2]
    for image, sighting in zip(images, together, strict=True):
        alone = find_people(predictor, [image])[0]
        np.testing.assert_array_equal(sighting.keypoints, alone.keypoints)
        np.testing.assert_array_equal(sighting.box, alone.box)
    assert together[1].mean_confidence == 0


def test_small_person_is_searched_for_in_parts_of_the_picture(predictor, paint):
    images = [picture(1600, 900), picture(1600, 900)]
    paint(images[0], 1300, 500, 300)
    truth = paint(images[1], 1200, 600, 90)
    assert find_people(predictor, images, search_below=0)[1].mean_confidence < 0.1
    predictor.batches.clear()
    found = find_people(predictor, images)
    assert error(found[1], truth) < 1.5
    assert found[1].mean_confidence > 0.9
    parts = sum(len(part_boxes(1600, 900, zoom)) for zoom in ZOOMS)
    assert predictor.batches.count(parts) == 1


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1, 1), (3000, 10), (7, 5)])
@pytest.mark.parametrize("zoom", [1.0, 1.5, 2.25])
def test_parts_cover_the_picture_and_overlap_by_half(width, height, zoom):
    boxes = part_boxes(width, height, zoom)
    side = max(width, height) / zoom
    assert (boxes[:, 2] == np.float32(side)).all()
    y, x = np.mgrid[:height, :width]
    inside = np.abs(np.stack([x, y], -1)[..., None, :] - boxes[:, :2]) <= side / 2 + 1e-3
    covered = inside.all(-1)
    assert covered.any(-1).all()
    assert covered.sum(-1).max() <= 9
    assert (boxes[:, 2] < max(width, height)).all() or zoom == 1


def test_nobody_is_nan_with_confidence_zero():
    sighting = Sighting(np.ones(3), np.ones((16, 2)), np.full(16, 0.2), "mpii_16")
    assert sighting.unless_below(0.2) is sighting
    nobody = sighting.unless_below(0.21)
    assert np.isnan(nobody.keypoints).all()
    assert np.isnan(nobody.box).all()
    assert (nobody.confidence == 0).all()


def test_joints_that_were_never_learned_do_not_make_a_person_unsure():
    keypoints, confidence = np.ones((16, 2)), np.full(16, 0.8)
    keypoints[:8], confidence[:8] = np.nan, 0
    assert Sighting(np.ones(3), keypoints, confidence, "mpii_16").mean_confidence == 0.8
    assert Sighting.nobody("mpii_16").mean_confidence == 0


def test_flip_reaches_the_network():
    asked = []

    class Network:
        skeleton = "mpii_16"

        def __call__(self, images, boxes, flip=True):
            asked.append(flip)
            corners = np.linspace((0, 0), (639, 479), 16, dtype=np.float32)
            return FoundJoints(corners[None], np.ones((1, 16), np.float32))

    network = Network()
    find_people(network, [picture()], flip=False)
    find_people(network, [picture()], flip=True)
    Follower(network, 0.2, flip=False)(picture())
    assert asked == [False, True, False]


def test_follower_takes_one_look_a_frame_and_keeps_up(predictor, paint):
    follower = Follower(predictor, 0.2)
    for step in range(40):
        image = picture()
        truth = paint(image, 20 + 11 * step, 250, 120)
        if step == 1:
            predictor.batches.clear()
        sighting = follower(image)
        assert error(sighting, truth) < 2
    # Besides, once more the whole frame and the closer look that follows from it.
    assert len(predictor.batches) == 39 + 2


def test_follower_box_moves_and_grows_at_once_and_shrinks_slowly(predictor, paint):
    follower = Follower(predictor, 0.2)
    boxes = []
    for left, side in ((100, 150), (100, 150), (105, 165), (120, 120), (120, 120), (120, 120)):
        image = picture()
        paint(image, left, 200, side)
        boxes.append(follower(image).box)
    # The box of a frame comes from the joints of the frame before.
    np.testing.assert_allclose(boxes[2], boxes[1], atol=4)
    np.testing.assert_allclose(boxes[3], [187.5, 282.5, 165 * MARGIN], atol=4)
    np.testing.assert_allclose(boxes[4][:2], [180, 260], atol=3)
    assert boxes[4][2] == pytest.approx(SHRINK * boxes[3][2])
    assert boxes[5][2] == pytest.approx(SHRINK * boxes[4][2])


def test_follower_finds_the_person_again_after_a_cut_and_reports_absence(predictor, paint):
    follower = Follower(predictor, 0.2)
    first, empty, last = picture(), picture(), picture()
    paint(first, 30, 30, 120)
    truth = paint(last, 450, 300, 130)
    follower(first)
    assert error(follower(last), truth) < 1.5
    gone = follower(empty)
    assert np.isnan(gone.keypoints).all() and (gone.confidence == 0).all()
    assert error(follower(last), truth) < 1.5


def test_follower_searches_the_frame_when_surer_elsewhere(predictor, paint):
    follower = Follower(predictor, 0.05)
    first, faint = picture(), picture()
    paint(first, 30, 30, 120)
    paint(faint, 30, 30, 120)
    faint //= 3
    follower(first)
    truth = paint(faint, 400, 250, 200)
    assert error(follower(faint), truth) < 3


def test_follower_searches_parts_of_few_frames_while_nobody_is_there(predictor):
    follower = Follower(predictor, 0.2)
    for _ in range(2 * SEARCH_EVERY):
        follower(picture())
    parts = sum(len(part_boxes(640, 480, zoom)) for zoom in ZOOMS)
    assert predictor.batches.count(parts) == 2
    assert predictor.batches.count(1) == 2 * SEARCH_EVERY + 2


class Elsewhere:
    """Somebody in a wide box a little above what counts as found, in a close one a little below."""

    skeleton = "mpii_16"
    joints = np.linspace((300, 150), (340, 350), 16).astype(np.float32)

    def __call__(self, images, boxes, flip=True):
        sure = np.where(boxes[:, 2] > 400, 0.49, 0.44).astype(np.float32)
        found = np.repeat(self.joints[None], len(boxes), 0)
        return FoundJoints(found, np.repeat(sure[:, None], 16, 1))


def test_follower_loses_nobody_whom_the_whole_frame_shows():
    follower = Follower(Elsewhere(), 0.45)
    assert all(follower(picture()).mean_confidence > 0.45 for _ in range(4))


class Heap:
    """Sure of all joints, in one place."""

    skeleton = "mpii_16"

    def __call__(self, images, boxes, flip=True):
        assert (boxes[:, 2] > 0).all()
        return FoundJoints(
            np.full((len(boxes), 16, 2), 30, np.float32), np.full((len(boxes), 16), 0.8, np.float32)
        )


def test_joints_in_one_place_still_have_a_box():
    assert find_people(Heap(), [picture()])[0].mean_confidence == pytest.approx(0.8)
