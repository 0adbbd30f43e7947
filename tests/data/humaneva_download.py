"""HumanEva-I as downloaded, small: a rigid person who walks and turns, seen by bent lenses."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import c3d
import numpy as np
import scipy.io

from tests.stacked_hourglass.fake_data import struct_array
from utils.cameras import look_at

SIZE = (128, 96)
FOCAL, CENTRE, SKEW = (90.0, 92.0), (64.5, 47.0), 0.01
DISTORTION = (-0.2, 0.15, 0.002, -0.003, 0.05)
SHOULDERS = 360.0  # mm between the shoulders' markers
SHOULDER_OFFSET = {"left": 40.0, "right": 30.0}
# Markers on the skin: of them only the shoulders' places matter.
SKIN = [
    *("C7", "T10", "CLAV", "STRN", "RBAK"),
    *(f"{side}{name}" for side in "LR" for name in ("FHD", "BHD", "SHO", "UPA", "ELB", "FRM")),
    *(f"{side}{name}" for side in "LR" for name in ("WRA", "WRB", "FIN", "ASI", "PSI", "THI")),
    *(f"{side}{name}" for side in "LR" for name in ("KNE", "TIB", "ANK", "HEE", "TOE")),
]
# Origins of the segments where the person stands at (0, 0), facing along x: mm.
SEGMENTS = {
    "PELO": (60, 0, 950),
    "TRXO": (0, 0, 1450),
    "HEDO": (40, 0, 1600),
    **{f"{s}CLO": (0, y * 170, 1400) for s, y in (("L", 1), ("R", -1))},
    **{f"{s}HUO": (0, y * 200, 1120) for s, y in (("L", 1), ("R", -1))},
    **{f"{s}RAO": (0, y * 200, 870) for s, y in (("L", 1), ("R", -1))},
    **{f"{s}FEO": (0, y * 100, 500) for s, y in (("L", 1), ("R", -1))},
    **{f"{s}TIO": (0, y * 100, 80) for s, y in (("L", 1), ("R", -1))},
}
# Of each camera, which frames of the film and of the capture show the same moment, and the step.
# The second film begins last, half a frame of the capture after its second one.
OFFSETS = ((5, 8.5, 2.0), (6, 12.5, 2.0), (7, 11.5, 2.0))
FIRST_IN_FILM = (1, 0, 2)  # counted from 0, of the first frame that all have
FIRST_IN_CAPTURE = 2.5  # counted from 1
# Lengths of the segments' z axes, mm: those of the thighs end at the hips.
HIP_ABOVE_KNEE = 420.0
LABELS = [*SKIN, *(f"{name[:-1]}{end}" for name in SEGMENTS for end in "OPAL")]


@dataclass(frozen=True)
class Cameras:
    """Where they stand (mm), all looking at the middle of the room."""

    positions: tuple[tuple[float, float, float], ...] = (
        (4000, 300, 1400),
        (500, -3900, 1500),
        (-700, 3800, 1300),
    )

    def rotation(self, number: int) -> np.ndarray:
        return look_at(
            np.array(self.positions[number]), np.array([0, 0, 900.0]), np.array([0, 0, 1.0])
        )


def standing(time: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place (T, 3) mm and axes (T, 3, 3), as columns, of the person in frames of the capture."""
    time = np.atleast_1d(np.asarray(time, float))
    angle = 0.02 * time
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    turn = np.array([[cos, -sin, zero], [sin, cos, zero], [zero, zero, zero + 1]])
    place = np.stack([200 * np.sin(time / 20), 150 * np.cos(time / 30), zero], axis=-1)
    return place, turn.transpose(2, 0, 1)


def captured(frames: int) -> np.ndarray:
    """Markers (T, M, 3), mm, in the order of LABELS, in frames 1 to T."""
    root, axes = standing(np.arange(1, frames + 1))
    places = []
    for name in LABELS:
        if name in SKIN:
            y = {"LSHO": 1, "RSHO": -1}.get(name, 0) * SHOULDERS / 2
            places.append((0.0, y, 1430.0))
            continue
        origin = np.array(SEGMENTS[f"{name[:-1]}O"], float)
        up = HIP_ABOVE_KNEE if name[1:3] == "FE" else 150.0
        ends = {"O": (0, 0, 0), "P": (0, 0, up), "A": (120, 0, 0), "L": (0, 90, 0)}
        places.append(origin + ends[name[-1]])
    return root[:, None] + np.einsum("tij,mj->tmi", axes, np.array(places))


