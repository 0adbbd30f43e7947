"""MATLAB .mat files, version 4 to 7.2, as dictionaries of arrays."""

import io
from pathlib import Path

import numpy as np

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.matlab_structure import check_matlab5


def read_matlab(path: str | Path) -> dict[str, np.ndarray]:
    """Read the variables of a .mat file.

    Raises UserError when the file is absent, unreadable, damaged or of version 7.3.
    """
    # SciPy's readers take a fifth of a second to import, which only those who read should pay.
    import scipy.io
    import scipy.io.matlab

    path = Path(path)
    try:
        data = path.read_bytes()
        if scipy.io.matlab.matfile_version(io.BytesIO(data))[0] == 1:
            check_matlab5(data)
        content = scipy.io.loadmat(io.BytesIO(data))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except NotImplementedError as error:
        raise UserError(
            f"{path} is a MATLAB 7.3 file, which is not read here: save it with -v7"
        ) from error
    except Exception as error:  # a damaged file surfaces as whatever the parser trips over
        raise UserError(f"{path} is not a readable MATLAB file: {error}") from error
    return {name: value for name, value in content.items() if not name.startswith("__")}


def write_matlab(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as variables of a .mat file (version 5). Raises UserError if it cannot."""
    import scipy.io

    with atomic_path(path) as temporary:
        scipy.io.savemat(temporary, arrays, appendmat=False)
