"""Several people, whose boxes a file tells, with a network that sees coloured squares."""

from pathlib import Path

import numpy as np
import pytest

from stacked_hourglass.joints import FoundJoints
from stitched.inputs import Source
from stitched.options import PeopleOptions
from stitched.people import PeopleFinder
from utils.errors import UserError
from utils.frames import Frame
from utils.images import write_image
from utils.pose_file import read_poses
from utils.video import VideoWriter

HEAD = "source,frame,cx,cy,side"


def crowd(paint, lefts, tops=(20, 190), side=120):
    """A picture of 400 x 340 px with people of `side` px; -> it, their joints and their boxes."""
    image = np.zeros((340, 400, 3), np.uint8)
    corners = list(zip(lefts, tops, strict=True))
    joints = [paint(image, left, top, side) for left, top in corners]
    boxes = [(left + side / 2, top + side / 2, 1.3 * side) for left, top in corners]
    return image, joints, boxes


def write_boxes(path, rows):
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([HEAD, *lines]))
    return str(path)


def test_people_of_a_picture_are_looked_at_together_each_in_their_box(
    run_pose, predictor, paint, tmp_path, out, capsys
):
    image, joints, boxes = crowd(paint, (30, 250))
    write_image(tmp_path / "crowd.png", image)
    write_image(tmp_path / "empty.png", image[:, :20])
    rows = [("crowd.png", 0, *box) for box in boxes] + [("empty.png", 5, 1, 1, 1)]
    file = write_boxes(tmp_path / "boxes.csv", rows)
    assert run_pose(tmp_path / "crowd.png", tmp_path / "empty.png", boxes=file) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.person.tolist() == [0, 1, 0]
    np.testing.assert_allclose(poses.box[:2], boxes)
    for points, truth in zip(poses.keypoints_2d[:2], joints, strict=True):
        assert np.linalg.norm(points - truth, axis=-1).max() < 1.5
    assert poses.found.tolist() == [True, True, False]
    assert predictor.batches == [2]
    assert "crowd.png: 2 people" in capsys.readouterr().out


def test_a_crowd_is_looked_at_in_parts(predictor, paint, tmp_path, monkeypatch):
    monkeypatch.setattr("stitched.people.AT_ONCE", 3)
    image, joints, boxes = crowd(paint, (30, 250))
    rows = [("crowd.png", 0, *boxes[n % 2]) for n in range(7)]
    finder = PeopleFinder(predictor, PeopleOptions(boxes=write_boxes(tmp_path / "b.csv", rows)))
    (seen,) = finder.in_pictures([Source("picture", "crowd.png", "crowd.png")], [image])
    assert predictor.batches == [3, 3, 1]
    for number, sighting in seen:
        assert np.linalg.norm(sighting.keypoints - joints[number % 2], axis=-1).max() < 1.5


@pytest.mark.parametrize("name", ["poses.npz", "poses.json"])
def test_the_file_of_boxes_is_not_written_over(run_pose, photo, out, name):
    assert run_pose(photo[0]) == 0
    before = (out / name).read_bytes()
    with pytest.raises(UserError, match=f"cannot write .*{name}: it is read for this"):
        run_pose(photo[0], boxes=str(out / name))
    assert (out / name).read_bytes() == before


def test_no_more_people_than_asked_for(run_pose, paint, tmp_path, out):
    image, _, boxes = crowd(paint, (30, 250))
    write_image(tmp_path / "crowd.png", image)
    file = write_boxes(tmp_path / "boxes.csv", [("crowd.png", 0, *box) for box in boxes])
    assert run_pose(tmp_path / "crowd.png", boxes=file, people=1) == 0
    np.testing.assert_allclose(read_poses(out / "poses.npz").box, boxes[:1])


@pytest.fixture
def crossing(tmp_path, paint):
    """A video of two people who cross, boxes in an order that changes; the second is hidden from
    frame 8 to 11. -> path, boxes file and the joints (frames, 2, 16, 2)."""
    path, joints, rows = tmp_path / "crossing.mp4", [], []
    with VideoWriter(path, 400, 340, 10) as writer:
        for i in range(20):
            image, people, boxes = crowd(paint, (10 + 14 * i, 270 - 14 * i))
            hidden = 8 <= i < 12
            if hidden:
                image[165:] = 0
            writer.write(image)
            joints.append(people)
            order = [0] if hidden else [i % 2, 1 - i % 2]
            rows += [("crossing.mp4", i, *boxes[person]) for person in order]
    return path, write_boxes(tmp_path / "boxes.csv", rows), np.array(joints)


