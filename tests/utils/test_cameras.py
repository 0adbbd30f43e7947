"""Cameras against OpenCV, round trips, and real Human3.6M annotations."""

import json

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.cameras import (
    Camera,
    camera_to_world,
    intrinsics_from_field_of_view,
    look_at,
    project,
    project_with_distortion,
    unproject,
    world_to_camera,
)

INTRINSICS = np.array([1145.0, 1143.8, 512.5, 515.4])
RADIAL = (-0.207, 0.248, -0.003)
TANGENTIAL = (-0.0014, -0.00098)
MATRIX = np.array([[INTRINSICS[0], 0, INTRINSICS[2]], [0, INTRINSICS[1], INTRINSICS[3]], [0, 0, 1]])


def points_in_front(seed: int = 0, shape: tuple[int, ...] = (40,)) -> np.ndarray:
    random = np.random.default_rng(seed)
    low, high = (-1500, -1500, 3000), (1500, 1500, 8000)
    return random.uniform(low, high, (*shape, 3))


def opencv(points: np.ndarray, radial=(0, 0, 0), tangential=(0, 0)) -> np.ndarray:
    k1, k2, k3 = radial
    coefficients = np.array([k1, k2, *tangential, k3], float)
    return cv2.projectPoints(points, np.zeros(3), np.zeros(3), MATRIX, coefficients)[0][:, 0]


def camera(**lens) -> Camera:
    position = np.array([1841.0, 4955.0, 1563.0])
    rotation = look_at(position, np.array([0, 0, 900.0]), np.array([0, 0, 1.0]))
    return Camera(rotation, position, INTRINSICS, (1000, 1002), **lens)


def test_pinhole_and_radial_distortion_agree_with_opencv() -> None:
    points = points_in_front()
    np.testing.assert_allclose(project(points, INTRINSICS), opencv(points), atol=1e-9)
    np.testing.assert_allclose(
        project_with_distortion(points, INTRINSICS, RADIAL, (0, 0)),
        opencv(points, RADIAL),
        atol=1e-9,
    )


def test_tangential_distortion_is_opencvs_less_one_term() -> None:
    """OpenCV (Brown) counts p1 y + p2 x twice, Human3.6M once."""
    points = points_in_front()
    ours = project_with_distortion(points, INTRINSICS, RADIAL, TANGENTIAL)
    x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
    once = TANGENTIAL[0] * y + TANGENTIAL[1] * x
    difference = INTRINSICS[:2] * np.stack([x, y], 1) * once[:, None]
    assert np.abs(difference).max() > 0.01
    np.testing.assert_allclose(ours + difference, opencv(points, RADIAL, TANGENTIAL), atol=1e-9)


@settings(max_examples=50)
@given(st.integers(0, 10**6))
def test_world_and_camera_are_inverse_and_keep_distances(seed: int) -> None:
    random = np.random.default_rng(seed)
    rotation = np.linalg.qr(random.normal(size=(3, 3)))[0]
    position, points = random.normal(size=3) * 1000, random.normal(size=(2, 5, 3)) * 1000
    there = world_to_camera(points, rotation, position)
    np.testing.assert_allclose(there, np.einsum("ij,...j", rotation, points - position), atol=1e-9)
    np.testing.assert_allclose(camera_to_world(there, rotation, position), points, atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(there[:, 0] - there[:, 1], axis=-1),
        np.linalg.norm(points[:, 0] - points[:, 1], axis=-1),
    )


def test_whole_numbers_are_as_good_as_others() -> None:
    one, points = camera(), np.array([[100, 200, 900], [-40, 7, 1200]])
    found = world_to_camera(points, one.rotation, one.position)
    np.testing.assert_allclose(
        found, world_to_camera(points.astype(float), one.rotation, one.position)
    )
    tensor = world_to_camera(torch.from_numpy(points), one.rotation, one.position)
    np.testing.assert_allclose(tensor.numpy(), found, rtol=1e-4)
    ours = one.project(points)
    np.testing.assert_allclose(ours, one.project(points.astype(float)))
    np.testing.assert_allclose(one.project(torch.from_numpy(points)).numpy(), ours, rtol=1e-4)
    pixels = np.array([[300, 400]])
    np.testing.assert_allclose(
        unproject(pixels, np.array([2000]), INTRINSICS),
        unproject(pixels.astype(float), np.array([2000.0]), INTRINSICS),
    )


