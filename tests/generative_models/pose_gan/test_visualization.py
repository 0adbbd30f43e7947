"""`viz.py 3d_pose_gan`: the pictures, and what they are made of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from generative_models.pose_gan.data import pose_pools
from generative_models.pose_gan.description import GAN_KIND, PoseModelDescription
from generative_models.pose_gan.gaussian import GaussianModel
from generative_models.pose_gan.inference import rows_of_samples
from generative_models.pose_gan.model import PoseArchitecture, PoseGan
from generative_models.pose_gan.options import PoseDataOptions
from generative_models.pose_gan.visualization import draw, poses_of_file
from generative_models.pose_gan.visualization_options import VizPoseGanOptions
from tests.generative_models.pose_gan.small_poses import still_poses, write_small_store
from utils.errors import UserError
from utils.images import read_image
from utils.pose_file import write_poses
from utils.weights import save_weights

SMALL = PoseArchitecture(latent_size=4, linear_size=16, num_stage=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and untrained weights."""
    folder = tmp_path_factory.mktemp("viz")
    store = write_small_store(folder)
    torch.manual_seed(0)
    model = PoseGan(SMALL)
    data = PoseDataOptions("mocap", data_dir=str(store))
    model.scale.measure(pose_pools(data, ("train",), 0)[0].bones)
    metadata = PoseModelDescription(GAN_KIND, SMALL).as_metadata()
    save_weights(folder / "gan.safetensors", model.state_dict(), metadata)
    return folder


def options(folder: Path, output: Path, **others: object) -> VizPoseGanOptions:
    return VizPoseGanOptions(
        load=str(folder / "gan.safetensors"),
        output_dir=output,
        num_samples=10,
        num_interpolations=2,
        num_rows=3,
        **others,  # pyright: ignore[reportArgumentType]
    )


def write(path: Path, poses: np.ndarray) -> None:
    rows = rows_of_samples(np.nan_to_num(poses), "mine")
    write_poses(path, replace(rows, keypoints_3d=poses.astype(np.float32)))


def test_samples_and_ways_need_no_data(folder: Path, tmp_path: Path) -> None:
    draw(options(folder, tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"samples.png", "interpolations.png"}
    samples, ways = (read_image(tmp_path / f"{n}.png") for n in ("samples", "interpolations"))
    # Ten in rows of eight, and two ways of eight steps: two rows of panels each.
    assert samples.shape == ways.shape == (2 * 160 + 2, 8 * 160 + 7 * 2, 3)
    first, last = ways[:160, :160], ways[:160, -160:]
    assert not np.array_equal(first, last)
    drawn = [samples[162:, x * 162 : x * 162 + 160] for x in range(8)]
    assert all((panel.std() > 5) == (number < 2) for number, panel in enumerate(drawn))


def test_other_seeds_other_pictures(folder: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        draw(options(folder, tmp_path / name, seed=seed))
    a, b, c = (read_image(tmp_path / name / "samples.png") for name in "abc")
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_real_poses_stand_beside_samples(folder: Path, tmp_path: Path) -> None:
    draw(options(folder, tmp_path, data_dir=str(folder / "small.npz")))
    # Three pairs of three panels in rows of two pairs.
    for name in ("nearest", "regression"):
        assert read_image(tmp_path / f"{name}.png").shape == (2 * 260 + 2, 6 * 260 + 10, 3)


def test_poses_of_a_file_are_come_close_to(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    poses = (still_poses(5) * [1, -1, -1]).astype(np.float32)
    poses[2, 3] = np.nan
    poses[:, 0] = 0
    write(path, poses)
    chosen = options(folder, tmp_path / "out", poses=path)
    found = poses_of_file(chosen)
    assert found.shape == (3, 17, 3) and np.isfinite(found).all()
    draw(chosen)
    assert (tmp_path / "out/regression.png").is_file()
    assert not (tmp_path / "out/nearest.png").exists()


def test_what_cannot_be_drawn_is_one_line(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    write(path, np.full((2, 17, 3), np.nan))
    with pytest.raises(UserError, match="no 3D pose with all seventeen joints"):
        draw(options(folder, tmp_path, poses=path))
    gaussian = tmp_path / "gaussian.safetensors"
    GaussianModel.fit(still_poses(50)).save(gaussian, "made up")
    with pytest.raises(UserError, match="is a Gaussian"):
        draw(VizPoseGanOptions(load=str(gaussian), output_dir=tmp_path))
    for name in ("num_samples", "num_interpolations", "num_rows"):
        with pytest.raises(UserError, match=f"--{name} must be at least 1"):
            VizPoseGanOptions(**{name: 0})  # pyright: ignore[reportArgumentType]


def test_where_real_poses_come_from() -> None:
    assert VizPoseGanOptions().data is None
    given = VizPoseGanOptions(data_dir="x").data
    assert given is not None and (given.dataset, given.data_dir) == ("mocap", "x")
    built_in = VizPoseGanOptions(dataset="mannequin").data
    assert built_in is not None and built_in.dataset == "mannequin"
