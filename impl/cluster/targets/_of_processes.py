"""What targets have in common whose nodes are processes on this machine, one each.

Law: what is done to a node is done to its process and to nothing else; a target that must do more does so beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.impl.cluster.processes import Process


class OfProcesses:
    """Whoever starts the nodes puts their processes into ``_processes``, by name."""

    def __init__(self) -> None:
        self.nodes: Sequence[str] = ()
        self._processes: dict[str, Process] = {}

    def problems(self) -> list[str]:
        """Which nodes ended though nobody asked them to, and what they said last."""
        return [process.problem for process in self._processes.values() if process.problem]

    async def kill(self, node: str) -> None:
        await self._processes[node].kill()

    async def restart(self, node: str) -> None:
        """Raises `TargetError`."""
        self._processes[node].start()

    async def pause(self, node: str) -> None:
        self._processes[node].pause()

    async def resume(self, node: str) -> None:
        self._processes[node].resume()
