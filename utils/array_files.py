"""`.npz` files of plain arrays, read with care."""

from pathlib import Path

import numpy as np

from utils.errors import UserError


def load_arrays(path: str | Path, kind: str) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` by name. Raises UserError, calling the file no `kind`, if damaged."""
    try:
        # Opened here, because np.load leaves damaged files open.
        with open(path, "rb") as file:
            content = np.load(file, allow_pickle=False)
            if not isinstance(content, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            with content:
                return {name: content[name] for name in content.files}
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged file surfaces as whatever the zip reader trips over
        # NumPy would advise to unpickle objects.
        reason = "it holds objects" if "allow_pickle" in str(error) else error
        raise UserError(f"{path} is damaged, or no {kind}: {reason}") from error
