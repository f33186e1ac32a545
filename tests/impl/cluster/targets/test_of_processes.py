"""What targets of processes share: whatever ends a node, it is told unless it was asked for."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from scrutator.impl.cluster.processes import Process, eventually
from scrutator.impl.cluster.target import TargetError
from scrutator.impl.cluster.targets._of_processes import OfProcesses
from scrutator.impl.cluster.targets._options import number, whole


class Sleepers(OfProcesses):
    def start(self, folder: Path) -> None:
        self.nodes = ["n1", "n2"]
        for node in self.nodes:
            self._processes[node] = Process(node, ["sleep", "60"], folder / "log")
            self._processes[node].start()

    def process(self, node: str) -> Process:
        return self._processes[node]


def test_an_end_that_nobody_asked_for_is_told_until_the_node_runs_again(tmp_path):
    async def run() -> None:
        target = Sleepers()
        target.start(tmp_path)
        try:
            await target.kill("n1")
            assert target.problems() == []
            struck = target.process("n2")
            os.kill(struck.identity.pid, signal.SIGKILL)
            assert await eventually(lambda: not struck.running, 10)
            (told,) = target.problems()
            assert told.startswith("n2 was killed by SIGKILL though nobody asked it to")
            for node in target.nodes:
                await target.restart(node)
            assert target.problems() == []
            assert all(target.process(node).running for node in target.nodes)
        finally:
            for node in target.nodes:
                await target.kill(node)

    asyncio.run(run())


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "2", "soon", ""])
def test_numbers_out_of_bounds_are_refused(text):
    with pytest.raises(TargetError, match=f"mine: loss={text}: write a number from 0 to 1"):
        number("mine", "loss", text, 0, 1)


@pytest.mark.parametrize("text", ["nan", "1.0", "0", "101", "٣", "9" * 5000, ""])
def test_whole_numbers_out_of_bounds_are_refused(text):
    with pytest.raises(TargetError, match="write a whole number from 1 to 100"):
        whole("mine", "count", text, 1, 100)
