"""Any program that speaks the Maelstrom protocol and serves its lin-kv workload, as so many processes here.

Law: an answer means what the protocol's documentation says it means.  Errors 1, 10, 11, 12, 14, 20, 21, 22 and 30
are definite; 0, 13 and whatever else a program may send are not.  That a key does not exist (20) is an answer: a
read found nothing, a cas did not happen; so is 22 of a cas.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets._maelstrom_network import Body, Network
from scrutator.impl.cluster.targets._maelstrom_program import Program
from scrutator.impl.cluster.targets._options import number, one_of, yes_or_no
from scrutator.impl.maelstrom import KEY_DOES_NOT_EXIST, PRECONDITION_FAILED, TEMPORARILY_UNAVAILABLE

DEFINITE = frozenset({1, 10, 11, 12, 14, 20, 21, 22, 30})
READY_S_MAX = 15.0  # for programs that elect a leader first; one that stays unavailable is asked all the same


class MaelstromTarget:
    """Options are texts, ``program`` also a list.  ``delay_ms`` (mean) and ``loss`` (from 0 to 1) are of messages
    between nodes; ``kill=yes`` says that the program keeps its state where a kill does not reach it;
    ``values=texts`` sends keys and values as texts, where Maelstrom's own clients send numbers.
    """

    name = "maelstrom"
    operations = frozenset({"get", "put", "cas"})

    def __init__(
        self, program: str | Sequence[str] = "", delay_ms: str = "0", loss: str = "0", kill: str = "no", values: str = "numbers", init_s: str = "10"
    ) -> None:
        self.nodes: Sequence[str] = ()
        self._command = _command(program)
        self._delay_s = number("maelstrom", "delay_ms", delay_ms, 0, 60_000) / 1000
        self._loss = number("maelstrom", "loss", loss, 0, 1)
        self._init_s = number("maelstrom", "init_s", init_s, 0, 600)
        self.faults = frozenset({"pause", "partition"} | ({"kill"} if yes_or_no("maelstrom", "kill", kill) else set()))
        self.codes = Codes(as_numbers=one_of("maelstrom", "values", values, "numbers", "texts") == "numbers")
        self._programs: dict[str, Program] = {}
        self._network: Network | None = None
        self._clients = itertools.count(1)

    # --- life -------------------------------------------------------------------------------------

    async def start(self, folder: Path, nodes: int, seed: int) -> None:
        self.nodes = [f"n{number + 1}" for number in range(nodes)]
        self._network = Network(Random(f"maelstrom {seed}"), delay_s=self._delay_s, loss=self._loss)
        for node in self.nodes:
            program = Program(node, self._command, folder / f"{node}.log", self._network, self._network.lost)
            self._programs[node] = program
            self._network.attach(node, program.write)
            await program.start()
        await asyncio.gather(*(self._init(node) for node in self.nodes))
        await self._ready()

    async def _init(self, node: str) -> None:
        try:
            async with asyncio.timeout(self._init_s):
                answer = await self.network.ask("c0", node, {"type": "init", "node_id": node, "node_ids": list(self.nodes)})
        except (TimeoutError, Unknown) as error:
            self._check()
            raise TargetError(f"{node} ({' '.join(self._command)}) did not answer init within {self._init_s:g} s: does it speak the protocol?") from error
        self._check()
        if answer.type != "init_ok":
            raise TargetError(f"{node} answered init with {answer.type!r} {answer.text}: expected init_ok")

    async def _ready(self) -> None:
        """Until each node answers something else than that it is not available yet."""
        until = time.monotonic() + READY_S_MAX
        for node in self.nodes:
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError, Unknown):
                    async with asyncio.timeout(1.0):
                        answer = await self.network.ask("c0", node, {"type": "read", "key": self.codes.sent("")})
                    if answer.code != TEMPORARILY_UNAVAILABLE:
                        break
                self._check()
                await asyncio.sleep(0.05)

    def _check(self) -> None:
        self.network.check()
        for program in self._programs.values():
            if program.problem:
                raise TargetError(program.problem)

    async def stop(self) -> None:
        """Also raises `TargetError` where a program ended by itself, or wrote what is no message."""
        problems = [program.problem for program in self._programs.values() if program.problem]
        await asyncio.gather(*(program.stop() for program in self._programs.values()))
        if self._network is not None:
            self._network.close()
            self._network.check()
        if problems:
            raise TargetError(problems[0])

    def problems(self) -> list[str]:
        """Which programs ended though nobody asked them to, and the first line that was no message."""
        said = [program.problem for program in self._programs.values()]
        return [text for text in (*said, "" if self._network is None else self._network.complaint) if text]

    @property
    def network(self) -> Network:
        assert self._network is not None, "not started"
        return self._network

    # --- what it is -------------------------------------------------------------------------------

    def versions(self) -> Mapping[str, str]:
        """What runs the program, as far as that tells: of the program itself nothing is known."""
        with contextlib.suppress(OSError, subprocess.SubprocessError, IndexError):
            if Path(self._command[0]).name.rstrip("0123456789.") in ("node", "python", "ruby"):
                done = subprocess.run([self._command[0], "--version"], capture_output=True, text=True, check=False, timeout=10)
                return {Path(self._command[0]).name: done.stdout.splitlines()[0][:80]}
        return {}

    def configuration(self) -> Mapping[str, str | int | float | bool]:
        return {"program": shlex.join(self._command), "delay_ms": self._delay_s * 1000, "loss": self._loss, "values": "numbers" if self.codes.as_numbers else "texts"}

    async def leader(self) -> str | None:
        """The protocol does not tell."""
        return None

    # --- faults -----------------------------------------------------------------------------------

    async def kill(self, node: str) -> None:
        await self._programs[node].kill()
        self.network.lost(node)

    async def restart(self, node: str) -> None:
        await self._programs[node].start()
        await self._init(node)

    async def pause(self, node: str) -> None:
        self._programs[node].pause()

    async def resume(self, node: str) -> None:
        self._programs[node].resume()

    async def partition(self, cut: frozenset[tuple[str, str]]) -> None:
        self.network.cut = cut

    async def clock(self, node: str, offset_s: float, rate: float) -> None:
        raise TargetError("maelstrom: the protocol knows nothing of clocks")

    def connect(self, node: str | None, number: int) -> MaelstromClient:
        return MaelstromClient(self, f"c{next(self._clients)}", node, number)

    def runs(self, node: str) -> bool:
        """Whether its process is there, be it paused."""
        return self._programs[node].running


class Codes:
    """Keys and values as Maelstrom's own clients send them: numbers, each of which stands for a text here."""

    def __init__(self, *, as_numbers: bool) -> None:
        self.as_numbers = as_numbers
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []

    def sent(self, text: str) -> str | int:
        """What goes to the program."""
        if not self.as_numbers:
            return text
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return self._numbers[text]

    def received(self, value: object) -> str | None:
        """What came back; a value that nobody sent stays visible as one."""
        if value is None:
            return None
        if not self.as_numbers:
            return value if isinstance(value, str) else f"not sent by anybody: {value!r:.60}"
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(self._texts):
            return self._texts[value]
        return f"not sent by anybody: {value!r:.60}"


