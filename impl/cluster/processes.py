"""Processes of a system under test: started, killed, paused, resumed, stopped, and never lost sight of.

Law: every process leads a group of its own, and every signal goes to the whole group.  A process is known by its
number and the moment of its birth, so that one which got a dead one's number is never touched.  What ends
though nobody asked for it is told with the last lines of its log.  A tied process dies with the thread that
started it, where the system can do that (Linux): start them from the main thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scrutator.impl.cluster.target import TargetError

GRACE_S = 5.0
KILL_S = 10.0  # how long a killed process may take to be gone
TAIL_LINES = 8
TAIL_BYTES = 16 << 10
_PR_SET_PDEATHSIG = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class ProcessError(TargetError):
    """A process did not do what was asked; the message names it, the cause and its last words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for good: its number, and when it was born (opaque; empty if it was gone before that was looked up)."""

    pid: int
    birth: str

    @property
    def alive(self) -> bool:
        """Whether this very process runs; one that has ended and was not yet waited for does not."""
        return birth_of(self.pid) == self.birth != ""

    @property
    def paused(self) -> bool:
        """Whether it was stopped where it stands (SIGSTOP)."""
        return self.alive and _state_and_birth(self.pid)[0].startswith("T")

    def signal(self, number: int) -> bool:
        """Signal the group that it leads; whether there was one."""
        if not self.alive:
            return False
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


class Process:
    """One process of the name ``name``; its output is appended to ``log``.

    ``within`` is put before the command, as ``("ip", "netns", "exec", "n1")``.  With ``tied`` it does not
    survive whoever started it.  Not started until `start`; may be started again once it has ended.
    """

    __slots__ = ("_asked", "_environment", "_folder", "_from", "_popen", "_tied", "command", "identity", "log", "name")

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        tied: bool = True,
        within: Sequence[str] = (),
    ) -> None:
        self.name, self.command, self.log = name, (*within, *command), log
        self.identity: Identity | None = None
        self._folder, self._tied = folder, tied
        self._environment = None if environment is None else {**os.environ, **environment}
        self._popen: subprocess.Popen[bytes] | None = None
        self._asked = False  # whether its end was asked for
        self._from = 0  # where in the log this run begins

    # --- what it is ---------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether it runs, be it paused."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def status(self) -> int | None:
        """How it ended: an exit status, or minus a signal; None while it runs or before it starts."""
        return None if self._popen is None else self._popen.poll()

    @property
    def problem(self) -> str:
        """Why it ended though nobody asked for it, with its last words; empty where all is as it should be."""
        if self._popen is None or self._asked or self.running:
            return ""
        words = self.last_words()
        told = "\n".join(f"    {line}" for line in words) if words else "    (nothing)"
        return f"{self.name} {ending(self.status or 0)} though nobody asked it to; its log {self.log} ends with\n{told}"

    def last_words(self, lines: int = TAIL_LINES) -> list[str]:
        """The last lines of its output since it was started."""
        return tail(self.log, lines, self._from)

    # --- what is done to it -------------------------------------------------------------------

    def start(self) -> None:
        """Raises `ProcessError` where it cannot even begin."""
        if self.running:
            raise ProcessError(f"{self.name} runs already (process {self._pid})")
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as output:
                self._from = output.tell()
                self._popen = subprocess.Popen(
                    self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder, env=self._environment,
                    start_new_session=True, preexec_fn=tie() if self._tied else None,
                )  # fmt: skip
        except FileNotFoundError as error:
            raise ProcessError(f"{self.name} cannot be started: there is no {error.filename or self.command[0]}: install it, or name where it is") from error
        except OSError as error:
            raise ProcessError(f"{self.name} cannot be started: {error.filename or self.command[0]}: {error.strerror or error}") from error
        self._asked = False
        self.identity = Identity(self._popen.pid, birth_of(self._popen.pid) or "")

    async def kill(self) -> None:
        """SIGKILL to the group; gone when this returns.  Also if it is paused, or ended before."""
        self.kill_at_once()
        if not await eventually(lambda: not self.running, KILL_S):
            raise ProcessError(f"{self.name} (process {self._pid}) is still there {KILL_S:g} s after it was killed: it hangs in the system, likely in its disk")

    def kill_at_once(self) -> None:
        """The same without waiting, for when no event loop runs any more."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP to the group."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT to the group."""
        self._signal(signal.SIGCONT)

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """SIGTERM, and SIGKILL to what is still there after ``grace_s``."""
        if self.running:
            self._end(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # a paused process could not obey
            await self.wait(grace_s)
        await self.kill()

    async def wait(self, timeout_s: float) -> int | None:
        """Its exit status once it has ended, or None where it has not in time."""
        return self.status if await eventually(lambda: not self.running, timeout_s) else None

    def let_go(self) -> None:
        """Leave it running when this program ends; it is known by its `identity` from now on."""
        if self._popen is not None:
            self._popen.returncode = 0  # nobody waits for it
            self._popen = None

    @property
    def _pid(self) -> int:
        return 0 if self._popen is None else self._popen.pid

    def _end(self, number: int) -> None:
        if self.running:
            self._asked = True
        self._signal(number)

    def _signal(self, number: int) -> None:
        # Once it was waited for, its number may be somebody else's.
        if self._popen is not None and self._popen.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)


async def stop_all(processes: Sequence[Process], grace_s: float = GRACE_S) -> None:
    """`Process.stop` of all at once."""
    await asyncio.gather(*(process.stop(grace_s) for process in processes))


async def stop_others(identities: Sequence[Identity], grace_s: float = GRACE_S) -> list[Identity]:
    """End processes that another program started: SIGTERM, then SIGKILL; returns those that are still there."""
    for identity in identities:
        identity.signal(signal.SIGTERM)
        identity.signal(signal.SIGCONT)
    if not await eventually(lambda: not any(identity.alive for identity in identities), grace_s):
        for identity in identities:
            identity.signal(signal.SIGKILL)
        await eventually(lambda: not any(identity.alive for identity in identities), KILL_S)
    for identity in identities:
        with contextlib.suppress(ChildProcessError):  # one that this program started, and let go
            os.waitpid(identity.pid, os.WNOHANG)
    return [identity for identity in identities if identity.alive]


async def eventually(holds: Callable[[], bool], timeout_s: float) -> bool:
    """Whether it holds within the time; asked often at first, every 50 ms later."""
    until, pause_s = time.monotonic() + timeout_s, 0.001
    while not holds():
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)
    return True


def ending(status: int) -> str:
    """How a process ended, in words.

    >>> ending(3), ending(-9)
    ('exited with status 3', 'was killed by SIGKILL')
    """
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def tail(path: Path, lines: int, start: int = 0) -> list[str]:
    """The last lines of a text file from the offset ``start`` on, decoded as far as they can be."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - TAIL_BYTES))
            text = file.read(TAIL_BYTES).decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def birth_of(pid: int) -> str | None:
    """When a process was born, as an opaque text; None where there is none, or only what is left of it."""
    state, birth = _state_and_birth(pid)
    return birth if state and state[0] not in "ZX" else None


def _state_and_birth(pid: int) -> tuple[str, str]:
    """The letter of its state, and its birth; empty where there is no such process."""
    if sys.platform == "linux":
        try:
            # The name in brackets may hold anything, brackets too; proc(5): field 3 is the state, 22 the start in ticks.
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
            return fields[0], f"{_BOOT.read_text().strip()}:{fields[19]}"
        except (OSError, IndexError):
            return "", ""
    done = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, born = done.stdout.strip().partition(" ")
    return state, born.strip()


def tie() -> Callable[[], None] | None:
    """What a child runs before its program (``preexec_fn``) so that it dies with the thread that started it; None where nothing can do that."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: after the fork nothing may be loaded
    parent = os.getpid()

    def tied() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before that
            os._exit(1)

    return tied
