"""SIGTERM while processes share work."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED_WORK = """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from utils.stopping import exit_on_sigterm

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with exit_on_sigterm(), ProcessPoolExecutor(2, mp_context=context) as pool:
        pool.submit(abs, -1).result()
        print("ready", flush=True)
        time.sleep(600)
"""


def test_sigterm_leaves_no_process_and_no_complaint() -> None:
    command = [sys.executable, "-c", SHARED_WORK]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        process.terminate()
        # Ends when nobody holds the other end any more, helpers included.
        _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (143, "")
