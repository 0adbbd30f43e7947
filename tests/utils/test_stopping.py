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
        results = pool.map(time.sleep, [0.01] * 60000)
        for number, _ in enumerate(results):
            if number == 10:
                print("ready", flush=True)
                time.sleep(WAIT)
"""


@pytest.mark.parametrize("wait", [0, 600], ids=["while results come", "between results"])
@pytest.mark.parametrize("send", [os.kill, getattr(os, "killpg", None)], ids=["one", "group"])
def test_sigterm_leaves_no_process_and_no_complaint(send, wait) -> None:
    command = [sys.executable, "-c", SHARED_WORK.replace("WAIT", str(wait))]
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
        _, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (143, "")
