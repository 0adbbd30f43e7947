"""From `script.py subcommand --options` to one call of one function, and to an exit code.

A script hands over two tables: subcommand -> options, and subcommand -> function. Options are
written with underscores; hyphens do as well. A true-or-false option takes a value (`--flip False`
or no, off) or stands alone (`--flip`). Exit codes: 0 done, 1 some inputs failed (the function
returns it), 2 the user can mend it (one line, `error: ...`), 130 stopped by Ctrl-C.
"""

import contextlib
import dataclasses
import difflib
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from utils.errors import UserError
from utils.threads import limit_spinning

Function = Callable[[Any], int | None]

_OPTION = re.compile(r"--?[^\W\d]|--\d")
_HELP = {"-h", "--help"}
_TRUTH: dict[str, str] = {
    **dict.fromkeys(("true", "yes", "on"), "True"),
    **dict.fromkeys(("false", "no", "off"), "False"),
}
_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory")
_ASKED = re.compile(r"allocate (\d[\d.]* \w+)")
LARGEST = 2**63 - 1
"""The largest whole number of an option: libraries keep them in 64 bits."""


@dataclasses.dataclass(frozen=True)
class Lazy:
    """The function "package.module:function", imported when it is called: --help stays quick."""

    place: str

    def __call__(self, chosen: Any) -> int | None:
        return self.function()(chosen)

    def function(self) -> Function:
        """The function itself."""
        module, name = self.place.split(":")
        return getattr(import_module(module), name)


@dataclasses.dataclass(frozen=True)
class Options:
    """What one subcommand can be told."""

    summary: str
    """One line, for the list of subcommands."""
    kind: type
    """The dataclass that holds the options."""
    defaults: Any = None
    """An instance of it whose values hold where nothing else is said; None: the dataclass's own."""


Recall = Callable[[str, Options, Sequence[str]], Options]
"""(subcommand, its options, arguments) -> the options, with defaults that the arguments ask for."""


def run_script(
    script: str,
    summary: str,
    options: Mapping[str, Options],
    functions: Mapping[str, Function],
    arguments: Sequence[str],
    recall: Recall | None = None,
) -> int:
    """Run the subcommand that `arguments` (without the script's name) asks for.

    `recall` gives a subcommand the defaults of an earlier run. Returns the exit code; prints help
    to stdout and errors, one line each, to stderr. What the system refuses, a file or memory, is
    such an error, too.
    """
    limit_spinning()
    _print_every_name()
    try:
        code = _run(script, summary, options, functions, arguments, recall)
        sys.stdout.flush()
        return code
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Who read our output, such as `head`, has gone. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (OSError, MemoryError, RuntimeError) as error:
        refused = _refused(error)
        if refused is None:
            raise
        print(f"error: {refused}", file=sys.stderr)
        return 2


def _refused(error: Exception) -> UserError | None:
    """What the system refused, a file or memory; None of a fault of ours."""
    if isinstance(error, OSError):
        if error.filename is None:
            return None
        return UserError(f"cannot use {os.fsdecode(error.filename)}: {error.strerror or error}")
    # Not by torch's own kind, which only GPUs have: torch may not have been imported.
    if not isinstance(error, MemoryError) and not _NO_MEMORY.search(str(error)):
        return None
    asked = _ASKED.search(str(error))
    more = f" for {asked[1]} more" if asked else ""
    return UserError(f"not enough memory{more}: a smaller batch or network needs less")


