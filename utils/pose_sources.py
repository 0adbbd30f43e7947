"""Which rows of a pose file belong to a video or picture."""

from pathlib import PurePosixPath

import numpy as np

from utils.errors import UserError
from utils.pose_file import Poses

_MOST_NAMES = 10


def rows_of(
    poses: Poses, source: str, place: str = "the pose file", option: str = "--source"
) -> Poses:
    """The rows of one video or picture, in order of frames.

    It is the source of this name; else the only one whose file has this name, wherever it lies;
    else the only one that there is, since files are renamed. An empty name means that one. Raises
    UserError, saying what there is, if that is not clear. place: what to call the poses; option:
    that which names a source.
    """
    names = np.unique(poses.source).tolist()
    alike = [name for name in names if _file_name(name) == _file_name(source)]
    for candidates in ([source] if source in names else [], alike, names):
        if len(candidates) == 1:
            rows = poses.select(poses.source == candidates[0])
            return rows.select(np.argsort(rows.frame, kind="stable"))
    if not names:
        raise UserError(f"{place} has no poses")
    told = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    amiss = (
        f"has no {source}, or several"
        if source
        else f"has several sources: say which with {option}"
    )
    raise UserError(f"{place} {amiss}; it has {told}")


def _file_name(source: str) -> str:
    return PurePosixPath(source.replace("\\", "/")).name
