"""A browser for tests: Chromium without a window, driven through a pipe by its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_S = 30.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--remote-debugging-pipe", "--window-size=1400,800",
)  # fmt: skip


class Browser:
    """One page at a time: `open` it, ask it with `value`, press keys, look at it."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # The browser reads commands from descriptor 3 and answers on 4.
        command = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, PROGRAM, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._numbers, self._unread = itertools.count(1), b""
        self.events: list[dict[str, Any]] = []
        self._session: str | None = None
        target = next(t for t in self.send("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        os.close(self._to)  # which ends it
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command and wait for its result; events on the way are kept."""
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from], [], [], WAIT_S)
            assert ready, f"the browser said nothing for {WAIT_S:.0f} s"
            chunk = os.read(self._from, 1 << 20)
            assert chunk, "the browser went away"
            self._unread += chunk
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def open(self, path: Path) -> None:
        """Load a page and wait until it says that it has begun."""
        self.events.clear()
        self.send("Page.navigate", url=path.as_uri())
        self.wait("document.body && document.body.dataset.operations !== undefined")
        self.settle()

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is; a promise is waited for."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        until = time.monotonic() + WAIT_S
        while not self.value(expression):
            assert time.monotonic() < until, f"never became true: {expression}"
            time.sleep(0.02)

    def settle(self) -> None:
        """Wait until the page has drawn what it was asked to."""
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def body(self, name: str) -> str:
        """A data attribute of the body, or nothing."""
        return str(self.value(f"document.body.dataset.{name} ?? ''"))

    def text(self, selector: str) -> str:
        return str(self.value(f"document.querySelector({json.dumps(selector)}).textContent"))

    def press(self, key: str, times: int = 1) -> None:
        text = {"text": key} if len(key) == 1 else {}
        for _ in range(times):
            self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.settle()

    def mouse(self, kind: str, x: float, y: float, **more: object) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.settle()

    def click(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def prefer(self, **features: str) -> None:
        """Emulate what people prefer: ``color_scheme="dark"``, ``reduced_motion="reduce"``."""
        wanted = [{"name": f"prefers-{k.replace('_', '-')}", "value": v} for k, v in features.items()]
        self.send("Emulation.setEmulatedMedia", features=wanted)
        self.settle()

    def screenshot(self, selector: str) -> bytes:
        """What an element looks like, as PNG."""
        box = self.value(
            f"(b => ({{x: b.left, y: b.top, width: b.width, height: b.height, scale: 1}}))"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        return base64.b64decode(self.send("Page.captureScreenshot", format="png", clip=box)["data"])

    def complaints(self) -> list[str]:
        """Exceptions, and what the browser refused or failed to load."""
        wrong = ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed")
        return [json.dumps(event) for event in self.events if event.get("method") in wrong]

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        sent = (event for event in self.events if event.get("method") == "Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in sent]
