"""The one exception that is meant for the user."""

import re

LONGEST = 1000
"""Characters of a message: what a library or a file says can be pages."""


class UserError(Exception):
    """Something the user can mend. The message is one line: what is wrong, where, what to do.

    Lines are joined, what cannot be printed becomes "?", and the middle of what is longer than
    `LONGEST` is left out. Entry scripts print it as `error: ...` and exit with 2.
    """

    def __init__(self, message: str) -> None:
        line = re.sub(r"\s*[\n\r]\s*", " ", message.strip())
        line = "".join(letter if letter.isprintable() else "?" for letter in line)
        if len(line) > LONGEST:
            line = f"{line[: LONGEST * 3 // 4]} ... {line[5 - LONGEST // 4 :]}"
        super().__init__(line)


def none_left(what: str, problems: list[str]) -> UserError:
    """Of many things not one could be done: the error that says so, with the first of the reasons.

    `what`, as in "nothing to draw", is left out where there is a single reason.
    """
    if len(problems) == 1:
        return UserError(problems[0])
    return UserError(f"{what}, for {len(problems)} reasons, the first: {problems[0]}")


def need(condition: bool, message: str) -> None:
    """Raises UserError with the message unless the condition holds."""
    if not condition:
        raise UserError(message)
