"""What reports on several models side by side share: the models' names, and tables as text."""

from collections.abc import Sequence
from pathlib import Path

from utils.errors import UserError


def model_names(files: Sequence[Path], names: Sequence[str]) -> list[str]:
    """The names given, or else the files' own: without folders where that tells them apart.

    Raises UserError for no files, another number of names than files, or a name given twice.
    """
    if not files:
        raise UserError("nothing to score: give at least one file to --prediction_files")
    if names and len(names) != len(files):
        raise UserError(f"{len(names)} --model_names for {len(files)} --prediction_files")
    chosen = list(names) or [path.stem for path in files]
    if not names and len(set(chosen)) < len(files):
        chosen = [str(path) for path in files]
    for name in chosen:
        if chosen.count(name) > 1:
            raise UserError(f"{name} is given twice: every model needs its own name")
    return chosen


def present_models(files: Sequence[Path], names: Sequence[str]) -> list[str]:
    """`model_names` of files that are there.

    Raises UserError as it does, and if a file is absent: what a command names comes before the
    ground truth, which may lie where it always does.
    """
    for path in files:
        if not path.exists():
            raise UserError(f"--prediction_files: there is no {path}")
    return model_names(files, names)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells in columns, the first to the left, the others to the right.

    An empty line becomes a rule. Raises ValueError if lines differ in length.
    """
    columns = list(zip(*(line for line in lines if line), strict=True))
    widths = [max(map(len, column)) for column in columns]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    texts = []
    for line in lines:
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=bool(line)))
        ]
        texts.append("  ".join(cells).rstrip() if line else rule)
    return "\n".join(texts)