@dataclass(frozen=True)
class Moment:
    """Where the person is at times (T,) in frames of the capture."""

    time: np.ndarray

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Forward and up (T, 3)."""
        _, turn = standing(self.time)
        return turn[..., 0], turn[..., 2]

    def point(self, local: Any) -> np.ndarray:
        """A place of the person (T, 3), on the straight line between two frames."""
        share = (self.time - np.floor(self.time))[:, None]
        ends = []
        for number in (np.floor(self.time), np.ceil(self.time)):
            root, turn = standing(number)
            ends.append(root + turn @ np.array(local, float))
        return (1 - share) * ends[0] + share * ends[1]


def expected_joints(time: np.ndarray) -> dict[str, np.ndarray]:
    """Closed form of the 20 joints (T, 3), mm in the world, at times in frames of the capture."""
    at = Moment(time)
    x, z = at.axes
    spine = np.linalg.norm(np.subtract(SEGMENTS["TRXO"], SEGMENTS["PELO"]))
    lean = np.arctan2((SHOULDERS / 2 - 7) / 2, spine)
    pelvis = at.point(SEGMENTS["PELO"]) - 50 * x
    joints = {
        "pelvis": pelvis,
        "torso_top": pelvis + spine * (np.cos(lean) * z - np.sin(lean) * x),
        "head_base": at.point(SEGMENTS["TRXO"]),
        "head": at.point(SEGMENTS["TRXO"]) + 316.103 * z,
    }
    for side in SHOULDER_OFFSET:
        joints |= expected_limbs(at, side)
    return joints


def expected_limbs(at: Moment, side: str) -> dict[str, np.ndarray]:
    """Arm and leg of a side."""
    x, z = at.axes
    names = [f"{side[0].upper()}{name}" for name in ("CLO", "HUO", "RAO", "FEO", "TIO")]
    top, elbow, wrist, knee, ankle = (np.array(SEGMENTS[name], float) for name in names)
    upper, lower = np.linalg.norm(top - elbow), np.linalg.norm(elbow - wrist)
    turn = np.arctan2(SHOULDER_OFFSET[side] / 2, upper)
    end = at.point(top) - upper * (np.cos(turn) * z + np.sin(turn) * x)
    start = end + at.point(elbow) - (at.point(top) - upper * z)
    hip = at.point(knee + np.array([0, 0, HIP_ABOVE_KNEE]))
    return {
        f"{side}_shoulder": at.point(top),
        f"{side}_elbow_upper": end,
        f"{side}_elbow_lower": start,
        f"{side}_wrist": start - lower * (np.cos(turn) * z - np.sin(turn) * x),
        f"{side}_hip": hip,
        f"{side}_knee_upper": hip - HIP_ABOVE_KNEE * z,
        f"{side}_knee_lower": at.point(knee),
        f"{side}_ankle": at.point(knee) - np.linalg.norm(knee - ankle) * z,
    }


def expected_pixels(points: np.ndarray, camera: int) -> np.ndarray:
    """Brown's lens with skew, written out: world points (..., 3), mm -> px (..., 2)."""
    cameras = Cameras()
    away = (points - np.array(cameras.positions[camera])) @ cameras.rotation(camera).T
    x, y = away[..., 0] / away[..., 2], away[..., 1] / away[..., 2]
    k1, k2, p1, p2, k3 = DISTORTION
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    bent_x = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    bent_y = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    u = FOCAL[0] * (bent_x + SKEW * bent_y) + CENTRE[0]
    return np.stack([u, FOCAL[1] * bent_y + CENTRE[1]], axis=-1)


def write_calibration(path: Path, camera: int) -> None:
    rotation = Cameras().rotation(camera)
    shift = -rotation @ np.array(Cameras().positions[camera])
    values = [*FOCAL, *CENTRE, SKEW, *DISTORTION, *rotation.ravel(), *shift]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{value:.9f} \n" for value in values))


def write_offset(path: Path, video: float, mocap: float, step: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{video:f} \n{mocap:f} \n{step:f} \n")


def write_c3d(path: Path, positions: np.ndarray, labels: Sequence[str] = LABELS) -> None:
    """Positions (T, M, 3), mm; lost markers are 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = c3d.Writer(point_rate=120)
    writer.set_point_labels([f"S1:{label}" for label in labels])
    for frame in positions:
        points = np.zeros((len(labels), 5), np.float32)
        points[:, :3] = frame
        writer.add_frames([(points, np.array([[]]))])
    with path.open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there are no analogue channels
        writer.write(file)


def write_matlab(path: Path, positions: np.ndarray, labels: Sequence[str] = LABELS) -> None:
    """The same as the official code saves it: arrays, and structures of cells."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def cell(*texts: str) -> np.ndarray:
        return np.array([[np.array([text]) for text in texts]], object).reshape(1, -1)

    used = struct_array([{"name": cell("USED"), "data": np.array([[len(labels)]])}])
    points = struct_array(
        [
            {"name": cell("USED"), "data": np.array([[len(labels)]])},
            {"name": cell("LABELS"), "data": cell(*labels)},
        ]
    )
    groups = struct_array(
        [{"name": cell("ANALOG"), "Parameter": used}, {"name": cell("POINT"), "Parameter": points}]
    )
    content: dict[str, Any] = {"Markers": positions, "ParameterGroup": groups}
    scipy.io.savemat(path, content | {"VideoFrameRate": 120.0})


def grey(camera: int, frame: int) -> int:
    """Of a frame of a film, counted from 0."""
    return 40 + 5 * frame + 2 * camera


def write_film(path: Path, camera: int, frames: int) -> None:
    """MPEG-4 in AVI as the official films are; every frame is of its own grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(60))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(frames):
            picture = np.full((SIZE[1], SIZE[0], 3), grey(camera, number), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_subject(folder: Path, frames: int, lost: Sequence[int] = ()) -> Path:
    """S1/ with one take, Walking 1, of so many frames in the films; markers are lost in some frames
    of the capture, counted from 1."""
    subject = folder / "S1"
    positions = captured(2 * frames)
    positions[np.array(lost, int) - 1, LABELS.index("LANK")] = 0
    write_c3d(subject / "Mocap_Data/Walking_1.c3d", positions)
    write_c3d(subject / "Mocap_Data/Static.c3d", captured(3))
    measured = "".join(
        f"${side[0].upper()}ShoulderOffset = {value:g}\n" for side, value in SHOULDER_OFFSET.items()
    )
    (subject / "Mocap_Data/S1.mp").write_text(f"$BodyMass = 70\n{measured}$HeadOffset = 0\n")
    for number in range(3):
        camera = f"C{number + 1}"
        write_calibration(subject / f"Calibration_Data/{camera}.cal", number)
        write_film(subject / f"Image_Data/Walking_1_({camera}).avi", number, frames)
        write_offset(subject / f"Sync_Data/Walking_1_({camera}).ofs", *OFFSETS[number])
    return folder
