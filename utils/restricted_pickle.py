"""A pickle reader that imports and calls nothing that the file names.

It runs the opcodes of a pickle (as Python's `pickletools` documents them) by itself. A global is
only its name; calling one makes a value through `builders` if the name is there, and otherwise an
inert `Placeholder` that records the arguments.
"""

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any


@dataclass(frozen=True)
class Global:
    """A class or function that the pickle names; never imported."""

    name: str


@dataclass(eq=False)
class Placeholder:
    """What a pickle would have made by calling something unknown; never called."""

    made_by: Any
    arguments: Any
    state: Any = None
    items: list[Any] = field(default_factory=list)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes in encoding {encoding}")
    return text.encode("latin1")


_CONTAINERS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": lambda pairs=(): OrderedDict((_key(k), v) for k, v in pairs),
    "collections.defaultdict": lambda *_: {},
    "_codecs.encode": _encode,
}
for _module in ("builtins", "__builtin__"):
    _CONTAINERS[f"{_module}.set"] = lambda values=(): {_key(v) for v in values}
    _CONTAINERS[f"{_module}.frozenset"] = lambda values=(): frozenset(_key(v) for v in values)
    _CONTAINERS[f"{_module}.list"] = lambda values=(): list(values)
    _CONTAINERS[f"{_module}.dict"] = lambda pairs=(): {_key(k): v for k, v in pairs}
    _CONTAINERS[f"{_module}.bytearray"] = lambda value=b"", encoding="latin1": bytearray(
        _encode(value, encoding) if isinstance(value, str) else bytes(_as_bytes(value))
    )


def _as_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray):  # bytearray(10**12) would fill the memory
        raise ValueError("bytes made from something else")
    return bytes(value)


def _key(value: Any) -> Any:
    """A key of a dict or set. Hashing nested tuples that share parts can take for ever: refused."""
    parts = value if isinstance(value, tuple) else (value,)
    plain = (str, int, float, bytes, type(None), Global, Placeholder)
    if not all(isinstance(part, plain) for part in parts):
        raise ValueError(f"a {type(value).__name__} as key")
    return value


class Machine:
    """Runs one pickle.

    builders: functions for globals by "module.name", called with what the pickle gives them.
    set_state(value, state) -> bool: fills a value that a builder made, False if it can't.
    persistent(id): the value of a persistent id.
    Everything else is recorded in placeholders. Errors of a damaged file are ValueError, KeyError,
    IndexError, TypeError and the like: the caller reports them.
    """

    def __init__(
        self,
        builders: Mapping[str, Callable[..., Any]],
        set_state: Callable[[Any, Any], bool],
        persistent: Callable[[Any], Any],
    ) -> None:
        self.builders = {**_CONTAINERS, **builders}
        self.set_state, self.persistent = set_state, persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: IO[bytes]) -> Any:
        """The object of the pickle at the file's position; leaves the file just behind it."""
        for opcode, argument, _ in pickletools.genops(file):
            name = opcode.name
            if name == "STOP":
                return self.stack.pop()
            if name in _PUSHES:
                self.stack.append(argument)
            elif name in _VALUES:
                self.stack.append(_VALUES[name]())
            elif name in _STEPS:
                _STEPS[name](self, argument)
            elif name not in ("PROTO", "FRAME"):
                raise ValueError(f"pickle operation {name}")
        raise ValueError("no end")

    def since_mark(self) -> list[Any]:
        """Take what lies above the last mark off the stack."""
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def take(self, count: int) -> list[Any]:
        """Take the last `count` values off the stack."""
        if count > len(self.stack):
            raise ValueError("empty stack")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def make(self, what: Any, arguments: Any) -> None:
        """What calling `what` gives: a builder's value, or a placeholder."""
        if isinstance(what, Global) and what.name in self.builders and isinstance(arguments, tuple):
            self.stack.append(self.builders[what.name](*arguments))
        else:
            self.stack.append(Placeholder(what, arguments))

    def build(self, _: Any) -> None:
        (state,) = self.take(1)
        value = self.stack[-1]
        if isinstance(value, Placeholder):
            value.state = state
        elif not isinstance(value, Global | dict) and not self.set_state(value, state):
            raise ValueError(f"state for a {type(value).__name__}")

    def extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(values)
        elif isinstance(target, set):
            target.update(map(_key, values))
        elif isinstance(target, Placeholder):
            target.items.extend(values)
        else:
            raise ValueError(f"values for a {type(target).__name__}")

    def set_items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        pairs = list(zip(values[::2], values[1::2], strict=True))
        if isinstance(target, dict):
            target.update((_key(key), value) for key, value in pairs)
        elif isinstance(target, Placeholder):
            target.items.extend(pairs)
        else:
            raise ValueError(f"items for a {type(target).__name__}")


_PUSHES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BYTEARRAY8"),
}
_VALUES: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return {_key(k): v for k, v in zip(values[::2], values[1::2], strict=True)}


def _remember(machine: Machine, number: int | None) -> None:
    machine.memo[len(machine.memo) if number is None else number] = machine.stack[-1]


def _object(machine: Machine, _: Any) -> None:
    what, *arguments = machine.since_mark()
    machine.make(what, tuple(arguments))


_STEPS: dict[str, Callable[[Machine, Any], Any]] = {
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "POP": lambda m, _: m.take(1),
    "POP_MARK": lambda m, _: m.since_mark(),
    "DUP": lambda m, _: m.stack.append(m.stack[-1]),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.take(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.take(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.take(3))),
    "LIST": lambda m, _: m.stack.append(m.since_mark()),
    "DICT": lambda m, _: m.stack.append(_pairs(m.since_mark())),
    "FROZENSET": lambda m, _: m.stack.append(frozenset(map(_key, m.since_mark()))),
    "APPEND": lambda m, _: m.extend(m.take(1)),
    "APPENDS": lambda m, _: m.extend(m.since_mark()),
    "ADDITEMS": lambda m, _: m.extend(m.since_mark()),
    "SETITEM": lambda m, _: m.set_items(m.take(2)),
    "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "PUT": _remember,
    "BINPUT": _remember,
    "LONG_BINPUT": _remember,
    "MEMOIZE": _remember,
    "GET": lambda m, number: m.stack.append(m.memo[number]),
    "BINGET": lambda m, number: m.stack.append(m.memo[number]),
    "LONG_BINGET": lambda m, number: m.stack.append(m.memo[number]),
    "GLOBAL": lambda m, names: m.stack.append(Global(names.replace(" ", ".", 1))),
    "STACK_GLOBAL": lambda m, _: m.stack.append(Global("{}.{}".format(*map(str, m.take(2))))),
    "REDUCE": lambda m, _: m.make(*m.take(2)),
    "NEWOBJ": lambda m, _: m.make(*m.take(2)),
    "NEWOBJ_EX": lambda m, _: m.stack.append(Placeholder(m.take(3), None)),
    "OBJ": _object,
    "INST": lambda m, names: m.make(Global(names.replace(" ", ".", 1)), tuple(m.since_mark())),
    "BUILD": Machine.build,
    "PERSID": lambda m, name: m.stack.append(m.persistent(name)),
    "BINPERSID": lambda m, _: m.stack.append(m.persistent(*m.take(1))),
}
