"""A disk that is full: one clear line, and what was there before stays whole."""

import subprocess
import sys
from pathlib import Path

import pytest

# A limit on the size of files stands for the disk. What is written first fits; the rest does not.
SCRIPT = """
import json, resource, signal, sys
from pathlib import Path
import numpy as np
import torch
from utils.checkpoint import write_checkpoint
from utils.dataset_statistics import cached
from utils.errors import UserError
from utils.images import write_image
from utils.mocap.store import make_store, write_store
from utils.pose_file import concatenate, empty_row, write_poses
from utils.pose_json import write_pose_json
from utils.run_folder import write_history
from utils.weights import save_weights

folder = Path(sys.argv[2])
noise = np.random.default_rng(0)

def poses(count):
    return concatenate([empty_row(f"{noise.random()}.jpg", (64, 48), "mpii_16")] * count)

def store(count):
    clip = noise.uniform(-900, 900, (count, 17, 3))
    return make_store([clip], ["a"], ["a"], ["s"], ["a"], [25.0], [np.zeros(17, np.uint8)])

WRITERS = {
    "a.ckpt": lambda path, n: write_checkpoint(path, {"weights": torch.rand(n)}),
    "a.safetensors": lambda path, n: save_weights(path, {"weights": torch.rand(n)}, {}),
    "a.json": lambda path, n: write_pose_json(path, poses(max(n // 100, 1))),
    "a.png": lambda path, n: write_image(path, noise.integers(0, 256, (n // 4, 8, 3), np.uint8)),
    "history.csv": lambda path, n: write_history(path.parent, [{"loss": 0.1}] * n),
    "store.npz": lambda path, n: write_store(path, store(max(n // 20, 3))),
    "cache.npz": lambda path, n: cached("cache", lambda: {"a": noise.random(n)}, path.parent),
}
write = WRITERS[sys.argv[1]]
path = folder / sys.argv[1]
write(path, 40)
before = path.read_bytes()
if path.name == "cache.npz":
    path.write_bytes(b"damaged, so that it is made again")
    before = path.read_bytes()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write(path, 40_000)
except UserError as error:
    print(error)
assert path.read_bytes() == before, "what was there is lost"
assert sorted(one.name for one in folder.iterdir()) == [path.name], "something is left over"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a matter of POSIX")
@pytest.mark.parametrize(
    "name",
    ["a.ckpt", "a.safetensors", "a.json", "a.png", "history.csv", "store.npz", "cache.npz"],
)
def test_the_old_file_stays_and_one_line_says_why(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, name, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Without its cache a command goes on.
    told, nothing = (done.stderr, done.stdout)[:: 1 if name == "cache.npz" else -1]
    assert told.startswith(f"cannot write {tmp_path / name}: ")
    assert len(told.splitlines()) == 1 and nothing == ""