def test_unproject_inverts_project() -> None:
    points = points_in_front(shape=(4, 17))
    pixels = project(points, INTRINSICS)
    np.testing.assert_allclose(unproject(pixels, points[..., 2], INTRINSICS), points, atol=1e-8)
    bent = camera(radial=RADIAL, tangential=TANGENTIAL)
    pixels = bent.project(points)
    np.testing.assert_allclose(bent.unproject(pixels, points[..., 2]), points, atol=1e-3)
    assert np.abs(pixels - camera().project(points)).max() > 1


def test_one_row_of_intrinsics_per_pose() -> None:
    points = points_in_front(shape=(3, 17))
    rows = INTRINSICS * np.array([[1.0], [2.0], [3.0]])
    one_by_one = np.stack([project(p, row) for p, row in zip(points, rows, strict=True)])
    np.testing.assert_array_equal(project(points, rows), one_by_one)


def test_behind_the_camera_is_nan() -> None:
    points = np.array([[1.0, 1.0, 2.0], [1.0, 1.0, 0.0], [1.0, 1.0, -2.0]])
    seen = np.isfinite(project(points, INTRINSICS)).all(axis=-1)
    assert seen.tolist() == [True, False, False]
    seen = torch.isfinite(project(torch.from_numpy(points), INTRINSICS)).all(-1)
    assert seen.tolist() == [True, False, False]


def test_tensors_do_as_arrays() -> None:
    bent = camera(radial=RADIAL, tangential=TANGENTIAL)
    points = points_in_front(shape=(2, 17)).astype(np.float32)
    tensor = torch.from_numpy(points).requires_grad_()
    for function in (bent.to_camera, bent.to_world, bent.project):
        result = function(tensor)
        assert result.dtype == torch.float32 and function(points).dtype == np.float32
        np.testing.assert_allclose(result.detach().numpy(), function(points), rtol=2e-5)
    bent.project(tensor).sum().backward()
    assert tensor.grad is not None and tensor.grad.isfinite().all()
    pixels, depth = bent.project(tensor).detach(), tensor[..., 2].detach()
    np.testing.assert_allclose(bent.unproject(pixels, depth).numpy(), points, rtol=1e-3, atol=0.5)


def test_look_at_has_the_target_ahead_and_the_sky_above() -> None:
    eye = camera()
    np.testing.assert_allclose(eye.rotation @ eye.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(eye.rotation) == pytest.approx(1)
    target = eye.to_camera(np.array([[0, 0, 900.0], [0, 0, 1900.0]]))
    np.testing.assert_allclose(target[0, :2], 0, atol=1e-9)
    pixels = eye.project(target)
    np.testing.assert_allclose(pixels[0], INTRINSICS[2:])
    assert pixels[1, 1] < pixels[0, 1] and pixels[1, 0] == pytest.approx(pixels[0, 0])
    with pytest.raises(ValueError, match="upward"):
        look_at(np.zeros(3), np.array([0, 0, 5.0]), np.array([0, 0, 1.0]))


def test_field_of_view_spans_the_longer_edge() -> None:
    intrinsics = intrinsics_from_field_of_view(640, 480, 60)
    edge = unproject(np.array([-0.5, 239.5]), np.array(1.0), intrinsics)
    assert np.degrees(np.arctan2(-edge[0], edge[2])) == pytest.approx(30)
    assert intrinsics[2:].tolist() == [319.5, 239.5]
    with pytest.raises(ValueError, match="field of view"):
        intrinsics_from_field_of_view(640, 480, 180)


def test_real_human36m_annotations_are_reproduced(real_data) -> None:
    folder = real_data / "h36m_sample"
    cameras = json.loads((folder / "cameras.json").read_text())
    with np.load(folder / "poses.npz", allow_pickle=False) as sample:
        names, poses, annotated = sample["imgname"], sample["S"][..., :3] * 1000, sample["part"]
    for name, pose, pixels in zip(names, poses, annotated[..., :2], strict=True):
        subject, folder_name, _ = str(name).split("/")
        values = cameras[f"{subject}/{folder_name.split('.')[-1]}"]
        h36m = Camera(
            rotation=np.array(values["R"]).T,  # the file holds it transposed
            position=np.ravel(values["T"]) * 1000,
            intrinsics=np.concatenate([np.ravel(values["f"]), np.ravel(values["c"])]),
            image_size=(values["w"], values["h"]),
            radial=tuple(np.ravel(values["k"])),
            tangential=tuple(np.ravel(values["p"])),
        )
        np.testing.assert_allclose(h36m.project(pose), pixels, atol=1e-4)
        np.testing.assert_allclose(h36m.to_camera(h36m.to_world(pose)), pose, atol=1e-6)
        heights = h36m.to_world(pose)[:, 2]  # the world's z is up and its floor at 0
        assert -50 < heights.min() < 250 and heights.max() < 2000
