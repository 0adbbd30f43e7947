"""Acclaim skeletons, `.asf`: the bones that `.amc` files turn."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from utils.errors import UserError
from utils.mocap.bvh import LARGEST
from utils.mocap.kinematics import Armature, rotation_matrices

# The unit of `length` is such that `length` units are one inch.
_INCH = 25.4
_TURNS = ("rx", "ry", "rz")
_ROOT_CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz")


@dataclass(frozen=True)
class Acclaim:
    """A skeleton in mm. The joint of a bone is its end; joint 0 is the root.

    `dofs`: joint -> its values in a frame, in order (the root has six). `axes` (J, 3, 3): the
    frame in which a bone's values turn it. `root_axes`: order of the root's turns, first to last.
    `millimetres`: of one unit of the motion's root; `radians`: are its angles in radians?
    """

    armature: Armature
    dofs: dict[int, tuple[str, ...]]
    axes: np.ndarray
    root_axes: str
    root_position: np.ndarray
    millimetres: float
    radians: bool


@dataclass
class _Bone:
    """One `begin ... end` of :bonedata; the place of the root is among them under "root"."""

    line: int
    values: dict[str, list[str]] = field(default_factory=dict)


class _Source:
    """A file's name for messages, and its numbers."""

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def error(self, line: int, what: str) -> UserError:
        """What is wrong in one line."""
        return UserError(f"{self.path}, line {line}: {what}")

    def numbers(self, line: int, words: list[str], count: int) -> list[float]:
        """The first `count` words as numbers of sensible size."""
        try:
            values = [float(word) for word in words[:count]]
        except ValueError:
            values = []
        if len(values) < count or not all(abs(value) < LARGEST for value in values):
            raise self.error(line, f"{count} numbers expected, not {' '.join(words)!r}")
        return values


def read_asf(path: str | Path) -> Acclaim:
    """Read a skeleton. Raises UserError, with file and line, for anything that is not whole."""
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    source = _Source(path)
    sections = _sections(text)
    for name in ("root", "bonedata", "hierarchy"):
        if name not in sections:
            raise UserError(f"{path} has no :{name}: it is cut short, or not an ASF file")
    root = _Bone(*_keyed(sections["root"]))
    bones = _bones(source, sections["bonedata"])
    parents = _parents(source, sections["hierarchy"], bones)
    units = dict(_unit(source, line, words) for line, words in sections.get("units", []))
    return _acclaim(source, root, bones, parents, units)


def _sections(text: str) -> dict[str, list[tuple[int, list[str]]]]:
    """Words of each line, by the ":section" it is in; a section's own line may hold more words."""
    sections: dict[str, list[tuple[int, list[str]]]] = {}
    current: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            current = sections.setdefault(words[0][1:].lower(), [])
        else:
            current.append((number, words))
    return sections


def _keyed(lines: list[tuple[int, list[str]]]) -> tuple[int, dict[str, list[str]]]:
    first = lines[0][0] if lines else 0
    return first, {words[0].lower(): words[1:] for _, words in lines}


def _unit(source: _Source, line: int, words: list[str]) -> tuple[str, float | str]:
    if words[0].lower() == "angle":
        return "angle", "".join(words[1:2]).lower()
    return words[0].lower(), source.numbers(line, words[1:], 1)[0]


def _bones(source: _Source, lines: list[tuple[int, list[str]]]) -> dict[str, _Bone]:
    bones: dict[str, _Bone] = {}
    for block in _blocks(source, lines):
        bone = _Bone(*_keyed(block))
        name = "".join(bone.values.get("name", [])[:1])
        if not name or name in bones or name == "root":
            raise source.error(bone.line, f"a bone with the name {name!r}")
        bones[name] = bone
    return bones


def _blocks(
    source: _Source, lines: list[tuple[int, list[str]]]
) -> Iterator[list[tuple[int, list[str]]]]:
    """What stands between each `begin` and `end`."""
    block: list[tuple[int, list[str]]] | None = None
    number = 0
    for number, words in lines:
        if words[0] == "begin" and block is None:
            block = []
        elif words[0] == "end" and block is not None:
            yield block
            block = None
        elif block is None:
            raise source.error(number, f"{words[0]!r} outside begin and end")
        else:
            block.append((number, words))
    if block is not None:
        raise source.error(number, "the block ends too early: is the file cut short?")


