"""The one exception that is meant for the user."""


class UserError(Exception):
    """Something the user can mend. The message is one line: what is wrong, where, what to do.

    Entry scripts print it as `error: ...` and exit with 2.
    """


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
