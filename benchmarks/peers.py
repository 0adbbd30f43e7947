"""Public programs that run beside ours: single files of their clones."""

import importlib.util
from pathlib import Path
from types import ModuleType


def load_file(folder: Path, name: str) -> ModuleType:
    """The module in `folder`/`name`, without what lies around it. Exits if there is none."""
    path = folder / name
    spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"error: no {path}: is --peer a clone of the public program?")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
