"""HumanEva-I's takes: which parts of them train and validate, and where their files lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from data.humaneva_files import (
    Calibration,
    read_calibration,
    read_markers,
    read_measurements,
    read_offset,
)
from data.humaneva_joints import Body, Synchronised, body_joints, measure_body, synchronise
from utils.errors import UserError

SUBJECTS = ("S1", "S2", "S3")
CAMERAS = ("C1", "C2", "C3", "BW1", "BW2", "BW3", "BW4")
"""Three in colour, four in grey, in the order that frames are numbered by."""
TRIAL = 1
"""The only one with videos and motion capture: of the second the capture is kept back to test on,
of the third there is no video."""
FIRST_FRAME = 6
"""The compression of the videos repeats those before it."""
VIDEO_RATE = 60.0

Split = Literal["train", "val"]

# Last frame that validates, last frame that trains, counted from 1. What validates comes first.
_PARTITION = {
    "S1": {
        "Walking": (590, 1203),
        "Jog": (367, 740),
        "ThrowCatch": (473, 945),
        "Gestures": (395, 801),
        "Box": (385, 789),
    },
    "S2": {
        "Walking": (438, 876),
        "Jog": (398, 795),
        "ThrowCatch": (550, 1128),
        "Gestures": (500, 901),
        "Box": (382, 734),
    },
    "S3": {
        "Walking": (448, 939),
        "Jog": (401, 842),
        "ThrowCatch": (493, 1027),
        "Gestures": (533, 1102),
        "Box": (512, 1021),
    },
}


@dataclass(frozen=True)
class Take:
    """One subject doing one thing."""

    folder: Path
    """the subject's"""
    subject: str
    action: str

    @property
    def name(self) -> str:
        """As its files begin."""
        return f"{self.action}_{TRIAL}"

    @property
    def clip(self) -> str:
        """Its name in VideoPose3D's files."""
        return f"{self.action} {TRIAL}"

    @property
    def title(self) -> str:
        """As people say it."""
        return f"{self.subject} {self.clip}"

    @property
    def frames(self) -> dict[Split, np.ndarray]:
        """Numbers of the frames of each part, from 1."""
        middle, last = _PARTITION[self.subject][self.action]
        return {
            "val": np.arange(FIRST_FRAME, middle + 1),
            "train": np.arange(middle + 1, last + 1),
        }

    def video(self, camera: str) -> Path:
        """Where the film of a camera lies."""
        return self.folder / f"Image_Data/{self.name}_({camera}).avi"

    def calibration(self, camera: str) -> Calibration:
        """Raises UserError if it is absent or damaged."""
        return read_calibration(self.folder / f"Calibration_Data/{camera}.cal")

    def synchronised(self) -> Synchronised:
        """By the offsets of all cameras that have a file of them. Raises UserError if none has."""
        places = {c: self.folder / f"Sync_Data/{self.name}_({c}).ofs" for c in CAMERAS}
        offsets = {c: read_offset(path) for c, path in places.items() if path.is_file()}
        if not offsets:
            raise UserError(f"there is no {places['C1']}, nor that of another camera")
        return synchronise(offsets)


def read_body(folder: Path) -> tuple[Body, list[str]]:
    """What a subject's files tell of the body, and lines to be told. Raises UserError."""
    measured = folder / f"Mocap_Data/{folder.name}.mp"
    static = folder / "Mocap_Data/Static"
    markers, note = read_markers(static)
    return measure_body(markers, static, read_measurements(measured), measured), [note] * bool(note)


def read_joints(
    take: Take, body: Body, synchronised: Synchronised
) -> tuple[dict[Split, np.ndarray], list[str]]:
    """The 20 joints (F, 20, 3) mm in the world of all frames of each part, see `body_joints`, and
    lines to be told. Raises UserError."""
    stem = take.folder / f"Mocap_Data/{take.name}"
    markers, note = read_markers(stem)
    joints: dict[Split, np.ndarray] = {
        split: body_joints(markers, stem, synchronised.in_mocap(frames), body)
        for split, frames in take.frames.items()
    }
    return joints, [note] * bool(note)


def find_takes(folder: Path, subjects: tuple[str, ...]) -> list[Take]:
    """Takes of which the folder has motion capture. Raises UserError if there are none."""
    takes = []
    for subject in subjects:
        for action in _PARTITION[subject]:
            take = Take(folder / subject, subject, action)
            stem = take.folder / f"Mocap_Data/{take.name}"
            if any(stem.with_name(stem.name + suffix).is_file() for suffix in (".mat", ".c3d")):
                takes.append(take)
    if not takes:
        raise UserError(
            f"HumanEva-I is not in {folder}: looked for S1/Mocap_Data/Walking_1.c3d or .mat and "
            "the like, beside Image_Data, Calibration_Data and Sync_Data; get it from "
            "http://humaneva.is.tue.mpg.de"
        )
    return takes


def films_without_capture(folder: Path) -> int:
    """How many films of the folder are only there to be tested on."""
    films = folder.glob("S[1-4]/Image_Data/*_(*).avi")
    return sum(f"_{TRIAL}_(" not in film.name for film in films)
