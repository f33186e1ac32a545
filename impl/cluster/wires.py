"""What connects the nodes of a cluster, and can be cut: where each listens, and where the others find it.

Law: a target asks only this, so that it is cut alike by proxies and by namespaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from scrutator.impl.cluster.ports import LOOPBACK, NoPort, Ports
from scrutator.impl.cluster.proxy import Pair, Proxies
from scrutator.impl.cluster.target import TargetError

Address = tuple[str, int]


class Wires(Protocol):
    """Between ``open`` and ``close``, which may be called at any time."""

    async def open(self, nodes: Sequence[str]) -> None:
        """Make ready for these nodes.  Raises `TargetError`."""

    def listens(self, node: str) -> Address:
        """Where a node is to listen for the others."""

    def dials(self, src: str, dst: str) -> Address:
        """Where ``src`` finds ``dst``."""

    def clients(self, node: str) -> Address:
        """Where a node is to listen for clients, who are never cut."""

    def within(self, node: str) -> tuple[str, ...]:
        """What to put before the command of a node's process."""

    async def cut(self, pairs: Iterable[Pair]) -> None:
        """Cut these directions, and heal all others."""

    async def close(self) -> None: ...


class ThroughProxies:
    """Nodes on loopback that find each other at proxies; see `scrutator.impl.cluster.proxy`."""

    def __init__(self) -> None:
        self._ports, self._proxies = Ports(), Proxies()
        self._nodes: dict[str, tuple[Address, Address]] = {}

    async def open(self, nodes: Sequence[str]) -> None:
        try:
            self._nodes = {node: ((LOOPBACK, self._ports.take()), (LOOPBACK, self._ports.take())) for node in nodes}
            await self._proxies.open({node: places[0] for node, places in self._nodes.items()})
        except (NoPort, OSError) as error:
            raise TargetError(f"proxies between nodes: {error}") from error

    def listens(self, node: str) -> Address:
        return self._nodes[node][0]

    def dials(self, src: str, dst: str) -> Address:
        return self._proxies.address(src, dst)

    def clients(self, node: str) -> Address:
        return self._nodes[node][1]

    def within(self, node: str) -> tuple[str, ...]:
        return ()

    async def cut(self, pairs: Iterable[Pair]) -> None:
        self._proxies.cut(pairs)

    async def close(self) -> None:
        await self._proxies.close()
        self._ports.close()


def address(place: Address) -> str:
    """As ``host:port``."""
    return f"{place[0]}:{place[1]}"
