"""BVH files: the hierarchy of joints, and one line of channels per frame."""

import math
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from utils.errors import UserError
from utils.mocap.kinematics import Armature, Motion, rotation_matrices

# Beyond any length or angle: a number like this is damage.
LARGEST = 1e7

# Names may hold other blanks than these, and other ends of lines.
_words_of = re.compile(r"[^ \t\r\n\f\v]+").findall
_LINE_END = re.compile(r"\r\n|\r|\n")

_POSITIONS = ("Xposition", "Yposition", "Zposition")
_ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")


@dataclass
class _Hierarchy:
    """What the upper part of a file says; `channels` per joint, in the order of the columns."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: dict[int, list[float]] = field(default_factory=dict)
    channels: dict[int, list[str]] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Numbers in a line of the motion."""
        return sum(map(len, self.channels.values()))


def read_bvh(path: str | Path) -> Motion:
    """Read a clip; lengths stay in units of the file.

    Channels may come in any order. Positions of a joint replace its OFFSET, as programs that write
    them for every joint mean it. End sites are called `<parent>_end`, and names of several words
    `Left_Arm`. Names are UTF-8, else Latin-1. Raises UserError, with file and line, for anything
    that is not a whole BVH file.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = _LINE_END.split(text)
    start = next((i for i, line in enumerate(lines) if _words_of(line) == ["MOTION"]), None)
    if not any(_words_of(line)[:1] == ["HIERARCHY"] for line in lines[:start]):
        raise UserError(f"{path} has no HIERARCHY: it is not a BVH file")
    if start is None:
        raise UserError(f"{path} has no MOTION: it is cut short")
    hierarchy = _read_hierarchy(_Words(path, lines[:start]))
    values, frame_time = _read_motion(path, lines, start + 1, hierarchy.width)
    return _motion(hierarchy, values, frame_time)


class _Words:
    """The words of the hierarchy one after the other; knows where it is when something is wrong."""

    def __init__(self, path: str | Path, lines: list[str]) -> None:
        self.path = path
        self.words = [(word, i + 1) for i, line in enumerate(lines) for word in _words_of(line)]
        self.place = 0

    def take(self) -> str:
        """The next word."""
        if self.place == len(self.words):
            self.fail("the hierarchy ends too early")
        self.place += 1
        return self.words[self.place - 1][0]

    def name(self) -> str:
        """The words up to a bracket or the end of the line, joined to one."""
        name, line = self.take(), self.words[self.place - 1][1]
        while self.place < len(self.words) and self.words[self.place][1] == line:
            if self.words[self.place][0] == "{":
                break
            name += "_" + self.take()
        return name

    def number(self) -> float:
        """The next word as a number of sensible size."""
        word = self.take()
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not abs(value) < LARGEST:
            self.fail(f"{word!r} is not a number")
        return value

    def expect(self, word: str) -> None:
        """Take a word that must be this one."""
        found = self.take()
        if found != word:
            self.fail(f"{word!r} expected, not {found!r}")

    def fail(self, what: str) -> NoReturn:
        """Say what is wrong with the word taken last."""
        line = self.words[max(self.place - 1, 0)][1]
        raise UserError(f"{self.path}, line {line}: {what}")


def _read_hierarchy(words: _Words) -> _Hierarchy:
    found = _Hierarchy()
    inside: list[int] = []
    words.expect("HIERARCHY")
    while words.place < len(words.words):
        word = words.take()
        if word in ("ROOT", "JOINT", "End"):
            inside.append(_start_joint(words, word, found, inside))
        elif word == "OFFSET" and inside:
            found.offsets[inside[-1]] = [words.number() for _ in range(3)]
        elif word == "CHANNELS" and inside:
            found.channels[inside[-1]] = _read_channels(words)
        elif word == "}" and inside:
            joint = inside.pop()
            if joint not in found.offsets:
                words.fail(f"{found.names[joint]} has no OFFSET")
        else:
            words.fail(f"{word!r} is not expected here")
    if inside:
        words.fail(f"{found.names[inside[-1]]} is not closed")
    if not found.names:
        words.fail("there is no ROOT")
    return found


def _start_joint(words: _Words, kind: str, found: _Hierarchy, inside: list[int]) -> int:
    """Take the head of a joint up to its bracket -> its number."""
    if (kind == "ROOT") != (not found.names):
        words.fail("the first joint, and only that, is the ROOT")
    if kind != "ROOT" and not inside:
        words.fail(f"{kind} outside the ROOT")
    name = words.name()
    if kind == "End":
        if name != "Site":
            words.fail("'End Site' expected")
        name = f"{found.names[inside[-1]]}_end"
    if name in found.names:
        words.fail(f"a second {name}")
    words.expect("{")
    found.names.append(name)
    found.parents.append(inside[-1] if inside else -1)
    return len(found.names) - 1


def _read_channels(words: _Words) -> list[str]:
    count = words.number()
    if count not in range(7):
        words.fail(f"{count:g} channels")
    names = [words.take() for _ in range(int(count))]
    for name in names:
        if name not in _POSITIONS + _ROTATIONS:
            words.fail(f"channel {name!r} is not known")
    if len(set(names)) < len(names):
        words.fail("a channel comes twice")
    positions = sum(name in _POSITIONS for name in names)
    if positions not in (0, 3):
        words.fail("a joint has all three positions or none")
    return names


def _read_motion(
    path: str | Path, lines: list[str], start: int, width: int
) -> tuple[np.ndarray, float]:
    """Channels (F, width) and the time between frames in seconds."""
    rows = [(i + 1, line) for i, line in enumerate(lines[start:], start) if _words_of(line)]
    frames = _header_value(path, rows[:1], "Frames:")
    frame_time = _header_value(path, rows[1:2], "Frame Time:")
    if frames < 1 or frames != int(frames):
        raise UserError(f"{path}, line {rows[0][0]}: {frames:g} frames")
    if frame_time <= 0:
        raise UserError(f"{path}, line {rows[1][0]}: a frame time of {frame_time:g} s")
    rows = rows[2:]
    for number, line in rows:
        count = len(_words_of(line))
        if count != width:
            raise UserError(
                f"{path}, line {number}: {count} numbers where the channels of the joints are "
                f"{width}"
            )
    if len(rows) != frames:
        raise UserError(f"{path} announces {frames:g} frames and has {len(rows)}: is it cut short?")
    return _numbers(path, rows, width), frame_time


def _header_value(path: str | Path, row: list[tuple[int, str]], label: str) -> float:
    if not row:
        raise UserError(f"{path} ends before {label!r}: it is cut short")
    number, line = row[0]
    words = " ".join(_words_of(line))
    try:
        value = float(words.removeprefix(label)) if words.startswith(label) else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) < LARGEST:
        raise UserError(f"{path}, line {number}: '{label} <number>' expected")
    return value


def _numbers(path: str | Path, rows: list[tuple[int, str]], width: int) -> np.ndarray:
    """All numbers of the rows (F, width)."""
    try:
        with warnings.catch_warnings():
            # Older NumPy warns of words that are no numbers, and gives what stands before them.
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(" ".join(line for _, line in rows), sep=" ")
    except (ValueError, DeprecationWarning):
        values = np.zeros(0)
    if values.size == len(rows) * width and (np.abs(values) < LARGEST).all():
        return values.reshape(len(rows), width)
    for number, line in rows:
        for word in _words_of(line):
            try:
                good = abs(float(word)) < LARGEST
            except ValueError:
                good = False
            if not good:
                raise UserError(f"{path}, line {number}: {word!r} is not a number")
    raise UserError(f"{path}: its numbers cannot be read")


def _motion(found: _Hierarchy, values: np.ndarray, frame_time: float) -> Motion:
    rotations: list[np.ndarray | None] = [None] * len(found.names)
    translations: dict[int, np.ndarray] = {}
    column = 0
    for joint, channels in found.channels.items():
        columns = dict(zip(channels, range(column, column + len(channels)), strict=True))
        column += len(channels)
        turns = [name for name in channels if name in _ROTATIONS]
        if turns:
            angles = np.radians(values[:, [columns[name] for name in turns]])
            rotations[joint] = rotation_matrices(angles, "".join(name[0] for name in turns))
        if len(turns) < len(channels):
            translations[joint] = values[:, [columns[name] for name in _POSITIONS]]
    offsets = np.array([found.offsets[j] for j in range(len(found.names))])
    armature = Armature(tuple(found.names), tuple(found.parents), offsets)
    return Motion(armature, tuple(rotations), translations, len(values), _rate(frame_time))


def _rate(frame_time: float) -> float:
    """Frames per second; files round the time, .0083333 s means 120."""
    rate = 1 / frame_time
    return float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate
