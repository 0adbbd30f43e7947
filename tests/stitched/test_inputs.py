"""What the user names, and what it stands for. The files are empty: only names matter here."""

import os

import pytest

from stitched.inputs import expand_inputs, natural_order


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("10.jpg", "2.JPG", "1.png", "clip.mp4", "notes.txt", ".hidden.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "photos" / name).touch()
    (tmp_path / "photos" / "deeper").mkdir()
    (tmp_path / "photos" / "deeper" / "3.jpg").touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*inputs):
    sources, errors = expand_inputs(inputs)
    assert errors == []
    return [(source.kind, source.name) for source in sources]


def test_folder_is_its_pictures_and_videos_in_natural_order(folder):
    assert names("photos") == [
        ("picture", os.path.join("photos", "1.png")),
        ("picture", os.path.join("photos", "2.JPG")),
        ("picture", os.path.join("photos", "10.jpg")),
        ("video", os.path.join("photos", "clip.mp4")),
    ]


def test_natural_order_counts_by_value_at_every_place(tmp_path):
    wanted = [tmp_path / name for name in ("a2b9.jpg", "A2b10.jpg", "a10b1.jpg", "b.jpg")]
    assert natural_order(reversed(wanted)) == wanted


def test_patterns_that_the_shell_left_alone(folder):
    assert [name for _, name in names("photos/*.[jJ]*")] == ["photos/2.JPG", "photos/10.jpg"]
    assert names("photos/**/3.jpg") == [("picture", "photos/deeper/3.jpg")]
    assert len(names("photos/*")) == 4


def test_file_whose_name_looks_like_a_pattern_or_a_webcam(folder):
    (folder / "a[1].jpg").touch()
    (folder / "7").touch()
    assert names("a[1].jpg", "7", "8") == [
        ("picture", "a[1].jpg"),
        ("picture", "7"),
        ("webcam", "8"),
    ]


def test_each_file_once_and_remembers_what_named_it(folder):
    sources, _ = expand_inputs(
        ["photos/10.jpg", "photos", str(folder / "photos" / "1.png"), "0", "0"]
    )
    assert [source.given for source in sources] == ["photos/10.jpg"] + ["photos"] * 3 + ["0"]


def test_a_gif_that_states_a_size_beyond_reason_is_left_to_who_reads_it(folder):
    (folder / "huge.gif").write_bytes(b"GIF89a" + b"\xff" * 4 + bytes(30))
    assert names("huge.gif") == [("picture", "huge.gif")]


def test_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert names("~/photos/1.png") == [("picture", str(folder / "photos" / "1.png"))]
    (folder / "~photo.png").write_bytes((folder / "photos" / "1.png").read_bytes())
    assert names("~photo.png") == [("picture", "~photo.png")]


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ("http://example.org/a.jpg", "download"),
        ("rtsp://camera/1", "download"),
        ("missing.jpg", "no such file or folder"),
        ("~nobody_of_this_name/a.jpg", "no such file or folder"),
        ("photos/*.gif", "no picture or video matches"),
        ("photos/*.txt", "no picture or video matches"),
        ("empty", "no picture or video in"),
        ("", "empty name"),
        ("a" * 5000, ""),
    ],
)
def test_what_cannot_be_used_is_named_and_the_rest_kept(folder, given, cause):
    sources, errors = expand_inputs([given, "photos/1.png"])
    assert [source.name for source in sources] == ["photos/1.png"]
    (error,) = errors
    # Of a message that is too long the middle is left out.
    assert given[:500] in str(error) and cause in str(error)
    assert "\n" not in str(error)
