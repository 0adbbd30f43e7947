"""What `--resume` goes on with: the options of the run, as its options.json has them."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from utils.command_line import Options, option_names, parse_group, parse_options
from utils.errors import UserError
from utils.options import RunOptions
from utils.run_folder import run_folder

# What says which run it is and how to begin: always that of the command line.
_OF_THE_COMMAND = {"exp", "checkpoint_dir", "load", "resume", "overwrite"}


def recall_options(subcommand: str, known: Options, arguments: Sequence[str]) -> Options:
    """The options of a training subcommand; with --resume, their defaults are those of the run.

    So an option of the command line comes before one of options.json, and that before the
    subcommand's own default, which holds where the file, of an older version perhaps, has none.
    What the file has and this version does not know is named on stderr. Raises UserError if the
    file cannot be read or its values do not fit.
    """
    program = f"train.py {subcommand}"
    run = parse_group(RunOptions, known, arguments, program)
    folder = run_folder(run, f"{subcommand}_{run.exp}")
    path = folder / "options.json"
    if not run.resume or not folder.is_dir():
        return known
    if not path.is_file():
        print(f"{folder} has no options.json: only what this command says holds", file=sys.stderr)
        return known
    written = dict(_options_in(_read(path)))
    if written.get("load") and not (folder / "last.ckpt").is_file():
        raise UserError(
            f"{folder} has no checkpoint yet, and began with --load {written['load']}: give its "
            "whole command again, with --overwrite in place of --resume"
        )
    words = [word for option in written.items() for word in _words(known, path, *option)]
    try:
        return replace(known, defaults=parse_options(known, words, program))
    except UserError as error:
        raise UserError(f"{path}: {error}; mend or remove it") from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}; mend or remove it") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no options; mend or remove it")
    return content


def _options_in(groups: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values, whatever group they are in."""
    for name, value in groups.items():
        if isinstance(value, dict):
            yield from _options_in(value)
        else:
            yield name, value


def _words(known: Options, path: Path, name: str, value: Any) -> list[str]:
    """The option as one would write it on a command line; nothing if it is not to be written."""
    if f"--{name}" not in option_names(known.kind):
        if name not in dict(_options_in(asdict(known.defaults or known.kind()))):
            print(f"{path}: --{name} is unknown here, and left out", file=sys.stderr)
        return []
    if name in _OF_THE_COMMAND:
        return []
    if isinstance(value, list):
        return [f"--{name}", *map(str, value)]
    return [f"--{name}={value}"]