def _print_every_name() -> None:
    """Print what cannot be encoded, such as a file's name that is no UTF-8, as `\\udce9`."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a notebook has another, which takes everything
        sys.stdout.reconfigure(errors="backslashreplace")


def _run(
    script: str,
    summary: str,
    options: Mapping[str, Options],
    functions: Mapping[str, Function],
    arguments: Sequence[str],
    recall: Recall | None,
) -> int:
    if arguments and arguments[0] in _HELP:
        print(_overview(script, summary, options))
        return 0
    name = _choose_subcommand(script, options, arguments)
    known, words, program = options[name], arguments[1:], f"{script} {name}"
    if recall and not _HELP.intersection(words):
        known = recall(name, known, words)
    return functions[name](parse_options(known, words, program)) or 0


def _overview(script: str, summary: str, options: Mapping[str, Options]) -> str:
    width = max(map(len, options)) + 2
    lines = [f"  {name:{width}}{known.summary}" for name, known in options.items()]
    return "\n".join(
        [
            f"usage: {script} SUBCOMMAND [options]",
            "",
            summary,
            "",
            "subcommands:",
            *lines,
            "",
            f"`{script} SUBCOMMAND --help` lists the options of one.",
        ]
    )


def _choose_subcommand(
    script: str, options: Mapping[str, Options], arguments: Sequence[str]
) -> str:
    known = ", ".join(options)
    if not arguments or arguments[0].startswith("-"):
        raise UserError(f"the subcommand comes first: {script} SUBCOMMAND, one of {known}")
    name = arguments[0]
    if name in options:
        return name
    guess = _near_misses(name, options)
    raise UserError(f"{script} has no subcommand {name}; " + (guess or f"it has {known}"))


def _near_misses(word: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else ""


def parse_options(options: Options, arguments: Sequence[str], program: str) -> Any:
    """Make an instance of the dataclass `options.kind` from command-line arguments.

    Dataclasses inside it are flattened: their options are written without a prefix. Raises
    UserError on anything that does not fit; `--help` prints the options and exits with 0.
    """
    words = _complete_arguments(option_names(options.kind), arguments, program)
    chosen = _parse(options, words, program)
    _check_whole_numbers(chosen)
    return chosen


def parse_group(group: type, options: Options, arguments: Sequence[str], program: str) -> Any:
    """Make an instance of `group`, a dataclass inside `options.kind`, from its share of arguments.

    Of the other options it only matters that they exist. Raises UserError.
    """
    words = _complete_arguments(option_names(options.kind), arguments, program)
    chosen, _others = _parse(Options("", group), words, program, return_unknown_args=True)
    return chosen


def option_parser(options: Options, program: str) -> Any:
    """What reads the options of a subcommand, like an `argparse.ArgumentParser`, to look at."""
    import tyro

    with warnings.catch_warnings():
        # tyro means to have another way to it, which it has not yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        return tyro.extras.get_parser(options.kind, **_settings(options, program))


def _settings(options: Options, program: str) -> dict[str, Any]:
    """What tyro is told."""
    # Not at the top: whoever only wants a list of subcommands need not wait for it.
    import tyro

    return {
        "prog": program,
        "description": options.summary,
        "default": tyro.MISSING_NONPROP if options.defaults is None else options.defaults,
        "use_underscores": True,
        "config": (tyro.conf.OmitArgPrefixes, tyro.conf.FlagConversionOff),
    }


def _parse(options: Options, words: Sequence[str], program: str, **settings: Any) -> Any:
    import tyro

    settings |= _settings(options, program)
    written = io.StringIO()
    try:
        with contextlib.redirect_stderr(written):
            chosen = tyro.cli(options.kind, args=words, **settings)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UserError(_one_line(written.getvalue())) from None
    sys.stderr.write(written.getvalue())
    return chosen


def _check_whole_numbers(chosen: Any) -> None:
    for field in dataclasses.fields(chosen):
        value = getattr(chosen, field.name)
        if dataclasses.is_dataclass(value):
            _check_whole_numbers(value)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and abs(number) > LARGEST:
                raise UserError(f"--{field.name} must be at most {LARGEST}, not {number}")


def option_names(kind: type) -> dict[str, bool]:
    """Every spelling of an option of the dataclass (dashes included) -> is it true-or-false?

    Leaves out positional arguments and what is hidden (`tyro.conf.Suppress`). Raises ValueError if
    two options share a spelling.
    """
    names: dict[str, bool] = {}
    for spelling, is_flag in _spellings(kind):
        if spelling in names:
            raise ValueError(f"{kind.__name__} has two options {spelling}")
        names[spelling] = is_flag
    return names


def _spellings(kind: type) -> Iterator[tuple[str, bool]]:
    from tyro import conf

    hints = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint, extras = hints[field.name], []
        if get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _spellings(hint)
            continue
        if conf.Positional in extras or conf.Suppress in extras:
            continue
        # `name` and `aliases` are what tyro.conf.arg(...) leaves in an annotation.
        renamed = [extra.name for extra in extras if getattr(extra, "name", None)]
        aliases = [a for extra in extras for a in getattr(extra, "aliases", None) or ()]
        for spelling in ["--" + (renamed or [field.name])[0], *aliases]:
            yield _with_underscores(spelling), hint is bool


def _with_underscores(name: str) -> str:
    """Long options are written either way; short ones, such as -no-tta, only as they are."""
    return "--" + name[2:].replace("-", "_") if name.startswith("--") else name


def _complete_arguments(
    names: Mapping[str, bool], arguments: Sequence[str], program: str
) -> list[str]:
    """Write out the value of every true-or-false option; refuse options that do not exist, and 0
    or 1 after a true-or-false one, which might be its value or the number of a webcam."""
    complete: list[str] = []
    waiting_flag = ""
    for word in [*arguments, ""]:
        if waiting_flag:
            if word in ("0", "1"):
                raise UserError(f"write True or False after {waiting_flag}, before {word}")
            waiting_flag = ""
            if word.lower() in _TRUTH:
                complete.append(_TRUTH[word.lower()])
                continue
            complete.append("True")
        name, equals, value = word.partition("=")
        if _OPTION.match(word) and word not in _HELP:
            is_flag = _look_up(names, name, program)
            waiting_flag = name if is_flag and not equals else ""
            if is_flag and equals:
                word = f"{name}={_TRUTH.get(value.lower(), value)}"
        complete.append(word)
    return complete[:-1]


def _look_up(names: Mapping[str, bool], name: str, program: str) -> bool:
    plain = _with_underscores(name)
    if plain not in names:
        guess = _near_misses(plain, names) or f"see {program} --help"
        raise UserError(f"{program} has no option {name}; {guess}")
    return names[plain]


def _one_line(box: str) -> str:
    """The message in tyro's box of text: what stands between its title and its first rule.

    Of options that are missing, only the names: their help is indented deeper.
    """
    # The rules are of other characters where the terminal knows no others.
    lines = [line.strip("│|").rstrip() for line in box.splitlines()[1:]]
    is_rule = [not line.strip(" ─-╰╯+") for line in lines]
    start = is_rule.index(False)
    end = is_rule.index(True, start) if True in is_rule[start:] else len(lines)
    title, *rest = lines[start:end]
    if title.strip().startswith("Missing from"):
        depths = [len(line) - len(line.lstrip()) for line in rest]
        names = [line.strip() for line, n in zip(rest, depths, strict=True) if n == min(depths)]
        message = f"{title.strip()} {'; '.join(map(_one_spelling, names))}"
    else:
        message = " ".join(line.strip() for line in (title, *rest))
    return message[:1].lower() + message[1:]


def _one_spelling(names: str) -> str:
    """Of an option's names, as tyro lists them, the last long one: that of the documentation."""
    spellings = names.split(", ")
    return next((name for name in reversed(spellings) if name.startswith("--")), names)
