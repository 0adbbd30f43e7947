"""`--boxes FILE`."""

import numpy as np
import pytest

from stitched.boxes_file import Boxes, BoxesFile
from utils.errors import UserError
from utils.pose_file import concatenate, empty_row, write_poses
from utils.pose_json import write_pose_json


def table(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return BoxesFile(str(path))


def numbers(boxes: Boxes) -> list[int]:
    assert boxes.people is not None
    return boxes.people.tolist()


def test_table_with_people(tmp_path):
    file = table(
        tmp_path / "boxes.csv",
        "frame, source, cx, cy, side, person",
        "0,clip.mp4,10,20.5,30,7",
        "0,clip.mp4,40,50,60,8",
        "3,clip.mp4,11,21,31,7",
        "0,other.jpg,1,2,3,0",
    )
    boxes = file.of("clip.mp4", 0)
    np.testing.assert_array_equal(boxes.places, [[10, 20.5, 30], [40, 50, 60]])
    assert numbers(boxes) == [7, 8]
    assert file.of("clip.mp4", 3).places.tolist() == [[11, 21, 31]]
    nobody = file.of("clip.mp4", 1)
    assert nobody.places.shape == (0, 3) and numbers(nobody) == []


def test_table_without_people(tmp_path):
    file = table(tmp_path / "boxes.csv", "source,frame,cx,cy,side", "a.png,0,1,2,3")
    assert file.of("a.png", 0).people is None


def test_at_most_so_many():
    boxes = Boxes(np.arange(9.0).reshape(3, 3), np.array([4, 5, 6]))
    assert numbers(boxes.first(None)) == [4, 5, 6]
    assert boxes.first(2).places.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert numbers(boxes.first(2)) == [4, 5]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_pose_file_gives_the_boxes_of_its_rows(tmp_path, suffix):
    rows = concatenate([empty_row("clip.mp4", (64, 48), "mpii_16", frame=i) for i in range(3)])
    rows.box[:2] = [[1, 2, 3], [4, 5, 6]]
    rows.person[:] = 5
    path = tmp_path / f"poses{suffix}"
    (write_poses if suffix == ".npz" else write_pose_json)(path, rows)
    file = BoxesFile(str(path))
    assert file.of("clip.mp4", 1).places.tolist() == [[4, 5, 6]]
    assert numbers(file.of("clip.mp4", 1)) == [5]
    assert len(file.of("clip.mp4", 2).places) == 0


def test_source_is_found_by_path_or_by_a_name_that_is_the_only_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = "source,frame,cx,cy,side"
    file = table(
        tmp_path / "b.csv", head, "one/a.jpg,0,1,1,1", "two/a.jpg,0,2,2,2", "b.jpg,0,3,3,3"
    )
    assert file.of(str(tmp_path / "one" / "a.jpg"), 0).places[0, 0] == 1
    assert file.of("./two/../two/a.jpg", 0).places[0, 0] == 2
    assert file.of("somewhere/b.jpg", 0).places[0, 0] == 3
    with pytest.raises(UserError, match=r"2 sources of this name for a\.jpg"):
        file.check("a.jpg")
    with pytest.raises(UserError, match=r"no boxes for c\.jpg"):
        file.check("c.jpg")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["source,frame,cx,cy"], "no column side"),
        ([""], "no column source"),
        (["source,frame,cx,cy,side", "a,0,x,1,1"], "line 2: not a box .could not convert"),
        (["source,frame,cx,cy,side", "a,0,1,1,1", "a,0,1"], "line 3: not a box"),
        (["source,frame,cx,cy,side", "a,0,1,1,0"], "line 2: a box without a side"),
        (["source,frame,cx,cy,side", "a,nan,1,1,1"], "frame without a number"),
        (["source,frame,cx,cy,side,person", "a,0,1,1,1,bob"], "line 2: not a box"),
        (["frame,cx,cy,side,source", "0,1,2,3"], "line 2: not a box"),
        (["source,frame,cx,cy,side", "a,0.6,1,1,1"], "frame without a number"),
        (["source,frame,cx,cy,side", "a,0,1,1,1e-50"], "a box without a side"),
    ],
)
def test_damaged_table_is_one_line_that_names_it(tmp_path, lines, words):
    with pytest.raises(UserError, match=words) as raised:
        table(tmp_path / "boxes.csv", *lines)
    assert str(tmp_path / "boxes.csv") in str(raised.value) and "\n" not in str(raised.value)


PEOPLE = ["source,frame,cx,cy,side,person", "a.mp4,0,1,1,9,3", "a.mp4,1,1,1,9,3", "b,0,1,1,9,3"]


def test_a_person_twice_in_a_frame_is_named(tmp_path):
    assert len(table(tmp_path / "boxes.csv", *PEOPLE).of("a.mp4", 1).places) == 1
    with pytest.raises(UserError) as raised:
        table(tmp_path / "boxes.csv", *PEOPLE, "a.mp4,1,5,5,9,4", "a.mp4,1,5,5,9,3")
    path = tmp_path / "boxes.csv"
    assert str(raised.value) == f"{path}: person 3 is there twice in frame 1 of a.mp4"
    rows = concatenate([empty_row("c.jpg", (64, 48), "mpii_16") for _ in range(2)])
    write_poses(tmp_path / "poses.npz", rows)
    BoxesFile(str(tmp_path / "poses.npz"))  # rows without a box are nobody
    rows.box[:] = [1, 2, 3]
    write_poses(tmp_path / "poses.npz", rows)
    with pytest.raises(
        UserError, match=r"poses\.npz: person 0 is there twice in frame 0 of c\.jpg"
    ):
        BoxesFile(str(tmp_path / "poses.npz"))


def test_absent_file(tmp_path):
    with pytest.raises(UserError, match=r"no\.csv"):
        BoxesFile(str(tmp_path / "no.csv"))
