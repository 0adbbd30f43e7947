"""Acclaim motions, `.amc`: per frame its number, then a line of values for each turning bone."""

from pathlib import Path
from typing import NoReturn

import numpy as np

from utils.errors import UserError
from utils.mocap.asf import Acclaim
from utils.mocap.bvh import LARGEST
from utils.mocap.kinematics import Motion, rotation_matrices

# No number is written with more characters.
_LONGEST_WORD = 40


def read_amc(path: str | Path, skeleton: Acclaim, frame_rate: float) -> Motion:
    """Read a clip that belongs to this skeleton; lengths in mm.

    `frame_rate`, in frames per second, is not in the file. A bone turns by C R C^-1, where C is
    its `axis` and R its values, about x first (Acclaim's description of ASF/AMC). Raises
    UserError, with file and line, for anything that is not whole or does not fit the skeleton.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    start, radians = _header(lines, skeleton.radians)
    if start == len(lines):
        raise UserError(f"{path} has no frames: it is cut short, or not an AMC file")
    bones = _layout(path, lines, start, skeleton)
    table = _table(lines[start:], bones, skeleton)
    if table is None:
        _explain(path, lines, start, bones, skeleton)
    return _motion(skeleton, bones, table, radians, frame_rate)


def _header(lines: list[bytes], radians: bool) -> tuple[int, bool]:
    """Number of lines before the first frame, and whether the angles are radians."""
    for i, line in enumerate(lines):
        word = line.strip().upper()
        if word in (b":RADIANS", b":DEGREES"):
            radians = word == b":RADIANS"
        elif word and not word.startswith((b"#", b":")):
            return i, radians
    return len(lines), radians


def _layout(path: str | Path, lines: list[bytes], start: int, skeleton: Acclaim) -> list[int]:
    """Joints in the order in which the first frame lists them."""
    names = {name.encode("latin-1"): j for j, name in enumerate(skeleton.armature.names)}
    if not lines[start].strip().isdigit():
        raise UserError(f"{path}, line {start + 1}: the number of a frame expected")
    bones: list[int] = []
    for i, line in enumerate(lines[start + 1 :], start + 1):
        words = line.split()
        if len(words) == 1 and words[0].isdigit():
            break
        if words:
            name = words[0]
            if name not in names:
                raise UserError(f"{path}, line {i + 1}: the skeleton has no bone {_text(name)}")
            if names[name] in bones:
                raise UserError(f"{path}, line {i + 1}: {_text(name)} comes twice in a frame")
            _check_line(path, i, words, len(skeleton.dofs[names[name]]))
            bones.append(names[name])
    for joint, dofs in skeleton.dofs.items():
        if dofs and joint not in bones:
            raise UserError(f"{path}: its first frame lacks {skeleton.armature.names[joint]}")
    return bones


def _text(word: bytes) -> str:
    return repr(word.decode("latin-1")[:_LONGEST_WORD])


def _check_line(path: str | Path, i: int, words: list[bytes], count: int) -> None:
    if len(words) != count + 1:
        raise UserError(
            f"{path}, line {i + 1}: {len(words) - 1} values for {_text(words[0])}, which has "
            f"{count} in the skeleton"
        )
    for word in words[1:]:
        if not _is_number(word):
            raise UserError(f"{path}, line {i + 1}: {_text(word)} is not a number")


def _is_number(word: bytes) -> bool:
    try:
        return len(word) <= _LONGEST_WORD and abs(float(word)) < LARGEST
    except ValueError:
        return False


def _table(lines: list[bytes], bones: list[int], skeleton: Acclaim) -> np.ndarray | None:
    """Values (F, sum of dofs) of the bones in order, or None if a frame is not as the first."""
    words = b"\n".join(lines).split()
    width = 1 + sum(1 + len(skeleton.dofs[joint]) for joint in bones)
    if len(words) % width or max(map(len, words)) > _LONGEST_WORD:
        return None
    table = np.array(words).reshape(-1, width)
    is_name = np.zeros(width, bool)
    is_name[np.cumsum([1, *(1 + len(skeleton.dofs[joint]) for joint in bones[:-1])])] = True
    names = [skeleton.armature.names[joint].encode("latin-1") for joint in bones]
    if not (table[:, is_name] == names).all():
        return None
    is_name[0] = True
    try:
        numbers = table[:, 0].astype(int)
        values = table[:, ~is_name].astype(float)
    except (ValueError, OverflowError):
        return None
    good = (np.diff(numbers) == 1).all() and (np.abs(values) < LARGEST).all()
    return values if good else None


def _explain(
    path: str | Path, lines: list[bytes], start: int, bones: list[int], skeleton: Acclaim
) -> NoReturn:
    """Raise the UserError that names the first line that is amiss."""
    names = [skeleton.armature.names[joint].encode("latin-1") for joint in bones]
    first = int(lines[start].strip()[:_LONGEST_WORD])
    frame, due = first - 1, 0
    for i, line in enumerate(lines[start:], start):
        words = line.split()
        if not words:
            continue
        place = f"{path}, line {i + 1}"
        if len(words) == 1 and words[0].isdigit():
            frame += 1
            if int(words[0][:_LONGEST_WORD]) != frame or due % len(names):
                raise UserError(f"{place}: frame {_text(words[0])} where {frame} is not whole yet")
            continue
        if words[0] != names[due % len(names)]:
            wanted = _text(names[due % len(names)])
            raise UserError(f"{place}: {_text(words[0])} where the first frame has {wanted}")
        _check_line(path, i, words, len(skeleton.dofs[bones[due % len(names)]]))
        due += 1
    raise UserError(f"{path} ends within frame {frame}: it is cut short")


def _motion(
    skeleton: Acclaim, bones: list[int], table: np.ndarray, radians: bool, frame_rate: float
) -> Motion:
    rotations: list[np.ndarray | None] = [None] * len(skeleton.armature.names)
    translation = np.zeros((len(table), 3))
    column = 0
    for joint in bones:
        dofs = skeleton.dofs[joint]
        values = dict(zip(dofs, table[:, column : column + len(dofs)].T, strict=True))
        column += len(dofs)
        turns = [dof for dof in dofs if dof[0] == "r"]
        if joint == 0:
            turns = [f"r{axis.lower()}" for axis in skeleton.root_axes]
            moved = np.stack([values[f"t{axis}"] for axis in "xyz"], axis=-1)
            translation = moved * skeleton.millimetres + skeleton.root_position
        if turns:
            angles = np.stack([values[dof] for dof in reversed(turns)], axis=-1)
            axes = "".join(dof[1].upper() for dof in reversed(turns))
            inner = rotation_matrices(angles if radians else np.radians(angles), axes)
            c = skeleton.axes[joint]
            rotations[joint] = c @ inner @ c.T
    return Motion(skeleton.armature, tuple(rotations), {0: translation}, len(table), frame_rate)
