"""The one exception that is meant for the user."""


class UserError(Exception):
    """Something the user can mend. The message is one line: what is wrong, where, what to do.

    Entry scripts print it as `error: ...` and exit with 2.
    """


def need(condition: bool, message: str) -> None:
    """Raises UserError with the message unless the condition holds."""
    if not condition:
        raise UserError(message)
