"""SIGTERM while processes share work."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED_WORK = """
import time
from utils.processes import process_pool

if __name__ == "__main__":
    with process_pool(2) as pool:
        for number, _ in enumerate(pool.map(time.sleep, [0.01] * 60000)):
            if number == 10:
                print("ready", flush=True)
"""


@pytest.mark.parametrize("send", [os.kill, getattr(os, "killpg", None)], ids=["one", "group"])
def test_sigterm_leaves_no_process_and_no_complaint(send) -> None:
    command = [sys.executable, "-c", SHARED_WORK]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        send(process.pid, signal.SIGTERM)
        # Ends when nobody holds the other end any more, helpers included.
        _, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (143, "")
