"""TRC, the marker file that OpenSim reads: 3D joints as markers, tab-separated, blank if missing.

Layout as in OpenSim's documentation, "Marker (.trc) Files": three lines of header, two of column
names, an empty one, then a line for each frame.
"""

from pathlib import Path

import numpy as np

from utils.atomic import atomic_path
from utils.exporters.tracks import Track, tracks_of
from utils.pose_file import Poses
from utils.skeletons import skeleton_named


def write_trc(folder: Path, poses: Poses) -> list[Path]:
    """A file for each source and person, `clip_person0.trc`. mm, x right, y up, z to the camera.

    Every frame of the source has its line; the coordinates of missing joints are blank. What in the
    source's name is no UTF-8 stands as `\\udce9`. Raises UserError without 3D poses, or if the
    place cannot be written.
    """
    paths = []
    for track in tracks_of(poses, "TRC"):
        path = track.path(folder, ".trc")
        with (
            atomic_path(path) as temporary,
            open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
        ):
            file.write(_header(track, path.name))
            file.writelines(_line(track, row) for row in range(len(track.frames)))
        paths.append(path)
    return paths


def _header(track: Track, name: str) -> str:
    joints = skeleton_named(track.skeleton).joints
    rate, count = f"{track.rate:.6g}", len(track.frames)
    header = {
        "DataRate": rate,
        "CameraRate": rate,
        "NumFrames": count,
        "NumMarkers": len(joints),
        "Units": "mm",
        "OrigDataRate": rate,
        # Frames count from 1 here.
        "OrigDataStartFrame": track.frames[0] + 1,
        "OrigNumFrames": count,
    }
    places = (f"{axis}{number}" for number in range(1, len(joints) + 1) for axis in "XYZ")
    lines = (
        ("PathFileType", "4", "(X/Y/Z)", name),
        tuple(header),
        tuple(map(str, header.values())),
        # A marker's name stands over its x; y and z have none.
        ("Frame#", "Time", "\t\t\t".join(joints), "", ""),
        ("", "", *places),
        (),
    )
    return "".join("\t".join(line) + "\n" for line in lines)


def _line(track: Track, row: int) -> str:
    coordinates = track.positions[row].ravel()
    words = ["" if np.isnan(value) else f"{value:.3f}" for value in coordinates]
    # OpenSim takes no notice of what follows the last tab: without it, a blank there is lost.
    return "\t".join((str(track.frames[row] + 1), f"{track.times[row]:.6f}", *words, "\n"))
