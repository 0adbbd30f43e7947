"""The rules of CONTRIBUTING.md that no linter knows."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION = 40
LONGEST_FILE = 400
LONGEST_SCRIPT = 80
SCRIPTS = ("train.py", "run.py", "viz.py", "eval.py")


def files(*suffixes: str, tracked_only: bool = False) -> list[Path]:
    """What belongs to the project: tracked or, unless `tracked_only`, neither that nor ignored."""
    others = [] if tracked_only else ["--others", "--exclude-standard"]
    command = ["git", "ls-files", "--cached", *others]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and its folder to know which files belong to the project")
    paths = [ROOT / name for name in done.stdout.splitlines()]
    return [path for path in paths if path.is_file() and (path.suffix in suffixes or not suffixes)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code() -> list[Path]:
    return [path for path in files(".py") if "tests" not in path.relative_to(ROOT).parts]


def trees(paths: list[Path]) -> Iterator[tuple[str, ast.Module]]:
    for path in paths:
        yield name(path), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    """Modules that a file imports, wherever in it, by their full names."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {node.module or "."} | {f"{node.module}.{a.name}" for a in node.names}
    return names


def test_no_function_is_longer_than_a_screen():
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees(files(".py"))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long


def test_no_file_is_too_long():
    lengths = {name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in files(".py")}
    assert not {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE}
    assert not {path: lengths[path] for path in SCRIPTS if lengths[path] > LONGEST_SCRIPT}


def folders_without_a_page() -> list[str]:
    """Folders with files that git tracks: who tries the project has pictures of their own in it."""
    folders = {path.parent for path in files(tracked_only=True)} - {ROOT}
    # Folders that mirror others, and hold no more, are explained by the page above them.
    explained = [f for f in folders if "tests" not in f.parts and f.name not in (".ci", "images")]
    return [name(folder) for folder in explained if not (folder / "README.md").is_file()]


def test_every_folder_says_what_it_holds():
    assert not folders_without_a_page()


def test_a_folder_of_ones_own_needs_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files()  # skips the test where there is no git
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    for folder in ("photos", "ours"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").touch()
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "ours"], cwd=tmp_path, check=True)
    assert folders_without_a_page() == ["ours"]


def test_every_module_says_what_it_is_for():
    bare = [path for path, tree in trees(code()) if tree.body and not ast.get_docstring(tree)]
    assert not bare


def test_public_functions_say_what_they_do():
    bare = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees(code())
        if path not in SCRIPTS
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and node.name != "main"
        and not ast.get_docstring(node)
    ]
    assert not bare


def unpickles(tree: ast.Module) -> bool:
    """Does the file build objects from a pickle? (To catch UnpicklingError is no such thing.)"""
    modules = {"pickle", "_pickle", "dill", "joblib", "marshal", "shelve"}
    makers = {f"{m}.{what}" for m in modules for what in ("load", "loads", "open", "Unpickler")}
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return bool((used | imported(tree)) & makers)


def test_nothing_unpickles():
    assert unpickles(ast.parse("import pickle\npickle.load(file)"))
    assert unpickles(ast.parse("from pickle import Unpickler"))
    assert not [path for path, tree in trees(code()) if unpickles(tree)]
    for path in code():
        text = path.read_text(encoding="utf-8")
        assert "allow_pickle=True" not in text and "weights_only=False" not in text, name(path)


def test_torch_and_numpy_load_without_unpickling():
    unsafe = []
    for path, tree in trees(code()):
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            safe = {"torch.load": "weights_only", "np.load": "allow_pickle"}.get(
                ast.unparse(call.func)
            )
            if safe and safe not in [keyword.arg for keyword in call.keywords]:
                unsafe.append(f"{path}:{call.lineno}")
    assert not unsafe


def test_arrows_end_at_the_entry_scripts():
    ours = {"options", *(script.removesuffix(".py") for script in SCRIPTS)}
    # The pages of the commands describe them from outside, as tests do.
    inside = [path for path in code() if path.parent not in (ROOT, ROOT / "docs")]
    assert not [path for path, tree in trees(inside) if imported(tree) & ours]


def test_every_package_has_its_place_among_the_layers():
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = known["importlinter"]["contracts"]
    layers = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    packages = {path.parent.name for path in code() if path.name == "__init__.py"} & {
        path.name for path in ROOT.iterdir()
    }
    assert packages == layers == set(known["importlinter"]["root_packages"])


def test_no_exception_is_swallowed():
    swallowed = [
        f"{path}:{node.lineno}"
        for path, tree in trees(files(".py"))
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(line, ast.Pass) for line in node.body)
    ]
    assert not swallowed


def test_nothing_is_left_to_do_or_points_outside():
    # Split, so that this file does not find itself.
    forbidden = re.compile("TO" + r"DO\b|FIX" + r"ME\b|/" + r"work/|/ho" + "me/|\\.\\./sha" + "red")
    allowed = {".ci/run"}
    for path in files(".py", ".md", ".toml", ".txt", ".yml", ""):
        if name(path) not in allowed:
            found = forbidden.search(path.read_text(encoding="utf-8"))
            assert not found, f"{name(path)}: {found and found[0]}"


def test_links_between_pages_lead_somewhere():
    for page in files(".md"):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{name(page)} -> {link}"


def test_time_is_measured_by_a_clock_that_cannot_jump():
    """`time.time` and `datetime.now` follow the machine's clock when that is set."""
    jumps = re.compile(r"\btime\.time\(|datetime\.(now|utcnow|today)\(|date\.today\(")
    dated = {"utils/tensorboard_log.py"}  # TensorBoard shows when a record was made
    assert {name(path) for path in code() if jumps.search(path.read_text("utf-8"))} == dated
