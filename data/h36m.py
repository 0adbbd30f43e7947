"""The subcommand `h36m` of data/prepare.py: Human3.6M, however it was had, as one file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twod_threed.h36m import pairs_file, read_layout
from twod_threed.h36m_takes import ACTIONS, DAMAGED, SUBJECTS, Wanted
from twod_threed.pairs import PROJECTED, PosePairs, write_pairs
from utils.option_checks import at_least_one


@dataclass
class H36mOptions:
    """Convert Human3.6M to one file of pairs of 2D and 3D poses."""

    data_dir: Path = Path("data/h36m")
    """Folder in the layout of VideoPose3D, 3d-pose-baseline or the official download."""
    output: Path | None = None
    """The file to write; by default h36m_<keypoints>.npz in --data_dir."""
    subjects: tuple[str, ...] = SUBJECTS
    """People to convert."""
    actions: tuple[str, ...] = ACTIONS
    """Actions to convert."""
    keypoints: str = PROJECTED
    """2D joints: gt for projections of the 3D joints; the name of a detector that VideoPose3D has
    a file of, such as cpn_ft_h36m_dbb; d2_positions for those of the official download."""
    every: int = 1
    """Take every so many-th frame, of 50 a second."""

    def __post_init__(self) -> None:
        at_least_one(every=self.every)


def prepare_h36m(options: H36mOptions) -> int:
    """Write the pairs and say what is in them. -> exit code."""
    wanted = Wanted(options.subjects, options.actions)
    pairs = read_layout(options.data_dir, wanted, options.keypoints, options.every)
    output = options.output or options.data_dir / pairs_file(options.keypoints)
    write_pairs(output, pairs)
    if DAMAGED[0] in options.subjects and "/".join(DAMAGED) not in pairs.clip_names:
        print(f"{' '.join(DAMAGED)} is left out, as in VideoPose3D: its film is damaged")
    for line in _summary(pairs):
        print(line)
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
    return 0


def _summary(pairs: PosePairs) -> list[str]:
    """Clips and poses of each subject."""
    rows = pairs.clip_subjects[pairs.clip]
    return [
        f"{subject}: {np.count_nonzero(pairs.clip_subjects == subject)} takes, "
        f"{np.count_nonzero(rows == subject)} poses"
        for subject in dict.fromkeys(pairs.clip_subjects.tolist())
    ]
