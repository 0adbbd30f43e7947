import subprocess
import sys
from pathlib import Path

import pytest
from tensorboardX.event_file_writer import EventsWriter

from tests.utils.toy_training import train
from utils.errors import UserError
from utils.tensorboard_log import TensorBoardLog

# A limit on the size of files stands for the disk.
SCRIPT = """
import resource, signal, sys
from pathlib import Path
from utils.tensorboard_log import TensorBoardLog

log = TensorBoardLog(Path(sys.argv[1]), 0)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for step in range(200):
    log.write({"loss": 0.5}, "data", step)
log.close()
print("went on")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a matter of POSIX")
def test_a_full_disk_ends_the_log_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "went on\n"
    said = (
        f"note: the TensorBoard log in {tmp_path} ends here: File too large; the training goes on"
    )
    assert done.stderr.splitlines() == [said]


def test_a_training_goes_on_without_its_log(tmp_path: Path, monkeypatch, capsys) -> None:
    calls = []

    def flush(self) -> None:
        calls.append(self)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(EventsWriter, "flush", flush)
    assert train(tmp_path, run={"tb_log_freq": 1}).stop_reason == "epochs"
    assert capsys.readouterr().err.count("note: the TensorBoard log") == 1


def test_records_are_on_the_disk_at_once(tmp_path: Path) -> None:
    log = TensorBoardLog(tmp_path, 0)
    (file,) = tmp_path.iterdir()
    before = file.stat().st_size
    log.write({"loss": 0.5}, "data", 1)
    assert file.stat().st_size > before and b"data/loss" in file.read_bytes()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"^cannot write into .*file/logs: Not a directory$"):
        TensorBoardLog(tmp_path / "file/logs", 0)