class MaelstromClient:
    """A `Client`, named c1, c2, ...; without a node of its own it goes on to the next when one fails it."""

    def __init__(self, target: MaelstromTarget, name: str, node: str | None, number: int) -> None:
        self._target, self._name = target, name
        self._nodes = [node] if node is not None else list(target.nodes)
        self._at = number % len(self._nodes)

    async def get(self, key: str) -> str | None:
        answer = await self._ask({"type": "read", "key": self._target.codes.sent(key)}, "read_ok", {KEY_DOES_NOT_EXIST})
        return None if answer.code == KEY_DOES_NOT_EXIST else self._target.codes.received(answer.value)

    async def put(self, key: str, value: str) -> None:
        await self._ask({"type": "write", "key": self._target.codes.sent(key), "value": self._target.codes.sent(value)}, "write_ok", set())

    async def cas(self, key: str, expected: str | None, value: str) -> bool:
        """From nothing with create_if_not_exists, which many programs do not know: those that say 20 then refused."""
        sent = self._target.codes.sent
        fields: dict[str, object] = {"type": "cas", "key": sent(key), "from": None if expected is None else sent(expected), "to": sent(value)}
        if expected is None:
            fields["create_if_not_exists"] = True
            answer = await self._ask(fields, "cas_ok", {PRECONDITION_FAILED})
        else:
            answer = await self._ask(fields, "cas_ok", {KEY_DOES_NOT_EXIST, PRECONDITION_FAILED})
        return answer.type == "cas_ok"

    async def close(self) -> None:
        return None

    async def _ask(self, fields: Mapping[str, object], expected: str, answers: set[int]) -> Body:
        node = self._nodes[self._at]
        if not self._target.runs(node):
            self._next()
            raise Refused(f"{node} does not run")
        try:
            answer = await self._target.network.ask(self._name, node, fields)
        except BaseException:
            self._next()
            raise
        if answer.type == expected or (answer.type == "error" and answer.code in answers):
            return answer
        self._next()
        if answer.type == "error" and answer.code in DEFINITE:
            raise Refused(f"error {answer.code}: {answer.text[:80]}")
        raise Unknown(f"error {answer.code}: {answer.text[:80]}" if answer.type == "error" else f"answered with {answer.type[:40]!r}, expected {expected}")

    def _next(self) -> None:
        self._at = (self._at + 1) % len(self._nodes)


def _command(program: str | Sequence[str]) -> list[str]:
    try:
        command = shlex.split(program) if isinstance(program, str) else list(program)
    except ValueError as error:
        raise TargetError(f"maelstrom: program={program}: {error}") from error
    if not command:
        raise TargetError('maelstrom: no program: write program="node lin_kv.js", or whatever starts a node')
    found = shutil.which(command[0])
    if found is None:
        raise TargetError(f"maelstrom: no program {command[0]}: install it, or write where it is (and that it can be executed)")
    return [found, *command[1:]]
