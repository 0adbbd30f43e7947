"""The built-in data set: numbered pictures, clips and poses, each drawn from (seed, index)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from utils.mannequin.background import paint_backdrop
from utils.mannequin.body import Body, Posture, h36m_joints, mpii_joints, places, sample_body
from utils.mannequin.figure import Figure, build_figure
from utils.mannequin.framing import Cameras, frame_people
from utils.mannequin.motion import Motion, sample_motion
from utils.mannequin.occluders import Occluder, sample_occluders, sample_passing
from utils.mannequin.outfit import sample_outfit
from utils.mannequin.rasteriser import sample_light
from utils.mannequin.scene import (
    MannequinOptions,
    MannequinSample,
    Person,
    Scene,
    render_scene,
)
from utils.mannequin.still_poses import sample_still_poses

# Each part of a scene has its own stream of random numbers, so that an option that turns one part
# off leaves the others as they were.
_PEOPLE, _CAMERA, _BACKDROP, _OCCLUDERS, _DEGRADATION, _NOISE, _PASSING = range(7)
_TIPS = ("left_hand", "right_hand", "left_toe", "right_toe", "left_heel", "right_heel")
# People in one picture stand at least this far apart, joint to joint, mm.
_APART = 220.0
_CROSSING_GAP = 650.0


def _rng(seed: int, index: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, index, stream])


def render_sample(
    seed: int, index: int, options: MannequinOptions | None = None
) -> MannequinSample:
    """Picture `index` of the data set `seed` with its ground truth; always the same."""
    return render_scene(sample_scene(seed, index, options))


def render_mpii(
    seed: int, index: int, options: MannequinOptions | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What trains a 2D network: image (H, W, 3) uint8 RGB, and of the first person the MPII joints
    (16, 2) px, their visibility (16,) bool and the box (3,) px."""
    sample = render_sample(seed, index, options)
    person = sample.people[0]
    return sample.image, person.keypoints_2d_mpii, person.visibility_mpii, person.box


def sample_scene(seed: int, index: int, options: MannequinOptions | None = None) -> Scene:
    """The scene of `render_sample`, to be changed or inspected before it is rendered."""
    options = options or MannequinOptions()
    people: list[Person] = []
    for number in range(options.people):
        rng = np.random.default_rng([seed, index, _PEOPLE, number])
        body = sample_body(rng)
        _, posture = sample_still_poses(rng, body, 1)
        figure = build_figure(body, sample_outfit(rng, body.femininity))
        people.append(_beside(rng, Person(body, figure, posture), people))
    postures = [(person.body, person.posture) for person in people]
    return _stage(seed, index, options, tuple(people), _outline_points(postures))


def _beside(rng: np.random.Generator, person: Person, others: list[Person]) -> Person:
    """Move a person away from the others until they do not touch."""
    if not others:
        return person
    standing = np.concatenate([mpii_joints(o.body, o.posture)[0] for o in others])
    side = 1 if len(others) % 2 else -1
    direction = np.array([side * rng.uniform(0.6, 1.0), 0, rng.normal(0, 0.7)])
    for distance in np.arange(350, 20000, 120):
        posture = person.posture.moved(direction * distance)
        joints = mpii_joints(person.body, posture)[0]
        if np.linalg.norm(joints[:, None] - standing, axis=-1).min() > _APART:
            return replace(person, posture=posture)
    raise AssertionError("people of finite size fit beside each other within 20 m")


def _outline_points(people: list[tuple[Body, Posture]]) -> np.ndarray:
    """Joints and tips (1, P, 3) of all people in all their frames: what a camera should hold."""
    found = [
        np.concatenate([mpii_joints(b, p), places(b, p, _TIPS)], axis=1).reshape(-1, 3)
        for b, p in people
    ]
    return np.concatenate(found)[None]


def _stage(
    seed: int,
    index: int,
    options: MannequinOptions,
    people: tuple[Person, ...],
    points: np.ndarray,
    clip: bool = False,
) -> Scene:
    """Put a camera, light, background and occluders around people who fill world `points`.

    A clip's camera holds all of them, as large as may be.
    """
    rng = _rng(seed, index, _CAMERA)
    cropped = options.cropped and not clip
    cameras = frame_people(rng, points, options.width, options.height, cropped, tight=clip)
    light = sample_light(rng)
    depth = cameras.to_camera(points)
    middle = float(np.median(depth[0, :, 2]))
    backdrop = paint_backdrop(
        _rng(seed, index, _BACKDROP), cameras, middle, options.width, options.height
    )
    occluders = ()
    if options.occluders:
        nearest = float(depth[0, :, 2].min()) * 0.9
        occluders = sample_occluders(
            _rng(seed, index, _OCCLUDERS),
            cameras.project(depth)[0],
            nearest,
            options.width,
            options.height,
        )
    faults = ([seed, index, _DEGRADATION], [seed, index, _NOISE])
    return Scene(
        people, cameras, light, backdrop, occluders, faults if options.degradation else None
    )


