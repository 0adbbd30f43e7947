"""A headless Chromium, driven by its DevTools protocol over a pipe: no port, no library."""

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # which a container's root cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1000,700",
)
PATIENCE = 120  # s, for an answer
# Chromium reads commands from file 3 and writes answers to file 4.
LAUNCH = """
import fcntl, os, sys
high = [fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]]
for source, target in zip(high, (3, 4)):
    os.dup2(source, target)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium() -> str | None:
    """Where Chromium or Chrome is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page of a browser. Use as a context manager.

    `requests`: addresses that the page asked for; `errors`: what went wrong in its scripts.
    """

    def __init__(self, program: str, folder: Path) -> None:
        reading, self._commands = os.pipe()
        self._answers, writing = os.pipe()
        words = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(reading), str(writing), *words],
            pass_fds=(reading, writing),
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder)},
        )
        os.close(reading)
        os.close(writing)
        self._rest, self._number, self._session = b"", 0, None
        self.requests: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> "Browser":
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._commands)
        os.close(self._answers)

    def send(self, method: str, **parameters: Any) -> dict:
        """Send a command and wait for its answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self) -> dict:
        """The next message; events are noted on the way."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE)
            assert ready, "the browser does not answer"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has gone"
            self._rest += piece
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        content = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(content["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(content["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded" and content["entry"]["level"] == "error":
            self.errors.append(content["entry"]["text"])
        return message

    def open(self, path: Path) -> None:
        """Show a file and wait until it has loaded."""
        self.send("Page.navigate", url=path.as_uri())
        while self._read().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of the page's script; waits for a promise."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a condition of the page's script holds, looking every picture it draws."""
        look = f"(done) => {{ const look = () => ({condition}) ? done() "
        look += ": requestAnimationFrame(look); look(); }"
        self.evaluate(f"new Promise({look})")

    def mouse(self, kind: str, x: float, y: float, **others: Any) -> None:
        """Move, press, release or turn the wheel of the mouse at a place of the window, px."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **others)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the left button, move, and let go."""
        self.mouse("mousePressed", *start, button="left", clickCount=1)
        self.mouse("mouseMoved", *end, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """touchStart, touchMove or touchEnd of fingers at places of the window, px."""
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def key(self, key: str, shift: bool = False) -> None:
        """Press and release a key, by its name of KeyboardEvent.key."""
        text = {"text": key} if len(key) == 1 else {}
        held = 8 if shift else 0
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=held, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=held)
