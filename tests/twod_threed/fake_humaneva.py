"""HumanEva-I as VideoPose3D publishes it, with made-up motion: exactly shaped files."""

from pathlib import Path
from typing import Any

import numpy as np

from utils.cameras import Camera
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, HUMANEVA_15, HUMANEVA_20, Skeleton, skeleton_named

SYMMETRY = {
    15: [[2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]],
    20: [[3, 4, 5, 6, 11, 12, 13, 14], [7, 8, 9, 10, 15, 16, 17, 18]],
}
COCO = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
LENSES = ((766.0, 770.0, 322.0, 246.0), (748.0, 751.0, 330.0, 240.0), (753.0, 755.0, 315.0, 232.0))
CLIPS = {
    "Train/S1": {"Walking 1 chunk0": 12, "Walking 1 chunk2": 5, "Box 1 chunk0": 7},
    "Validate/S2": {"Walking 1 chunk0": 9, "Jog 1 chunk0": 6, "WalkTogether 1 chunk0": 4},
}
# Places of S1's and S2's cameras as the data set gives them: w, x, y, z from camera to world; mm.
_PLACES = {
    "S1": [
        [[0.424207, -0.4983646, -0.5802981, 0.4847012], [4062.227, 663.2477, 1528.397]],
        [[0.6503354, -0.7481602, -0.0919284, 0.0941766], [844.8131, -3805.2092, 1504.9929]],
        [[0.0664734, -0.0690535, 0.7416416, -0.6639132], [-797.6738, 3916.3174, 1433.6602]],
    ],
    "S2": [
        [[0.4214752, -0.4961493, -0.5838273, 0.4851187], [4112.9121, 626.4929, 1545.2988]],
        [[0.6501393, -0.7476588, -0.0954617, 0.0959808], [923.574, -3877.9243, 1504.5518]],
        [[0.0699353, -0.0712403, 0.7421637, -0.662742], [-781.4915, 3838.8853, 1444.9929]],
    ],
}
# A standing person, mm: joint of HUMANEVA_20 -> (to the left, forward, up).
_HALF = {
    "shoulder": (170, 0, 1400),
    "elbow_upper": (230, -20, 1130),
    "elbow_lower": (235, -10, 1120),
    "wrist": (240, 60, 900),
    "hip": (100, 0, 930),
    "knee_upper": (110, 20, 500),
    "knee_lower": (112, 25, 490),
    "ankle": (115, 0, 80),
}
_MIDDLE = {
    "pelvis": (0, 0, 950),
    "torso_top": (0, -20, 1440),
    "head_base": (0, 10, 1520),
    "head": (0, 20, 1750),
}


def room_camera(person: str, number: int) -> Camera:
    """One of the three cameras, with a lens that the files do not tell."""
    (w, x, y, z), position = _PLACES[person][number]
    to_world = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    return Camera(to_world.T, np.array(position), np.array(LENSES[number]), (640, 480))


def motion(subject: str, name: str, frames: int, skeleton: Skeleton) -> np.ndarray:
    """World positions (frames, J, 3) mm of somebody who walks through the room."""
    rng = np.random.default_rng(sum(map(ord, subject + name)))
    body = []
    for joint in HUMANEVA_20.joints:
        side, _, half = joint.partition("_")
        across, *rest = _HALF[half] if side in ("left", "right") else _MIDDLE[joint]
        body.append((-across if side == "right" else across, *rest))
    walk = np.linspace([-400, -300, 0], [600, 500, 0], frames)
    poses = np.array(body, float) + walk[:, None] + rng.normal(0, 25, (frames, 20, 3))
    return convert(poses, HUMANEVA_20, skeleton).poses


def seen(world: np.ndarray, person: str, source: Skeleton, target: Skeleton) -> list[np.ndarray]:
    """What each camera sees of world positions (T, J, 3): (T, J', 2) px."""
    points = []
    for number in range(3):
        camera = room_camera(person, number)
        joints = convert(camera.to_camera(world), source, target).poses
        points.append(camera.project(joints).astype(np.float32))
    return points


def truth(joints: int = 15) -> dict[str, dict[str, np.ndarray]]:
    """subject -> clip -> (T, joints, 3) mm in the world."""
    skeleton = skeleton_named(f"humaneva_{joints}")
    return {
        subject: {name: motion(subject, name, count, skeleton) for name, count in clips.items()}
        for subject, clips in CLIPS.items()
    }


def write_3d(folder: Path, positions: Any, joints: int = 15) -> Path:
    """data_3d_humaneva<joints>.npz of positions in mm."""
    stored: Any = {
        subject: {name: (world / 1000).astype(np.float32) for name, world in clips.items()}
        for subject, clips in positions.items()
    }
    path = folder / f"data_3d_humaneva{joints}.npz"
    np.savez_compressed(path, positions_3d=stored)
    return path


def write_2d(folder: Path, detector: str, points: Any, metadata: Any, joints: int = 15) -> Path:
    """data_2d_humaneva<joints>_<detector>.npz."""
    path = folder / f"data_2d_humaneva{joints}_{detector}.npz"
    np.savez_compressed(path, positions_2d=points, metadata=metadata)
    return path


def metadata_of(joints: int) -> dict[str, Any]:
    """Metadata of ground-truth joints."""
    name = f"humaneva{joints}"
    return {"layout_name": name, "num_joints": joints, "keypoints_symmetry": SYMMETRY[joints]}


def write_humaneva(folder: Path, joints: int = 15) -> Path:
    """3D, exact 2D, and a detector's COCO joints of more frames, also of clips without 3D."""
    positions = truth(joints)
    own = {15: HUMANEVA_15, 20: HUMANEVA_20}[joints]
    write_3d(folder, positions, joints)
    points: Any = {"gt": {}, "coco": {}}
    for subject, clips in positions.items():
        person = subject.split("/")[1]
        for name, world in clips.items():
            later = np.concatenate([world, world[-1:] + 10])
            exact, coco = seen(world, person, own, own), seen(later, person, own, COCO_17)
            points["gt"].setdefault(subject, {})[name] = exact
            points["coco"].setdefault(subject, {})[name] = coco
    box = motion("Unlabeled/S4", "Box 2", 8, own)
    views: list[Any] = seen(box, "S1", own, COCO_17)
    points["coco"]["Unlabeled/S4"] = {"Box 2": [views[0], None, views[2][:6]]}
    points["coco"]["Unlabeled/Train/S1"] = {"Walking 1 chunk1": views}
    write_2d(folder, "gt", points["gt"], metadata_of(joints), joints)
    coco = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": COCO}
    write_2d(folder, "detectron_pt_coco", points["coco"], coco, joints)
    return folder