def _parents(
    source: _Source, lines: list[tuple[int, list[str]]], bones: dict[str, _Bone]
) -> dict[str, str]:
    """Bone -> parent, every parent before its children. Raises UserError unless it is one tree."""
    children: dict[str, list[str]] = {}
    blocks = list(_blocks(source, lines))
    for number, words in (line for block in blocks for line in block):
        for name in words:
            if name != "root" and name not in bones:
                raise source.error(number, f"{name} is not in :bonedata")
        children.setdefault(words[0], []).extend(words[1:])
    parents: dict[str, str] = {}
    waiting = ["root"]
    while waiting:
        name = waiting.pop()
        for child in children.get(name, []):
            if child == "root" or child in parents:
                raise UserError(f"{source.path}: {child} has two places in :hierarchy")
            parents[child] = name
            waiting.append(child)
    for name in bones:
        if name not in parents:
            raise UserError(f"{source.path}: {name} is not joined to the root in :hierarchy")
    return parents


def _acclaim(
    source: _Source,
    root: _Bone,
    bones: dict[str, _Bone],
    parents: dict[str, str],
    units: dict[str, float | str],
) -> Acclaim:
    radians = units.get("angle", "deg") == "rad"
    scale = float(units.get("length", 1.0))
    if scale <= 0:
        raise UserError(f"{source.path}: a unit of length of {scale:g}")
    millimetres = _INCH / scale
    names = ("root", *parents)
    order = tuple(word.lower() for word in root.values.get("order", []))
    if sorted(order) != sorted(_ROOT_CHANNELS):
        raise source.error(root.line, "the root's order must name TX TY TZ RX RY RZ")
    dofs = {0: order}
    offsets, axes = [np.zeros(3)], [_root_axes(source, root, radians)]
    for joint, name in enumerate(parents, 1):
        bone = bones[name]
        offsets.append(_offset(source, bone) * millimetres)
        axes.append(_axes(source, bone, radians))
        dofs[joint] = _dofs(source, bone)
    position = source.numbers(root.line, root.values.get("position", ["0"] * 3), 3)
    armature = Armature(
        names, (-1, *(names.index(parents[n]) for n in parents)), np.array(offsets), True
    )
    return Acclaim(
        armature,
        dofs,
        np.array(axes),
        _order(source, root.line, "".join(root.values.get("axis", ["XYZ"]))),
        np.array(position) * millimetres,
        millimetres,
        radians,
    )


def _offset(source: _Source, bone: _Bone) -> np.ndarray:
    direction = np.array(source.numbers(bone.line, bone.values.get("direction", []), 3))
    length = source.numbers(bone.line, bone.values.get("length", []), 1)[0]
    size = np.linalg.norm(direction)
    if not math.isclose(size, 1, abs_tol=0.01):
        raise source.error(bone.line, f"a direction of length {size:g}, which must be 1")
    return direction * (length / size)


def _axes(source: _Source, bone: _Bone, radians: bool) -> np.ndarray:
    words = bone.values.get("axis", [])
    order = _order(source, bone.line, "".join(words[3:]) or "XYZ")
    return _turned(source.numbers(bone.line, words, 3), order, radians)


def _root_axes(source: _Source, root: _Bone, radians: bool) -> np.ndarray:
    order = _order(source, root.line, "".join(root.values.get("axis", ["XYZ"])))
    angles = source.numbers(root.line, root.values.get("orientation", ["0"] * 3), 3)
    return _turned(angles, order, radians)


def _order(source: _Source, line: int, order: str) -> str:
    if sorted(order.upper()) != ["X", "Y", "Z"]:
        raise source.error(line, f"an axis order of {order!r}, not XYZ in some order")
    return order.upper()


def _turned(angles: list[float], order: str, radians: bool) -> np.ndarray:
    """Turns about fixed axes, the first of `order` first -> (3, 3)."""
    by_axis = dict(zip(order, angles, strict=True))
    values = np.array([[by_axis[axis] for axis in reversed(order)]])
    return rotation_matrices(values if radians else np.radians(values), order[::-1])[0]


def _dofs(source: _Source, bone: _Bone) -> tuple[str, ...]:
    dofs = tuple(word.lower() for word in bone.values.get("dof", []))
    if not set(dofs) <= set(_TURNS) or len(set(dofs)) < len(dofs):
        raise source.error(bone.line, f"dof {' '.join(dofs)!r}: only rx, ry and rz are read")
    return dofs
