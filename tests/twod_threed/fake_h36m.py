"""Human3.6M as it is published, with made-up motion: the three layouts, exactly shaped."""

from pathlib import Path
from typing import Any

import cdflib
import h5py
import numpy as np

from twod_threed.h36m_cameras import published_cameras
from utils.skeletons import H36M_17, H36M_32

SYMMETRY = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
COCO = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
TAKES = ("Sitting", "Sitting 1", "SittingDown 2", "TakingPhoto 1", "Directions")
# A standing person, mm: joint -> (to the right, forward, up).
_BODY = {
    "hip": (0, 0, 930),
    "right_hip": (130, 0, 930),
    "right_knee": (130, 20, 490),
    "right_ankle": (130, 0, 70),
    "left_hip": (-130, 0, 930),
    "left_knee": (-130, 20, 490),
    "left_ankle": (-130, 0, 70),
    "spine": (0, 10, 1170),
    "thorax": (0, 20, 1430),
    "neck_nose": (0, 90, 1500),
    "head": (0, 50, 1600),
    "left_shoulder": (-150, 20, 1400),
    "left_elbow": (-220, 0, 1130),
    "left_wrist": (-230, 60, 900),
    "right_shoulder": (150, 20, 1400),
    "right_elbow": (220, 0, 1130),
    "right_wrist": (230, 60, 900),
}


def standing(frames: int = 1, seed: int = 0) -> np.ndarray:
    """(frames, 17, 3) mm, z up, facing +y; every joint moved by some centimetres."""
    body = np.array([_BODY[joint] for joint in H36M_17.joints], float)
    return body + np.random.default_rng(seed).normal(0, 30, (frames, 17, 3))


def slots(poses: np.ndarray) -> np.ndarray:
    """(T, 17, D) in the 32 slots of the files (T, 32, D); the others hold rubbish."""
    result = np.full((len(poses), 32, poses.shape[2]), 7777.0)
    for number, joint in enumerate(H36M_17.joints):
        result[:, H36M_32.index(joint)] = poses[:, number]
    return result


def motion(subject: str, take: str) -> np.ndarray:
    """World positions (T, 17, 3) mm of one take; each take its own, of its own length."""
    number = sum(map(ord, subject + take))
    return standing(3 + len(take) % 3, number)


def write_cameras_h5(path: Path, subjects: tuple[str, ...]) -> None:
    """cameras.h5: R transposed, columns, the name as codes of its letters."""
    with h5py.File(path, "w") as file:
        for subject in subjects:
            for number, camera in enumerate(published_cameras(subject), 1):
                group = file.create_group(f"subject{subject[1:]}/camera{number}")
                group["R"] = camera.rotation.T
                group["T"] = camera.position[:, None]
                group["f"] = camera.intrinsics[:2, None]
                group["c"] = camera.intrinsics[2:, None]
                group["k"] = np.array(camera.radial)[:, None]
                group["p"] = np.array(camera.tangential)[:, None]
                group["Name"] = np.array([[ord(letter)] for letter in camera.name], np.uint16)


def write_tree(folder: Path, subjects=("S1", "S11"), takes=TAKES) -> Path:
    """The tree of 3d-pose-baseline."""
    for subject in subjects:
        place = folder / subject / "MyPoses/3D_positions"
        place.mkdir(parents=True)
        for take in takes:
            with h5py.File(place / f"{take}.h5", "w") as file:
                file["3D_positions"] = slots(motion(subject, take)).reshape(-1, 96).T
    write_cameras_h5(folder / "cameras.h5", subjects)
    return folder


def write_cdf(path: Path, pose: np.ndarray, name: str = "Pose") -> None:
    """One variable (1, T, n) in a CDF file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = cdflib.cdfwrite.CDF(path)
    described = {"Variable": name, "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True}
    file.write_var({**described, "Dim_Sizes": list(pose.shape)}, var_data=pose[None])
    file.close()


def write_official(folder: Path, subjects=("S1", "S11"), takes=TAKES) -> Path:
    """The download: positions, and projections for each camera."""
    for subject in subjects:
        place = folder / subject / "MyPoseFeatures"
        for take in takes:
            world = motion(subject, take)
            write_cdf(place / f"D3_Positions/{take}.cdf", slots(world).reshape(-1, 96))
            for camera in published_cameras(subject):
                seen = slots(camera.project(camera.to_camera(world))).reshape(-1, 64)
                write_cdf(place / f"D2_Positions/{take}.{camera.name}.cdf", seen)
    return folder


def usual(take: str) -> str:
    return take.replace("TakingPhoto", "Photo")


def write_videopose(folder: Path, subjects=("S1", "S11"), takes=TAKES) -> Path:
    """data_3d_h36m.npz: a pickled dictionary of dictionaries, m."""
    positions: Any = {
        subject: {
            usual(take): (slots(motion(subject, take)) / 1000).astype(np.float32)
            for take in takes
            if (subject, take) != ("S11", "Directions")
        }
        for subject in subjects
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=positions)
    return folder


def write_keypoints(folder: Path, name: str, keypoints: Any, metadata: Any) -> None:
    """data_2d_h36m_<name>.npz: subject -> take -> a list of four (T, J, 2) px."""
    path = folder / f"data_2d_h36m_{name}.npz"
    np.savez_compressed(path, positions_2d=keypoints, metadata=metadata)