def render_clip(
    seed: int, frames: int, fps: float = 25.0, options: MannequinOptions | None = None
) -> Iterator[MannequinSample]:
    """Frames of one person moving (or `options.people`, who cross each other's way).

    Body, clothes, camera, light and background stay; `time` is the frame's number over `fps`.
    """
    options = options or MannequinOptions()
    cast = _cast(seed, frames / fps, options.people)
    times = np.arange(frames) / fps
    postures = [motion.posture(times) for _, motion in cast]
    points = _outline_points([(m.body, p) for (_, m), p in zip(cast, postures, strict=True)])
    scene = _stage(seed, 0, options, (), points, clip=True)
    passing = _passing(seed, scene, cast[0][1].body, postures[0], fps) if options.passing else ()
    for frame in range(frames):
        people = tuple(
            Person(motion.body, figure, _at(posture, frame))
            for (figure, motion), posture in zip(cast, postures, strict=True)
        )
        things = (*scene.occluders, *(thing.at(times[frame]) for thing in passing))
        faults = (scene.degradation[0], [seed, frame, _NOISE]) if scene.degradation else None
        now = replace(scene, people=people, occluders=things, degradation=faults)
        yield render_scene(now, times[frame])


def _passing(
    seed: int, scene: Scene, body: Body, posture: Posture, fps: float
) -> tuple[Occluder, ...]:
    """What passes in front of one person."""
    points = mpii_joints(body, posture)
    seen = scene.cameras.to_camera(points.reshape(1, -1, 3))
    joints = scene.cameras.project(seen)[0].reshape(*points.shape[:2], 2)
    height, width = scene.backdrop.image.shape[:2]
    nearest = float(seen[..., 2].min()) * 0.9
    rng = _rng(seed, 0, _PASSING)
    return sample_passing(rng, joints, len(points) / fps, nearest, width, height)


def _at(posture: Posture, frame: int) -> Posture:
    return Posture(posture.origins[frame : frame + 1], posture.rotations[frame : frame + 1])


def _cast(seed: int, seconds: float, people: int) -> list[tuple[Figure, Motion]]:
    """Who plays in a clip. Several people walk or run and meet half-way."""
    cast = []
    for number in range(people):
        rng = np.random.default_rng([seed, 0, _PEOPLE, number])
        body = sample_body(rng)
        crossing = people > 1
        activity = str(rng.choice(["walk", "run"])) if crossing else ""
        motion = sample_motion(rng, body, seconds, activity, straight=crossing)
        if crossing:
            motion = _crossing(motion, heading=180.0 * number, lane=number * _CROSSING_GAP)
        cast.append((build_figure(body, sample_outfit(rng, body.femininity)), motion))
    return cast


def _crossing(motion: Motion, heading: float, lane: float) -> Motion:
    """Turn a motion to travel along x (heading 0) or back (180), half-way at x = 0, z = lane."""
    x, z = motion.path[-1] - motion.path[0]
    turned = motion.placed(heading + np.degrees(np.arctan2(z, x)), np.zeros(2))
    middle = turned.path[len(turned.path) // 2]
    return turned.placed(0.0, np.array([0.0, lane]) - middle)


@dataclass(frozen=True)
class MannequinPoses:
    """Poses of one body without pictures, (N, ...): camera coordinates in mm, places in px.

    `intrinsics` (N, 4): fx, fy, cx, cy; `image_size` is (width, height) of the pictures meant.
    """

    keypoints_3d_mpii: np.ndarray
    keypoints_3d_h36m: np.ndarray
    keypoints_2d_mpii: np.ndarray
    keypoints_2d_h36m: np.ndarray
    intrinsics: np.ndarray
    image_size: tuple[int, int]


_POSE_PICTURE = (1000, 1000)


def sample_poses(seed: int, index: int, count: int) -> MannequinPoses:
    """Draw `count` unrelated poses of body `index`, each seen by its own camera."""
    rng = _rng(seed, index, _PEOPLE)
    body = sample_body(rng)
    _, posture = sample_still_poses(rng, body, count)
    cameras = frame_people(_rng(seed, index, _CAMERA), mpii_joints(body, posture), *_POSE_PICTURE)
    return _seen(body, posture, cameras)


def sample_pose_sequence(seed: int, index: int, frames: int, fps: float = 50.0) -> MannequinPoses:
    """Draw `frames` consecutive poses of body `index` in motion, seen by one camera at rest."""
    rng = _rng(seed, index, _PEOPLE)
    motion = sample_motion(rng, sample_body(rng), frames / fps)
    posture = motion.posture(np.arange(frames) / fps)
    points = _outline_points([(motion.body, posture)])
    one = frame_people(_rng(seed, index, _CAMERA), points, *_POSE_PICTURE)
    cameras = Cameras(*(np.repeat(part, frames, axis=0) for part in one))
    return _seen(motion.body, posture, cameras)


def _seen(body: Body, posture: Posture, cameras: Cameras) -> MannequinPoses:
    mpii = cameras.to_camera(mpii_joints(body, posture))
    h36m = cameras.to_camera(h36m_joints(body, posture))
    return MannequinPoses(
        mpii, h36m, cameras.project(mpii), cameras.project(h36m), cameras.intrinsics, _POSE_PICTURE
    )
