"""The one exception that is meant for the user."""


class UserError(Exception):
    """Something the user can mend. The message is one line: what is wrong, where, what to do.

    Entry scripts print it as `error: ...` and exit with 2.
    """
