"""`viz.py temporal_render`: spellings, misuse, what is lifted, frame rates, exports, films."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.scored_pairs import as_poses, hip_relative, make_pairs
from tests.twod_threed.temporal import public_videopose
from tests.twod_threed.temporal.known_networks import describe, write_networks
from tests.twod_threed.temporal.render_options import render_options
from twod_threed.pairs import write_pairs
from twod_threed.temporal import visualization
from twod_threed.temporal.evaluation import evaluate
from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from twod_threed.temporal.inference import lift_films
from twod_threed.temporal.inference_options import FilmOptions, WeightsOptions
from twod_threed.temporal.options import (
    TemporalDataOptions,
    TemporalTrainOptions,
    train_defaults,
)
from twod_threed.temporal.predictor import TemporalLiftingModel
from twod_threed.temporal.training import train
from twod_threed.temporal.visualization import temporal_render
from twod_threed.temporal.visualization_options import TemporalRenderOptions
from twod_threed.temporal.viz_options import VizOptions
from utils.command_line import Options, parse_options
from utils.errors import UserError
from utils.pose_file import write_poses
from utils.skeletons import H36M_17
from utils.video import VideoReader
from utils.video_writer import VideoWriter

PAIRS = make_pairs([("S1", "Walk", "h36m", 12), ("S2", "Walk", "h36m", 8)])
PROGRAM = "viz.py temporal_render"


def parse(words: str) -> TemporalRenderOptions:
    return parse_options(Options("Render.", TemporalRenderOptions), words.split(), PROGRAM)


@pytest.fixture
def folder(tmp_path) -> Path:
    """With pairs, weights, and a pose file of a video with its own 3D."""
    write_pairs(tmp_path / "pairs.npz", PAIRS)
    write_networks(tmp_path / "net.safetensors", describe("mpii_16", normalisation="view"))
    one = PAIRS.select(slice(0, 12))
    poses = as_poses(one, hip_relative(one))
    poses = replace(poses, root_camera=one.poses_3d[:, 0], time=poses.frame / 50.0)
    write_poses(tmp_path / "poses.npz", poses)
    return tmp_path


def options(folder: Path, **chosen: Any) -> TemporalRenderOptions:
    known: dict[str, Any] = {
        "dataset": "mocap",
        "data_dir": str(folder / "pairs.npz"),
        "weights": WeightsOptions(load=str(folder / "net.safetensors"), accelerator="cpu"),
        "viz_subject": "S1",
        "viz_output": folder / "film.mp4",
        "viz_size": 1,
    }
    return render_options(**known | chosen)


def of_file(folder: Path, **chosen: Any) -> TemporalRenderOptions:
    known: dict[str, Any] = {
        "poses": str(folder / "poses.npz"),
        "weights": WeightsOptions(load=""),
        "viz_subject": "",
    }
    return options(folder, **known | chosen)


def lifted(folder: Path, flip: bool = True, **known: Any):
    model = TemporalLiftingModel.load(str(folder / "net.safetensors"), "cpu")
    poses = as_poses(PAIRS.select(slice(0, 12)), None)
    poses = replace(poses, intrinsics=PAIRS.intrinsics[PAIRS.camera[:12]])
    found = lift_films(model, poses, FilmOptions(fps=50.0, **known), flip)
    assert found.keypoints_3d is not None and found.root_camera is not None
    return found.keypoints_3d + found.root_camera[:, None]


def film(folder: Path, name: str = "film.mp4") -> tuple[int, int, float, int]:
    """Width, height, frames per second, frames."""
    with VideoReader(folder / name) as video:
        return video.width, video.height, video.fps, len(list(video))


@pytest.mark.parametrize("hyphens", [True, False])
def test_the_published_spellings_are_taken(hyphens):
    words = (
        "-d humaneva15 -k detectron_pt_coco -c checkpoint --evaluate pretrained.bin "
        "--viz-subject Validate/S2 --viz-action Walking --viz-camera 1 --viz-video v.avi "
        "--viz-skip 115 --viz-output he.gif --viz-bitrate 1000 --viz-no-ground-truth "
        "--viz-limit 60 --viz-downsample 2 --viz-size 3 --viz-export e.npy -no-tta --causal"
    )
    if not hyphens:
        words = words.replace("--viz-", "--viz_").replace("no-ground-truth", "no_ground_truth")
    chosen = parse(words)
    assert chosen == render_options(
        dataset="humaneva15",
        keypoints="detectron_pt_coco",
        weights=WeightsOptions(
            load="pretrained.bin",
            checkpoint_dir="checkpoint",
            causal=True,
            no_test_time_augmentation=True,
        ),
        viz_subject="Validate/S2",
        viz_action="Walking",
        viz_camera=1,
        viz_video=Path("v.avi"),
        viz_skip=115,
        viz_output=Path("he.gif"),
        viz_bitrate=1000,
        viz_no_ground_truth=True,
        viz_limit=60,
        viz_downsample=2,
        viz_size=3,
        viz_export=Path("e.npy"),
    )


def test_the_published_defaults_hold():
    chosen = parse("--viz_subject S11 --viz_action Walking --viz_output a.mp4 --load m")
    assert (chosen.dataset, chosen.viz.viz_camera, chosen.viz.viz_skip) == ("h36m", 0, 0)
    assert (chosen.viz.viz_bitrate, chosen.viz.viz_limit, chosen.viz.viz_downsample) == (
        3000,
        -1,
        1,
    )
    assert (
        chosen.viz.viz_size == 5
        and chosen.viz.viz_video is None
        and not chosen.viz.viz_no_ground_truth
    )
    assert chosen.weights.load == "m"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "say where to with --viz_output FILE.mp4 or --viz_export FILE.npz"),
        ("--viz_output a.avi", "--viz_output a.avi must end in .mp4 or .gif"),
        ("--viz_export a.txt", "--viz_export a.txt must end in .npy or .npz"),
        ("--viz_output a.mp4 --viz_limit 0", "--viz_limit must be -1 or at least 1"),
        ("--viz_output a.mp4 --viz_downsample 0", "--viz_downsample must be at least 1"),
        ("--viz_output a.mp4 --viz_size 0", "--viz_size must be at least 1"),
        ("--viz_output a.mp4 --viz_bitrate 0", "--viz_bitrate must be at least 1"),
        ("--viz_output a.mp4 --viz_camera -1", "--viz_camera and --viz_skip count from 0"),
        ("--viz_output a.mp4 --viz_skip 3", "--viz_skip goes with --viz_video"),
        ("--viz_output a.mp4 --person 3", "--person goes with --poses"),
        ("--viz_output a.mp4 --poses p --viz_action a", "--viz_action goes with a data set"),
        ("--viz_output a.mp4 --seed -1", "--seed must not be negative"),
    ],
)
def test_misuse_is_refused(words, message):
    with pytest.raises(UserError, match=message):
        parse(words)


def test_a_film_of_a_data_set(folder, capsys):
    assert temporal_render(options(folder)) == 0
    assert film(folder) == (304, 100, pytest.approx(50), 12)
    assert capsys.readouterr().out == f"rendered 12 frames of S1/Walk/0/cam: {folder}/film.mp4\n"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"viz_no_ground_truth": True}, (202, 100, 50, 12)),
        ({"viz_limit": 5}, (304, 100, 50, 5)),
        ({"viz_limit": 500}, (304, 100, 50, 12)),
        ({"viz_downsample": 2}, (304, 100, 25, 6)),
        ({"viz_downsample": 2, "viz_limit": 4}, (304, 100, 25, 4)),
        ({"viz_size": 2}, (604, 200, 50, 12)),
    ],
)
def test_each_option_does_what_it_says(folder, change, expected):
    temporal_render(options(folder, **change))
    width, height, fps, frames = expected
    assert film(folder) == (width, height, pytest.approx(fps), frames)


def test_a_gif(folder):
    temporal_render(options(folder, viz_output=folder / "film.gif", viz_downsample=2))
    assert film(folder, "film.gif") == (304, 100, pytest.approx(25), 6)


def test_exports_are_of_the_whole_film_in_the_camera_frame(folder):
    expected = lifted(folder)
    for name in ("e.npy", "e.npz"):
        chosen = options(folder, viz_output=None, viz_export=folder / name, viz_limit=3)
        temporal_render(chosen)
    joints = np.load(folder / "e.npy", allow_pickle=False)
    np.testing.assert_allclose(joints, expected, rtol=1e-4)
    assert joints.shape == (12, 17, 3) and not (folder / "film.mp4").exists()
    with np.load(folder / "e.npz", allow_pickle=False) as content:
        np.testing.assert_array_equal(content["joints_camera"], joints)
        assert content["joint_names"].tolist() == list(H36M_17.joints)
        assert content["frame"].tolist() == list(range(12)) and content["frame_rate"] == 50
    # Where the person is seen: the hip projects to the hips in the picture.
    flat = joints[:, 0, :2] / joints[:, 0, 2:] * 1100 + 499.5
    assert np.abs(flat - PAIRS.poses_2d[:12, 6]).max() < 120


def test_how_it_is_lifted_can_be_said(folder):
    def exported(**chosen: Any) -> np.ndarray:
        temporal_render(options(folder, viz_output=None, viz_export=folder / "e.npy", **chosen))
        return np.load(folder / "e.npy", allow_pickle=False)

    plain = WeightsOptions(
        load="net.safetensors",
        checkpoint_dir=str(folder),
        accelerator="cpu",
        no_test_time_augmentation=True,
    )
    np.testing.assert_allclose(exported(weights=plain), lifted(folder, False), rtol=1e-4)
    tall = FilmOptions(height=1900.0)
    np.testing.assert_allclose(exported(film=tall), lifted(folder, height=1900.0), rtol=1e-4)


def test_3d_poses_of_a_file_are_rendered_unless_a_model_is_named(folder, monkeypatch):
    truth = PAIRS.poses_3d[:12]
    chosen = of_file(folder, viz_export=folder / "e.npy")
    temporal_render(chosen)
    np.testing.assert_allclose(np.load(folder / "e.npy"), truth, atol=0.01)
    assert film(folder) == (202, 100, pytest.approx(50), 12)
    with pytest.raises(UserError, match="--height does nothing to 3D poses"):
        temporal_render(of_file(folder, film=FilmOptions(height=1900.0)))
    with pytest.raises(UserError, match="--causal does nothing to 3D poses"):
        temporal_render(of_file(folder, weights=WeightsOptions("", causal=True)))
    named = WeightsOptions(load=str(folder / "net.safetensors"), accelerator="cpu")
    temporal_render(of_file(folder, viz_export=folder / "e.npy", weights=named, viz_output=None))
    assert np.abs(np.load(folder / "e.npy") - truth).max() > 1
    # Without 3D, the shipped model is asked.
    write_poses(folder / "poses.npz", as_poses(PAIRS.select(slice(0, 12)), None))
    asked = []
    model = TemporalLiftingModel.load(str(folder / "net.safetensors"), "cpu")
    monkeypatch.setattr(TemporalLiftingModel, "of", lambda words, _: asked.append(words) or model)
    temporal_render(
        of_file(folder, viz_export=folder / "e.npy", film=FilmOptions(fps=30), viz_output=None)
    )
    assert [one.load for one in asked] == ["temporal"]


def test_the_video_under_the_2d_poses_is_never_written_over(folder):
    (folder / "v.mp4").write_bytes(b"the video")
    with pytest.raises(UserError, match="it is read for this"):
        temporal_render(of_file(folder, viz_video=folder / "v.mp4", viz_output=folder / "v.mp4"))
    assert (folder / "v.mp4").read_bytes() == b"the video"


def test_the_frame_rate_is_the_files_or_said_or_the_videos(folder):
    with VideoWriter(folder / "v.mp4", 100, 100, 20) as writer:
        for _ in range(12):
            writer.write(np.zeros((100, 100, 3), np.uint8))
    poses = as_poses(PAIRS.select(slice(0, 12)), hip_relative(PAIRS)[:12])
    poses = replace(poses, root_camera=PAIRS.poses_3d[:12, 0])
    write_poses(folder / "poses.npz", poses)
    with pytest.raises(UserError, match=r"does not say its frame rate: .* takes it as --fps"):
        temporal_render(of_file(folder))
    temporal_render(of_file(folder, viz_video=folder / "v.mp4"))
    assert film(folder)[2] == pytest.approx(20)
    temporal_render(of_file(folder, viz_video=folder / "v.mp4", film=FilmOptions(fps=30)))
    assert film(folder)[2] == pytest.approx(30)


def test_a_video_that_ends_early_is_told(folder, capsys):
    with VideoWriter(folder / "v.mp4", 100, 100, 50) as writer:
        for _ in range(6):
            writer.write(np.zeros((100, 100, 3), np.uint8))
    temporal_render(options(folder, viz_video=folder / "v.mp4", viz_skip=2))
    assert film(folder)[3] == 4
    assert "rendered 4 frames" in (told := capsys.readouterr().out)
    assert told.endswith(f"{folder}/v.mp4 has no more\n")
    with pytest.raises(UserError, match=r"cannot read .*none.mp4"):
        temporal_render(options(folder, viz_video=folder / "none.mp4"))


def test_a_public_checkpoint_takes_the_joints_that_there_are(folder, monkeypatch):
    torch.save({"model_pos": public_videopose.random_state(widths=(3, 3))}, folder / "p.bin")
    seen = replace(PAIRS, skeleton_2d="h36m_17", poses_2d=np.zeros((20, 17, 2)) + 100.0)
    seen.poses_2d[:] += np.random.default_rng(0).uniform(0, 300, (20, 17, 2))
    write_pairs(folder / "pairs.npz", seen)
    taken = []
    real = TemporalLiftingModel.load.__func__

    def load(cls, *words):
        taken.append(words[2])
        return real(cls, *words)

    monkeypatch.setattr(TemporalLiftingModel, "load", classmethod(load))
    public = WeightsOptions(load="p.bin", checkpoint_dir=str(folder), accelerator="cpu")
    chosen = options(folder, weights=public, viz_output=None, viz_export=folder / "e.npy")
    temporal_render(chosen)
    temporal_render(replace(chosen, weights=replace(public, skeleton_2d="coco_17")))
    assert taken == ["h36m_17", "coco_17"]


def test_the_bit_rate_reaches_the_film(folder, monkeypatch):
    given = []
    monkeypatch.setattr(visualization, "render", lambda *words: given.append(words[5]) or 12)
    temporal_render(options(folder, viz_bitrate=777))
    assert given == [777]


def test_scoring_and_training_commands_render_with_the_published_flags(folder):
    where = f"--data_dir {folder}/pairs.npz --render --viz-subject S1 --viz-size 1 --viz-limit 4"
    made = f"{folder}/net.safetensors"
    known = TemporalEvalOptions(data=TemporalDataOptions(dataset="mocap"))
    words = f"--evaluate {made} {where} --viz-output {folder}/a.mp4".split()
    chosen = parse_options(Options("", TemporalEvalOptions, known), words, "eval.py temporal_mocap")
    assert evaluate(chosen) == 0 and film(folder, "a.mp4")[3] == 4
    words = f"--evaluate {made} {where} --viz-output {folder}/b.mp4".split()
    table = Options("", TemporalTrainOptions, train_defaults("mocap"))
    assert train(parse_options(table, words, "train.py temporal_mocap")) == 0
    assert film(folder, "b.mp4")[3] == 4
    with pytest.raises(UserError, match="--render goes with --evaluate"):
        parse_options(table, ["--render"], "train.py temporal_mocap")
    with pytest.raises(UserError, match="say where to"):
        evaluate(replace(chosen, viz=VizOptions()))
