"""Human3.6M's 3D poses as a motion store: from VideoPose3D's file, or the one that we prepare."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from utils.array_files import load_arrays
from utils.errors import UserError
from utils.foreign_files import read_foreign
from utils.mocap.store import MotionStore, make_store
from utils.skeletons import H36M_17, H36M_32

VIDEOPOSE_FILE = "data_3d_h36m.npz"
PREPARED_FILE = "h36m_gt.npz"
SOURCE = "h36m"
FRAME_RATE = 50.0
# z up to the y up of motion stores: both are right-handed.
_UPRIGHT = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)

Clip = tuple[str, str, np.ndarray]
"""Subject, action, and (T, 17, 3) mm with z up."""


def read_h36m_motion(data_dir: str | Path, subjects: Sequence[str] | None = None) -> MotionStore:
    """The poses of everybody, or of `subjects`, in Human3.6M.

    data_dir: a folder with VIDEOPOSE_FILE or PREPARED_FILE, or either file. Raises UserError if
    there is none, or it is damaged.
    """
    path = _find(Path(data_dir))
    clips = list(_videopose(path) if path.name == VIDEOPOSE_FILE else _prepared(path))
    chosen = [clip for clip in clips if subjects is None or clip[0] in subjects]
    names = [f"{subject}/{number}" for number, (subject, _, _) in enumerate(chosen)]
    return make_store(
        [poses @ _UPRIGHT.T for _, _, poses in chosen],
        names=names,
        sources=[SOURCE] * len(chosen),
        subjects=[subject for subject, _, _ in chosen],
        actions=[action for _, action, _ in chosen],
        frame_rates=[FRAME_RATE] * len(chosen),
        validity=[np.zeros(len(H36M_17), np.uint8)] * len(chosen),
    )


def _find(path: Path) -> Path:
    for file in (path, path / VIDEOPOSE_FILE, path / PREPARED_FILE):
        if file.is_file():
            return file
    raise UserError(
        f"Human3.6M is not in {path}: get it from http://vision.imar.ro/human3.6m and put "
        f"{VIDEOPOSE_FILE} there, as VideoPose3D makes it, or {PREPARED_FILE}, as `python "
        f"data/prepare.py h36m --data_dir {path}` makes it of any layout; 3d_pose_gan_mannequin "
        "and 3d_pose_vae_mannequin need no data"
    )


def _videopose(path: Path) -> Iterator[Clip]:
    """Subject -> action -> (T, 32, 3) m, in a dictionary within an array."""
    problem = f"{path} is not as VideoPose3D makes it"
    content: Any = read_foreign(path)
    if not isinstance(content, dict) or not isinstance(content.get("positions_3d"), np.ndarray):
        raise UserError(f"{problem}: it has no positions_3d")
    people = content["positions_3d"].tolist()
    joints = H36M_32.indices(*H36M_17.joints)
    if not isinstance(people, dict) or not all(isinstance(v, dict) for v in people.values()):
        raise UserError(f"{problem}: positions_3d is no dictionary of dictionaries")
    for subject, takes in people.items():
        for action, values in takes.items():
            shape = values.shape[1:] if isinstance(values, np.ndarray) else None
            if shape != (len(H36M_32), 3) or not np.isfinite(values).all():
                raise UserError(f"{problem}: {subject} {action} is not (frames, 32, 3) in m")
            yield str(subject), str(action), (values[:, joints] * 1000).astype(np.float32)


def _prepared(path: Path) -> Iterator[Clip]:
    """A file of pairs (docs: data/README.md): each clip as the first of its cameras saw it."""
    arrays = load_arrays(path, "file of Human3.6M pairs")
    try:
        camera, clip = arrays["camera"], arrays["clip"]
        for number in np.unique(clip):
            rows = np.flatnonzero(clip == number)
            rows = rows[camera[rows] == camera[rows[0]]]
            # A camera's axes are the world's, turned: x_camera = R x_world.
            world = arrays["poses_3d"][rows] @ arrays["rotation"][camera[rows[0]]]
            subject, action = arrays["clip_subjects"][number], arrays["clip_actions"][number]
            yield str(subject), str(action), world.astype(np.float32)
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(f"{path} is no whole file of Human3.6M pairs: {error}") from error
