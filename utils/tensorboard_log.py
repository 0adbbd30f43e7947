"""A run's TensorBoard file.

tensorboardX's SummaryWriter hands records to a thread, and waits for ever once that thread has
died, as it does where the disk is full. Here the program writes them itself.
"""

import sys
from datetime import datetime
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

from utils.errors import UserError


class TensorBoardLog:
    """Scalars by step; each call is on the disk when it returns."""

    def __init__(self, folder: Path, first_step: int) -> None:
        """Begin a file; what older files of the folder have from `first_step` on is not shown.

        Raises UserError if the folder cannot be written to.
        """
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.events: EventsWriter | None = EventsWriter(str(folder / "events"))
        except OSError as error:
            raise UserError(f"cannot write into {folder}: {error.strerror}") from error
        self._write(Event(step=first_step, session_log=SessionLog(status=SessionLog.START)))

    def write(self, values: dict[str, float], prefix: str, step: int) -> None:
        """Record values as <prefix>/<name>. Where that fails one line says so, and it was the last.

        history.csv has what matters, so that a training need not end for its log.
        """
        scalars = [Summary.Value(tag=f"{prefix}/{n}", simple_value=v) for n, v in values.items()]
        self._write(Event(step=step, summary=Summary(value=scalars)))

    def _write(self, event: Event) -> None:
        if self.events is None:
            return
        event.wall_time = datetime.now().timestamp()
        try:
            self.events.write_event(event)
            self.events.flush()
        except OSError as error:
            self.events = None
            problem = f"the TensorBoard log in {self.folder} ends here: {error.strerror}"
            print(f"note: {problem}; the training goes on", file=sys.stderr)

    def close(self) -> None:
        """End the file."""
        if self.events:
            self.events.close()
