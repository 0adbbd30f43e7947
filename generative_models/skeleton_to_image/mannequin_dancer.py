"""The built-in dancer: one mannequin before one camera, doing many things here and there."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from generative_models.skeleton_to_image.dancer_data import DancerSource
from utils.dataset_statistics import cache_key, cached
from utils.mannequin import Scene, render_scene
from utils.mannequin.angles import columns
from utils.mannequin.background import paint_backdrop
from utils.mannequin.body import Body, Posture, mpii_joints, places, sample_body
from utils.mannequin.figure import build_figure
from utils.mannequin.framing import frame_people
from utils.mannequin.motion import Motion, sample_motion
from utils.mannequin.outfit import sample_outfit
from utils.mannequin.rasteriser import sample_light
from utils.mannequin.scene import Person
from utils.seeds import derive_seed
from utils.skeleton_conversion import convert
from utils.skeletons import DANCE_13, MPII_16

VERSION = 2
FPS = 10.0
MOTION_FRAMES = 80
"""Frames of one activity, after which another begins."""
ACTIVITIES = ("dance", "dance", "upright", "dance", "walk")
"""One after another, again and again."""
REACH = 600.0
"""How far to either side of the middle the dancer gets, mm."""
_TIPS = ("left_hand", "right_hand", "left_toe", "right_toe", "left_heel", "right_heel")
_PAUSE = 2
"""Missing frame numbers between two activities: no frame follows one of another."""


def mannequin_dancer(seed: int, frames: int, size: int) -> DancerSource:
    """A dancer of `frames` frames in pictures of `size` px; always the same, and rendered once."""
    options = {"seed": seed, "frames": frames, "size": size}
    key = cache_key("mannequin_dancer", [], options, VERSION)
    arrays = cached(key, lambda: _render(seed, frames, size))
    images = arrays["images"]
    return DancerSource(
        name=f"mannequin_{seed}",
        frame=arrays["frame"],
        keypoints=convert(arrays["keypoints"], MPII_16, DANCE_13).poses,
        image_size=(size, size),
        fps=FPS,
        read=lambda row: images[row],
    )


def _render(seed: int, frames: int, size: int) -> dict[str, np.ndarray]:
    print(f"rendering {frames} frames of the built-in dancer {seed}, once; they are kept")
    samples = list(_samples(seed, frames, size))
    number = np.arange(frames)
    return {
        "images": np.stack([image for image, _ in samples]),
        "keypoints": np.stack([joints for _, joints in samples]),
        "frame": number + _PAUSE * (number // MOTION_FRAMES),
    }


def _samples(seed: int, frames: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures (size, size, 3) and their MPII joints (16, 2) px."""
    rng = np.random.default_rng(derive_seed("mannequin dancer", seed))
    body = sample_body(rng)
    figure = build_figure(body, sample_outfit(rng, body.femininity))
    postures = _dance(rng, body, frames)
    outline = [mpii_joints(body, postures), places(body, postures, _TIPS)]
    points = np.concatenate(outline, axis=1).reshape(1, -1, 3)
    # Of its own, so that the place is the same whatever is danced in it.
    rng = np.random.default_rng(derive_seed("mannequin dancer's place", seed))
    cameras = frame_people(rng, points, size, size, cropped=False, tight=True)
    depth = float(np.median(cameras.to_camera(points)[0, :, 2]))
    light = sample_light(rng)
    scene = Scene((), cameras, light, paint_backdrop(rng, cameras, depth, size, size), (), None)
    for frame in range(frames):
        posture = Posture(*(part[frame : frame + 1] for part in postures))
        sample = render_scene(replace(scene, people=(Person(body, figure, posture),)))
        yield sample.image, sample.people[0].keypoints_2d_mpii


def _dance(rng: np.random.Generator, body: Body, frames: int) -> Posture:
    """World postures of all frames. In each activity, which faces the camera, the dancer glides
    across to another place, so that everything is learned everywhere."""
    times = np.arange(MOTION_FRAMES) / FPS
    count = -(-frames // MOTION_FRAMES)
    parts = []
    for number in range(count):
        motion = sample_motion(rng, body, times[-1], ACTIVITIES[number % len(ACTIVITIES)])
        parts.append(_in_place(motion, times).posture(times))
    origins, rotations = (np.concatenate(one) for one in zip(*parts, strict=True))
    stops = rng.uniform(-REACH, REACH, count + 1)
    across = np.interp(np.arange(len(origins)) / MOTION_FRAMES, np.arange(count + 1), stops)
    origins[..., 0] += across.reshape(-1, *[1] * (origins.ndim - 2))
    return Posture(origins[:frames], rotations[:frames])


def _in_place(motion: Motion, times: np.ndarray) -> Motion:
    """The motion turned to face the camera half-way, without its way over the floor."""
    yaw = float(motion.rows(times)[len(times) // 2, columns("yaw")[0]])
    turned = motion.placed(-yaw, np.zeros(2))
    return replace(turned, path=np.zeros_like(turned.path))
