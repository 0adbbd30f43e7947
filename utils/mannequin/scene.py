"""A scene: people, camera, light, background and occluders; and the picture of it."""

from dataclasses import dataclass

import cv2
import numpy as np

from utils.cameras import Camera
from utils.crops import box_around
from utils.errors import UserError
from utils.mannequin.background import Backdrop
from utils.mannequin.body import Body, Posture, h36m_joints, mpii_joints
from utils.mannequin.degradation import degrade
from utils.mannequin.figure import Figure, pose_figure
from utils.mannequin.framing import Cameras
from utils.mannequin.occluders import Occluder, occluder_mask, occluder_texture
from utils.mannequin.rasteriser import (
    OVERSAMPLING,
    Light,
    Surface,
    build_surface,
    paint_numbers,
    shade_pixels,
)
from utils.mannequin.visibility import joint_visibility
from utils.skeletons import H36M_17, MPII_16

_BOX_MARGIN = 1.25


@dataclass(frozen=True)
class MannequinOptions:
    """How pictures are made.

    `width` and `height` in px; `people` in each picture; `occluders` in front of them; in clips,
    things `passing` in front of the first; `degradation` adds blur, noise, compression and a
    colour cast; `cropped` lets some pictures cut people off at the frame. Raises UserError for
    sizes below 16 px or fewer than one person.
    """

    width: int = 256
    height: int = 256
    people: int = 1
    occluders: bool = True
    degradation: bool = True
    cropped: bool = True
    passing: bool = False

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 16:
            raise UserError(f"mannequin pictures of {self.width}x{self.height} px: 16 is the least")
        if self.people < 1:
            raise UserError(f"mannequin pictures with {self.people} people: ask for at least one")


@dataclass(frozen=True)
class Person:
    """A dressed body in one posture (of one frame), in the world."""

    body: Body
    figure: Figure
    posture: Posture


@dataclass(frozen=True)
class Scene:
    """Everything that a picture shows. `degradation`: seeds of the camera's faults and of the
    frame's noise, or None for a clean picture."""

    people: tuple[Person, ...]
    cameras: Cameras
    light: Light
    backdrop: Backdrop
    occluders: tuple[Occluder, ...]
    degradation: tuple[list[int], list[int]] | None


@dataclass(frozen=True)
class MannequinPerson:
    """Ground truth of one person in a picture.

    `keypoints_2d_*` (J, 2) px; `keypoints_3d_*` (J, 3) mm in camera coordinates (x right, y down,
    z forward, not relative to the hip); `visibility_*` (J,) bool: inside the picture and hidden
    neither by things nor by bodies, their own included. `box` (3,): cx, cy, side in px around the
    MPII joints with a margin of a quarter.
    """

    keypoints_2d_mpii: np.ndarray
    keypoints_2d_h36m: np.ndarray
    keypoints_3d_mpii: np.ndarray
    keypoints_3d_h36m: np.ndarray
    visibility_mpii: np.ndarray
    visibility_h36m: np.ndarray
    box: np.ndarray


@dataclass(frozen=True)
class MannequinSample:
    """A picture (H, W, 3) uint8 RGB, who is in it, and who covers which pixel.

    `mask` (H, W) uint8: 0 for none, 1 for the first of `people`, 2 for the second, ...; what an
    occluder hides is 0. `time` in s, of clips.
    """

    image: np.ndarray
    people: tuple[MannequinPerson, ...]
    camera: Camera
    mask: np.ndarray
    time: float = 0.0


def render_scene(scene: Scene, time: float = 0.0) -> MannequinSample:
    """Render a scene and work out its ground truth."""
    height, width = scene.backdrop.image.shape[:2]
    rotation, position, intrinsics = (part[0] for part in scene.cameras)
    figures = [person.figure for person in scene.people]
    vertices = [pose_figure(person.figure, person.posture) for person in scene.people]
    surface = build_surface(figures, vertices, rotation, position, intrinsics, scene.light)
    numbers = paint_numbers(surface, width, height)
    textures = np.concatenate([figure.textures for figure in figures])
    colour, share = shade_pixels(surface, numbers, textures, scene.light)
    image = _shaded_floor(scene, vertices) * (1 - share[..., None]) + colour
    cover = np.full(numbers.shape, np.inf, np.float32)
    for occluder in sorted(scene.occluders, key=lambda o: -o.depth):
        image = _occlude(image, cover, occluder)
    image = np.clip(image, 0, 255).astype(np.uint8)
    if scene.degradation:
        camera_seed, noise_seed = scene.degradation
        image = degrade(np.random.default_rng(camera_seed), image, noise_seed)
    people = tuple(
        _ground_truth(scene, i, surface, numbers, cover) for i in range(len(scene.people))
    )
    camera = Camera(rotation, position, intrinsics, (width, height))
    return MannequinSample(image, people, camera, _mask(surface, numbers, cover), time)


def _shaded_floor(scene: Scene, vertices: list[np.ndarray]) -> np.ndarray:
    """Background (H, W, 3) float32 with the people's shadows on its floor."""
    image = scene.backdrop.image.astype(np.float32)
    if not scene.backdrop.floor.any():
        return image
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    light, cameras = scene.light.direction, scene.cameras
    for part in np.concatenate(vertices):
        points = part.reshape(-1, 3)
        camera = cameras.to_camera((points - points[:, 1:2] / light[1] * light)[None])
        if camera[0, :, 2].min() > 50:
            pixels = np.clip(cameras.project(camera)[0], -9999, 9999)
            cv2.fillConvexPoly(mask, cv2.convexHull(np.round(pixels).astype(np.int32)), 1)
    soft = cv2.blur(mask.astype(np.float32), (5, 5)) * scene.backdrop.floor
    image *= 1 - 0.75 * scene.light.shadow * soft[..., None]
    return image


def _occlude(image: np.ndarray, cover: np.ndarray, occluder: Occluder) -> np.ndarray:
    """Lay an occluder over the image; its depth goes into `cover`."""
    height, width = image.shape[:2]
    mask = occluder_mask(occluder, width, height, OVERSAMPLING)
    np.minimum(cover, np.where(mask, np.float32(occluder.depth), np.float32(np.inf)), out=cover)
    share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return image + share[..., None] * (occluder_texture(occluder, width, height) - image)


def _mask(surface: Surface, numbers: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Person shown by each pixel (H, W) uint8, judged by its top-left sub-pixel; 0 for none."""
    person = np.concatenate([[0], surface.person + 1]).astype(np.uint8)
    step = (slice(None, None, OVERSAMPLING),) * 2
    return person[numbers[step]] * np.isinf(cover[step])


def _ground_truth(
    scene: Scene, person: int, surface: Surface, numbers: np.ndarray, cover: np.ndarray
) -> MannequinPerson:
    body, posture = scene.people[person].body, scene.people[person].posture
    parts = scene.people[person].figure.parts
    found = []
    for skeleton, joints in ((MPII_16, mpii_joints), (H36M_17, h36m_joints)):
        points = scene.cameras.to_camera(joints(body, posture))
        places = scene.cameras.project(points)[0]
        seen = joint_visibility(
            skeleton.joints, places, points[0, :, 2], person, body, parts, surface, numbers, cover
        )
        found.append((places, points[0], seen))
    (mpii_2d, mpii_3d, mpii_seen), (h36m_2d, h36m_3d, h36m_seen) = found
    box = box_around(mpii_2d, _BOX_MARGIN)
    return MannequinPerson(mpii_2d, h36m_2d, mpii_3d, h36m_3d, mpii_seen, h36m_seen, box)
