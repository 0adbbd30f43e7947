"""Every reader that a user's file can reach, with a good file for each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.forms import Form


@dataclass(frozen=True)
class Reader:
    """How a reader is tried."""

    write: Callable[[Path], Path]
    """makes a good file, and what must be beside it, in a folder -> the file"""
    read: Callable[[Path], object]
    """what a command does with that file"""
    forms: tuple[Form, ...]
    """as what it is damaged"""
