"""The commands of the README that are marked as tested, as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from utils.images import list_images, write_image
from utils.mannequin import MannequinOptions, render_clip
from utils.pose_file import read_poses
from utils.video import VideoReader, VideoWriter

ROOT = Path(__file__).parents[1]
SIZE = 96


def marked_blocks() -> list[list[str]]:
    """Commands of each block under a `<!-- tested -->`."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- tested -->\n```\n(.*?)```", text, re.DOTALL)
    return [block.splitlines() for block in blocks]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder but for photo.jpg, photos/ and clip.mp4, as a user might have."""
    look = MannequinOptions(SIZE, SIZE)
    images = [sample.image for sample in render_clip(1, 4, options=look)]
    write_image(tmp_path / "photo.jpg", images[0])
    for number, image in enumerate(images[:2]):
        write_image(tmp_path / "photos" / f"{number}.jpg", image)
    with VideoWriter(tmp_path / "clip.mp4", SIZE, SIZE, 25) as video:
        for image in images:
            video.write(image)
    return tmp_path


def run_commands(commands: list[str], folder: Path) -> None:
    for command in commands:
        python, script, *words = shlex.split(command)
        assert python == "python"
        done = subprocess.run(
            [sys.executable, str(ROOT / script), *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_four_blocks_are_marked():
    assert len(marked_blocks()) == 4


def test_poses_of_pictures_and_videos(folder: Path):
    run_commands(marked_blocks()[0], folder)
    assert (folder / "visualizations/pose/photo_pose.jpg").is_file()
    mine = folder / "visualizations/mine"
    poses = read_poses(mine / "poses.npz")
    assert poses.source.tolist() == ["photos/0.jpg", "photos/1.jpg"] + ["clip.mp4"] * 4
    with VideoReader(mine / "clip_pose.mp4") as video:
        assert len(list(video)) == 4


def test_in_3d(folder: Path):
    run_commands(marked_blocks()[1], folder)
    clip = folder / "visualizations/clip"
    poses = read_poses(clip / "poses.npz")
    assert poses.keypoints_3d is not None and poses.keypoints_3d.shape == (4, 17, 3)
    assert np.isfinite(poses.keypoints_3d[poses.found]).all()
    assert (clip / "clip_person0.bvh").is_file() == bool(poses.found.any())
    assert (clip / "clip_interactive.html").is_file()


def test_somebody_else_moves_like_that(folder: Path):
    run_commands(marked_blocks()[2], folder)
    for name in ("dance.mp4", "side_by_side.mp4"):
        with VideoReader(folder / "visualizations/dance" / name) as video:
            assert len(list(video)) == 4


def test_training_with_nothing_downloaded(folder: Path):
    run_commands(marked_blocks()[3], folder)
    run = folder / "model_checkpoints/hourglass_mannequin_toy"
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors", "history.csv"}
    assert expected <= {path.name for path in run.iterdir()}
    assert list((folder / "tb_logs/hourglass_mannequin_toy").iterdir())
    poses = read_poses(folder / "visualizations/hourglass/poses.npz")
    assert len(poses) == 8 and np.isfinite(poses.keypoints_2d).all()
    assert len(list_images(folder / "visualizations/toy_overlay")) == 2
    assert not read_poses(folder / "visualizations/toy/poses.npz").found.any()
