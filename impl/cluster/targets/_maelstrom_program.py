"""One node's process: lines in on standard input, lines out on standard output, its log on standard error.

Law: a write never blocks; to a process that does not read, be it paused, what is too much is dropped.  A line
counts once it is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from scrutator.impl.cluster.processes import ending, tail, tie
from scrutator.impl.cluster.target import TargetError
from scrutator.impl.cluster.targets._maelstrom_network import LINE_BYTES_MAX, Network

UNREAD_BYTES_MAX = 8 << 20
GRACE_S = 1.0
TURN_LINES = 64
BAD_LINES_MAX = 1000  # after which a program is no longer listened to


class Program:
    """Not started until `start`; may be started again once it has ended.  ``ended`` is told when it does."""

    def __init__(self, node: str, command: Sequence[str], log: Path, network: Network, ended: Callable[[str], None]) -> None:
        self.node, self._command, self._log, self._network, self._ended = node, list(command), log, network, ended
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._asked = False

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def problem(self) -> str:
        """Why it ended though nobody asked for it, with its last words; empty where all is as it should be."""
        if self._process is None or self._asked or self._process.returncode is None:
            return ""
        words = "\n".join(f"    {line}" for line in tail(self._log, 8)) or "    (nothing)"
        return f"{self.node} ({' '.join(self._command)}) {ending(self._process.returncode)} though nobody asked it to; its log {self._log} ends with\n{words}"

    async def start(self) -> None:
        """Raises `TargetError`."""
        with self._log.open("ab") as log:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                    limit=LINE_BYTES_MAX, start_new_session=True, preexec_fn=tie(),
                )  # fmt: skip
            except OSError as error:
                raise TargetError(f"the program {self._command[0]} cannot be started: {error.strerror or error}") from error
        self._asked = False
        self._reader = asyncio.ensure_future(self._read(self._process))

    def write(self, line: bytes) -> None:
        """Give it a line, if it runs."""
        if self.running and self._process is not None and self._process.stdin is not None:
            pipe = self._process.stdin.transport
            if not pipe.is_closing() and pipe.get_write_buffer_size() < UNREAD_BYTES_MAX:
                self._process.stdin.write(line)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL to the group; gone when this returns."""
        if self._process is not None:
            self._asked = self._asked or self.running
            self._signal(signal.SIGKILL)
            await self._gone(self._process)

    async def stop(self) -> None:
        """End of input and SIGTERM, and SIGKILL to what is still there after a second."""
        if self._process is not None and self.running:
            self._asked = True
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await self._process.wait()
        await self.kill()

    async def _gone(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if process.stdin is not None and not process.stdin.transport.is_closing():
            process.stdin.transport.abort()
        if self._reader is not None:
            self._reader.cancel()  # a grandchild may hold the pipe open
            await asyncio.gather(self._reader, return_exceptions=True)
        transport = getattr(process, "_transport", None)  # asyncio offers no other way to close the pipes
        if transport is not None:
            transport.close()
        await asyncio.sleep(0)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        number = bad = 0
        while True:
            number += 1
            try:
                line = await process.stdout.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                break
            except asyncio.LimitOverrunError:
                self._network.complain(self.node, number, f"is longer than {LINE_BYTES_MAX:,} bytes")
                break
            if number % TURN_LINES == 0:
                await asyncio.sleep(0)  # a program that writes without end keeps nobody else from his turn
            if line.strip() and not self._network.said(self.node, number, line):
                bad += 1
            if bad > BAD_LINES_MAX:  # it does not speak the protocol, and may have much to say
                self._ended(self.node)
                while await process.stdout.read(1 << 20):
                    pass
                break
        with contextlib.suppress(TimeoutError):  # the output may end a moment before its process
            async with asyncio.timeout(GRACE_S):
                await process.wait()
        self._ended(self.node)
