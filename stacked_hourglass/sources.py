"""Where each data set comes from and how it lies on disk: what a user is told if it is absent."""

from dataclasses import dataclass
from pathlib import Path

from utils.errors import UserError


@dataclass(frozen=True)
class Origin:
    """A data set for people who do not have it yet."""

    title: str
    where: str
    """where to get it"""
    layout: str
    """files inside its folder"""
    prepare: str
    """command that converts or checks a download"""


ORIGINS = {
    "lsp": Origin(
        "Leeds Sports Pose",
        "http://sam.johnson.io/research/lsp.html",
        "joints.mat and images/im0001.jpg ...",
        "python data/prepare.py lsp --data_dir {folder}",
    ),
    "lspet": Origin(
        "Leeds Sports Pose extended",
        "http://sam.johnson.io/research/lspet.html",
        "joints.mat and images/im00001.jpg ...",
        "python data/prepare.py lsp --extended --data_dir {folder}",
    ),
    "mpii": Origin(
        "MPII Human Pose",
        "http://human-pose.mpi-inf.mpg.de",
        "images/ and mpii_annotations.json, or train.json and valid.json",
        "python data/prepare.py mpii --data_dir {folder}",
    ),
    "coco": Origin(
        "COCO keypoints",
        "https://cocodataset.org/#download",
        "annotations/person_keypoints_{train,val}2017.json, train2017/ and val2017/",
        "python data/prepare.py coco --data_dir {folder}",
    ),
    "eva": Origin(
        "HumanEva-I",
        "http://humaneva.is.tue.mpg.de",
        "S1/Image_Data, Calibration_Data, Mocap_Data, Sync_Data, S2/... as downloaded",
        "python data/prepare.py humaneva {folder} --output {folder}",
    ),
}
FOLDERS = {"eva": "data/humaneva"}
"""Where a data set lies that is not in data/<name>."""


def default_folder(data_set: str) -> str:
    """Where a data set lies if nothing else is said."""
    return FOLDERS.get(data_set, f"data/{data_set}")


class AbsentError(UserError):
    """A data set is not where it was looked for: what, why, where from, layout.

    What else to do depends on the command, and is added by whoever catches this.
    """

    def __init__(self, message: str, prepare: str) -> None:
        super().__init__(message)
        self.and_prepare = f"{message}, then run `{prepare}`"
        """the message with the command that converts or checks the data set"""


def absent(data_set: str, folder: str | Path, reason: str = "") -> AbsentError:
    """The error for a data set that is not in `folder`; `reason` if the folder is there."""
    origin = ORIGINS[data_set]
    if not Path(folder).is_dir():
        reason = "it is not a folder" if Path(folder).exists() else "there is no such folder"
    message = (
        f"{origin.title} is not in {folder}: {reason or 'the folder lacks its files'}; "
        f"get it from {origin.where} and lay it out as {origin.layout}"
    )
    return AbsentError(message, origin.prepare.format(folder=folder))
