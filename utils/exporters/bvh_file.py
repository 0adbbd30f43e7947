"""BVH: joint angles of a figure, for animation programs. `bvh_rig.py` has the figure and its rules.

Layout as every reader takes it: HIERARCHY, then MOTION with a line for each frame; channels are
ZXY, the position of the root before its angles.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from utils.atomic import atomic_path
from utils.exporters.bvh_rig import CHILDREN, NODES, STUBS, Figure, Node, pose_figure
from utils.exporters.tracks import tracks_of
from utils.pose_file import Poses
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, skeleton_named

CENTIMETRE = 10.0
"""mm; lengths in the file are centimetres."""
STUB = 0.25
"""Length of an End Site, as a share of the bone before it."""
_ANGLES = "Zrotation Xrotation Yrotation"


def write_bvh(folder: Path, poses: Poses) -> list[Path]:
    """A file for each source and person, `clip_person0.bvh`. cm, x right, y up, z to the camera.

    Every frame of the source has its line. Bones have their median lengths; a BVH file cannot say
    that a joint is missing, so that gaps are filled (`bvh_rig.pose_figure`). Raises UserError
    without 3D poses, or if the place cannot be written.
    """
    paths = []
    for track in tracks_of(poses, "BVH"):
        joints = convert(track.positions, skeleton_named(track.skeleton), H36M_17).poses
        figure = pose_figure(joints / CENTIMETRE)
        path = track.path(folder, ".bvh")
        with atomic_path(path) as temporary, open(temporary, "w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in _hierarchy(figure))
            file.write(f"MOTION\nFrames: {len(joints)}\nFrame Time: {1 / track.rate:.8f}\n")
            np.savetxt(file, _channels(figure), fmt="%.6f")
        paths.append(path)
    return paths


def _hierarchy(figure: Figure) -> Iterator[str]:
    yield "HIERARCHY"
    yield from _joint(NODES[0], figure, 0)


def _joint(node: Node, figure: Figure, depth: int) -> Iterator[str]:
    """Lines of a joint and of everything below it."""
    tab, inside = "\t" * depth, "\t" * (depth + 1)
    yield f"{tab}{'JOINT' if node.parent else 'ROOT'} {node.name}"
    yield f"{tab}{{"
    yield f"{inside}{_offset(figure.offsets[node.name])}"
    if node.parent:
        yield f"{inside}CHANNELS 3 {_ANGLES}"
    else:
        yield f"{inside}CHANNELS 6 Xposition Yposition Zposition {_ANGLES}"
    for child in CHILDREN[node.name]:
        yield from _joint(child, figure, depth + 1)
    if node.name in STUBS:
        stub = STUBS[node.name] * STUB * np.linalg.norm(figure.offsets[node.name])
        yield f"{inside}End Site"
        yield f"{inside}{{"
        yield f"{inside}\t{_offset(stub)}"
        yield f"{inside}}}"
    yield f"{tab}}}"


def _offset(vector: np.ndarray) -> str:
    x, y, z = vector
    return f"OFFSET {x:.6f} {y:.6f} {z:.6f}"


def _channels(figure: Figure) -> np.ndarray:
    """(T, 3 + 3 * joints): the root's place, then the angles of every joint, degrees.

    Angles go on from one frame to the next without jumps of a whole turn.
    """
    angles = [
        Rotation.from_matrix(figure.turns[node.name]).as_euler(
            "ZXY", degrees=True, suppress_warnings=True
        )
        for node in NODES
    ]
    return np.hstack([figure.root, *(np.unwrap(one, axis=0, period=360) for one in angles)])
