"""A page for each subcommand, made of its options: `python -m docs.command_pages`, or `make pages`.

What a page says is what the command does: names, defaults and meanings are those that the command
itself reads, and its examples are the lines of the READMEs that use it.
"""

import argparse
import re
import subprocess
from pathlib import Path

import options
from data.prepare import SUBCOMMANDS
from utils.atomic import atomic_path
from utils.command_line import Options, option_parser

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs/commands"
SCRIPTS = {
    "run.py": options.RUN,
    "train.py": options.TRAIN,
    "eval.py": options.EVAL,
    "viz.py": options.VIZ,
    "data/prepare.py": SUBCOMMANDS,
}
MADE = "<!-- Made by `make pages` from the options: what is written here by hand is lost. -->"
HOW_TO_READ = """A page for each subcommand, with all that it can be told.

In the column of options, `{a,b}` is one of these words, `[STR [STR ...]]` any number of words, also
none, and `{None}|INT` a number or the word None; `''` in the column of defaults is an empty word.
What takes `{True,False}` may also stand alone: `--flip` is `--flip True`. Names of options may be
written with hyphens."""
_DEFAULT = re.compile(r"\s*\((default: .*?|required)\)$", re.DOTALL)


def pages() -> dict[str, str]:
    """Every page by the name of its file, that of the list of them all included."""
    examples = _examples()
    made = {
        file_name(script, name): _page(script, name, known, examples.get((script, name), []))
        for script, table in SCRIPTS.items()
        for name, known in table.items()
    }
    return made | {"README.md": _list()}


def file_name(script: str, name: str) -> str:
    """Of the page of a subcommand."""
    return f"{Path(script).stem}_{name}.md"


def _list() -> str:
    parts = ["# Commands", MADE, HOW_TO_READ]
    for script, table in SCRIPTS.items():
        rows = [
            f"| [{name}]({file_name(script, name)}) | {one.summary} |"
            for name, one in table.items()
        ]
        parts.append("\n".join([f"| `python {script}` | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _page(script: str, name: str, known: Options, examples: list[str]) -> str:
    parser = option_parser(known, f"{script} {name}")
    parts = [f"# python {script} {name}", MADE, known.summary]
    if examples:
        parts.append("\n".join(["```", *examples, "```"]))
    for title, actions in _groups(parser).items():
        parts += [f"**{title}**"] if title else []
        parts.append("\n".join(["| option | default | |", "|---|---|---|", *map(_row, actions)]))
    parts.append("[All commands](README.md)")
    return "\n\n".join(parts) + "\n"


def _groups(parser: argparse.ArgumentParser) -> dict[str, list[argparse.Action]]:
    """What is said of several options -> these; "" of those that stand alone."""
    found: dict[str, list[argparse.Action]] = {}
    for group in parser._action_groups:
        actions = [one for one in group._group_actions if "--help" not in one.option_strings]
        title = " ".join((group.description or "").split())
        is_positional = any(not one.option_strings for one in actions)
        found.setdefault("" if is_positional else title, []).extend(actions)
    return {title: actions for title, actions in found.items() if actions}


def _row(action: argparse.Action) -> str:
    """Name, values, default and meaning of an option."""
    text = " ".join((action.help or "").split())
    default = _DEFAULT.search(text)
    meaning, value = _DEFAULT.sub("", text), default[1].removeprefix("default: ") if default else ""
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.dest}`"
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    # Outside of code, <name> would be taken for a tag.
    meaning = _escaped(meaning).replace("<", "&lt;")
    if not action.option_strings:
        names, value = f"`{metavar}`", "required"
        metavar = ""
    cells = (f"{names} {_cell(metavar)}".strip(), _cell(value), meaning)
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return f"`{_escaped(text)}`" if text else ""


def _escaped(text: str) -> str:
    """A bar would end the table's cell."""
    return text.replace("|", r"\|")


def _examples() -> dict[tuple[str, str], list[str]]:
    """The lines of the READMEs that call each subcommand."""
    # Also those that are to be added: a page that changed with the commit would break the test.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*README.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[tuple[str, str], list[str]] = {}
    for path in listed.stdout.split():
        if (ROOT / path).parent == FOLDER:
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if match := re.match(r"python (\S+\.py) (\w+)", line):
                    found.setdefault((match[1], match[2]), []).append(line)
    return {key: list(dict.fromkeys(lines)) for key, lines in found.items()}


def main() -> None:
    made = pages()
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        with atomic_path(FOLDER / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(f"{FOLDER}: {len(made)} pages")


if __name__ == "__main__":
    main()
