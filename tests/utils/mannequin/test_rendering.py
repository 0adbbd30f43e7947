import cv2
import numpy as np
import pytest

from utils.drawing import contact_sheet
from utils.mannequin.background import paint_backdrop
from utils.mannequin.contact_sheet import draw_contact_sheet
from utils.mannequin.degradation import degrade
from utils.mannequin.figure import pose_figure
from utils.mannequin.framing import Cameras, frame_people, project
from utils.mannequin.occluders import Occluder, occluder_mask
from utils.mannequin.outfit import sample_outfit
from utils.mannequin.rasteriser import barycentric, build_surface, vertex_normals
from utils.mannequin.samples import render_sample, sample_scene
from utils.mannequin.scene import MannequinOptions
from utils.mannequin.textures import cloth, colourise, skin
from utils.mannequin.visibility import inside_picture


def test_projection_is_the_pinhole_and_nan_behind_the_camera():
    points = np.array([[100.0, -50, 2000], [0, 0, 1], [1, 1, -5]])
    found = project(points, np.array([1000.0, 900, 320, 240]))
    np.testing.assert_allclose(found[:2], [[370, 217.5], [320, 240]])
    assert np.isnan(found[2]).all()


def test_framed_points_lie_inside_the_picture():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 500, (200, 20, 3)) + np.array([0, 1000, 0])
    cameras = frame_people(rng, points, 300, 200, cropped=False)
    places = cameras.project(cameras.to_camera(points))
    assert inside_picture(places, 300, 200).all()
    extent = np.ptp(places, axis=1) / [300, 200]
    assert extent.max(axis=1).min() > 0.45


def test_barycentric_weights_give_back_the_place():
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 100, (50, 3, 2))
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    clockwise = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0] < 0
    corners[clockwise] = corners[clockwise][:, ::-1]
    weights = rng.dirichlet([2, 2, 2], 50)
    place = (weights[..., None] * corners).sum(axis=1).astype(np.float32)
    found = barycentric(corners, np.arange(50), place)
    np.testing.assert_allclose((found[..., None] * corners).sum(axis=1), place, atol=0.01)
    outside = barycentric(corners, np.arange(50), place + 500)
    assert (outside >= 0).all() and np.allclose(outside.sum(axis=1), 1, atol=1e-5)


def test_normals_of_a_cylinder_point_away_from_its_axis():
    turn = np.linspace(-np.pi, np.pi, 13)
    ring = np.stack([np.sin(turn), 0 * turn, np.cos(turn)], -1)
    # The first axis times the second is the way along the tube: here -y, as for a limb.
    tube = (ring + np.arange(0, -10, -1.0)[:, None, None] * [0, 1, 0])[None]
    np.testing.assert_allclose(
        vertex_normals(tube)[0], np.broadcast_to(ring, (10, 13, 3)), atol=1e-9
    )


@pytest.mark.parametrize("index", range(4))
def test_the_near_side_of_every_body_part_is_drawn_and_normals_point_outwards(index):
    scene = sample_scene(2, index, MannequinOptions(64, 64))
    figure = scene.people[0].figure
    vertices = pose_figure(figure, scene.people[0].posture)
    rotation, position, intrinsics = (part[0] for part in scene.cameras)
    surface = build_surface([figure], [vertices], rotation, position, intrinsics, scene.light)
    tubes = vertices.reshape(len(vertices), -1, 3)
    depth = ((tubes - position) @ rotation.T)[..., 2]
    for part in range(len(figure.parts)):
        drawn = surface.depth[surface.part == part]
        assert drawn.size and drawn.mean() < depth[part].mean()
    offset = tubes - tubes.mean(axis=1, keepdims=True)
    outwards = (vertex_normals(vertices).reshape(offset.shape) * offset).sum(-1) > 0
    assert outwards.mean() > 0.9


@pytest.mark.parametrize("seed", range(12))
def test_degradation_moves_nothing(seed):
    image = np.zeros((96, 96, 3), np.uint8)
    cv2.circle(image, (40, 55), 12, (255, 255, 255), -1)
    worse = degrade(np.random.default_rng(seed), image, [seed]).astype(float).mean(axis=-1)
    weight = np.clip(worse - 90, 0, None)
    y, x = np.mgrid[:96, :96]
    centre = [(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()]
    np.testing.assert_allclose(centre, [40, 55], atol=0.4)
    assert not np.array_equal(worse, image[..., 0])


def test_an_occluder_covers_its_outline():
    outline = np.array([[10.0, 5], [20, 5], [20, 15], [10, 15]])
    mask = occluder_mask(Occluder(outline, 1000.0, np.zeros((2, 3))), 40, 30, 2)
    assert mask.shape == (60, 80)
    y, x = np.nonzero(mask)
    assert (abs((x.min() + 0.5) / 2 - 0.5 - 10), abs((y.max() + 0.5) / 2 - 0.5 - 15)) < (0.6, 0.6)


def test_the_floor_lies_below_the_horizon():
    level = Cameras(
        np.diag([-1.0, -1.0, 1.0])[None],
        np.array([[0.0, 1500, -4000]]),
        np.array([[200.0, 200, 79.5, 59.5]]),
    )
    floors = [
        paint_backdrop(np.random.default_rng(i), level, 4000.0, 160, 120).floor for i in range(20)
    ]
    with_floor = [floor for floor in floors if floor.any()]
    assert 8 < len(with_floor) < 20
    for floor in with_floor:
        assert not floor[:60].any() and floor[-1].all()


def test_backgrounds_clothes_and_skins_vary():
    sizes = {render_sample(0, i, MannequinOptions(32, 48)).image.tobytes() for i in range(5)}
    assert len(sizes) == 5
    rng = np.random.default_rng(0)
    assert np.ptp([skin(rng).mean() for _ in range(50)]) > 80
    assert np.std([cloth(rng).mean() for _ in range(50)]) > 30
    outfits = [sample_outfit(rng, f) for f in np.linspace(0, 1, 40)]
    assert len({o.hair_style for o in outfits}) > 3
    assert np.ptp([o.sleeve_length for o in outfits]) > 1
    assert any(o.skirt_length > 0 for o in outfits) and any(o.hat is not None for o in outfits)


def test_colours_run_along_the_ramp():
    grey = np.array([[0, 255]], np.uint8)
    found = colourise(grey, np.array([[10.0, 20, 30], [200, 100, 50]]))
    np.testing.assert_array_equal(found, [[[10, 20, 30], [200, 100, 50]]])


def test_the_contact_sheet_shows_the_first_pictures():
    sheet = draw_contact_sheet(3, 2, 1, 48)
    assert sheet.shape == (48, 96, 3)
    first = render_sample(3, 0, MannequinOptions(48, 48)).image
    np.testing.assert_array_equal(sheet[:, :48], contact_sheet([first], size=48))
