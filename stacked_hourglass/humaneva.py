"""HumanEva-I as `data/prepare.py humaneva` lays it out: pictures, and one file of their people."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from stacked_hourglass.person_table import PersonTable, PictureFiles, make_table
from stacked_hourglass.sources import absent
from utils.atomic import atomic_path
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import HUMANEVA_15, MPII_16

INDEX = "index.npz"
PICTURES = "images"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class HumanEvaFrames:
    """N pictures with the person in them, film after film."""

    picture: np.ndarray
    """(N,) names within images/"""
    keypoints_2d: np.ndarray
    """(N, 15, 2) px, joints of HUMANEVA_15"""
    keypoints_3d_camera: np.ndarray
    """(N, 15, 3) mm, in the camera's axes"""
    box: np.ndarray
    """(N, 3) centre and side, px"""
    split: np.ndarray
    """(N,) train or val"""
    film: np.ndarray
    """(N,) int: frames of a film follow one another evenly"""
    subject: np.ndarray
    """(N,) S1, S2 or S3"""
    action: np.ndarray
    """(N,) Walking, Jog, ..."""
    camera: np.ndarray
    """(N,) C1, C2, ..."""
    frame: np.ndarray
    """(N,) int: number in the take, from 1, as HumanEva counts"""


def write_frames(folder: str | Path, frames: HumanEvaFrames) -> Path:
    """Write index.npz in the folder; -> its path. Raises UserError if it cannot be written."""
    path = Path(folder) / INDEX
    arrays = {field.name: np.asarray(getattr(frames, field.name)) for field in fields(frames)}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        version = np.array(FORMAT_VERSION)
        np.savez_compressed(file, allow_pickle=False, format_version=version, **arrays)
    return path


def read_frames(folder: str | Path) -> HumanEvaFrames:
    """Read what `write_frames` wrote. Raises UserError if it is absent, damaged or another file."""
    path = Path(folder) / INDEX
    if not path.is_file():
        raise absent("eva", folder)
    try:
        with np.load(path, allow_pickle=False) as content:
            if int(content["format_version"]) != FORMAT_VERSION:
                raise ValueError("it is of another version")
            frames = HumanEvaFrames(**{f.name: content[f.name] for f in fields(HumanEvaFrames)})
            if frames.keypoints_2d.shape != (len(frames.picture), len(HUMANEVA_15), 2):
                raise ValueError(f"its 2D joints are {frames.keypoints_2d.shape}")
            return frames
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged file surfaces as whatever the parser trips over
        raise UserError(f"{path} is not what data/prepare.py humaneva writes: {error}") from error


def read_humaneva(folder: str | Path) -> PersonTable:
    """HumanEva-I: index.npz and images/, of every picture the person whose motion was captured.

    Of MPII's joints the upper neck and the head top are made from HumanEva's thorax and head, the
    thorax from the shoulders. Nothing is known about which joints can be seen. Raises UserError if
    the file is absent or damaged.
    """
    frames = read_frames(folder)
    points = convert(frames.keypoints_2d, HUMANEVA_15, MPII_16).poses
    try:
        return make_table(
            "eva",
            PictureFiles(Path(folder) / PICTURES, frames.picture),
            points,
            np.full(points.shape[:2], np.nan),
            frames.box,
            frames.split,
            film=frames.film,
        )
    except ValueError as error:
        raise UserError(f"{Path(folder) / INDEX} is damaged: {error}") from error