def test_two_who_cross_and_one_who_is_hidden_for_a_while(run_pose, crossing, out):
    path, file, joints = crossing
    assert run_pose(path, boxes=file) == 0
    poses = read_poses(out / "poses.npz")
    # Everybody has a row in each frame, NaN where they are not seen.
    assert poses.frame.tolist() == [i for i in range(20) for _ in range(2)]
    assert poses.person.tolist() == [0, 1] * 20
    for person in (0, 1):
        rows = poses.select(poses.person == person)
        seen = [person == 0 or not 8 <= i < 12 for i in range(20)]
        assert rows.found.tolist() == seen
        error = np.linalg.norm(rows.keypoints_2d - joints[:, person], axis=-1)[seen]
        # The compression smears a few squares; the other one is far farther away.
        assert np.median(error, axis=1).max() < 12
        assert (rows.confidence[np.logical_not(seen)] == 0).all()


def test_numbers_of_the_file_are_kept(run_pose, crossing, tmp_path, out):
    path, file, _ = crossing
    lines = Path(file).read_text().splitlines()
    numbered = [HEAD + ",person", *(line + f",{7 + i % 2}" for i, line in enumerate(lines[1:3]))]
    (tmp_path / "numbered.csv").write_text("\n".join(numbered))
    assert run_pose(path, boxes=str(tmp_path / "numbered.csv"), end=0.35) == 0
    poses = read_poses(out / "poses.npz")
    assert list(zip(poses.frame.tolist(), poses.person.tolist(), strict=True)) == [
        (0, 7), (0, 8), (1, 7), (2, 7), (3, 7),
    ]  # fmt: skip


def test_source_without_boxes_is_named_and_the_rest_done(
    run_pose, crossing, photo, clip, out, capsys
):
    path, file, _ = crossing
    assert run_pose(photo[0], clip[0], path, boxes=file, end=0.25) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "no boxes for" in errors[0] and str(photo[0]) in errors[0] and str(clip[0]) in errors[1]
    assert set(read_poses(out / "poses.npz").source) == {str(path)}


def test_unsure_people_are_nobody(predictor, paint, tmp_path):
    image, _, boxes = crowd(paint, (30, 250))
    image[165:] //= 3
    file = write_boxes(tmp_path / "b.csv", [("crowd.png", 0, *box) for box in boxes])
    finder = PeopleFinder(predictor, PeopleOptions(boxes=file, min_confidence=0.6))
    (seen,) = finder.in_pictures([Source("picture", "crowd.png", "")], [image])
    assert [one.is_somebody for _, one in seen] == [True, False]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"people": 2}, "--detector torchvision"),
        ({"people": 0}, "--people"),
        ({"scales": ()}, "--scales"),
        ({"scales": (1, 2.5)}, "--scales"),
        ({"boxes": "a.csv", "detector": "torchvision"}, "not both"),
    ],
)
def test_options_that_make_no_sense(options, words):
    with pytest.raises(UserError, match=words):
        PeopleOptions(**options)


def test_flip_is_for_pictures_and_flip_video_for_videos():
    asked = []

    class Network:
        skeleton = "mpii_16"

        def __call__(self, images, boxes, flip=True):
            asked.append(flip)
            corners = np.linspace((0, 0), (8, 8), 16, dtype=np.float32)
            return FoundJoints(corners[None], np.ones((1, 16), np.float32))

    image, source = np.zeros((9, 9, 3), np.uint8), Source("picture", "a.png", "")
    for options in (PeopleOptions(), PeopleOptions(flip=False, flip_video=True)):
        finder = PeopleFinder(Network(), options)
        finder.in_pictures([source], [image])
        finder.in_video(source)(Frame(0, 0.0, image))
    assert asked == [True, False, False, True]
