"""The links of a node to all others: one connection each way between any two, each carrying messages one way.

Law: messages arrive unchanged, in order and at most once, or not at all; `Links.send` never waits.  All else
(that messages are repeated, that terms are compared) is Raft's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scrutator.impl.node.config import ConfigError, NodeConfig
from scrutator.impl.node.links.incoming import Incoming
from scrutator.impl.node.links.outgoing import Outgoing
from scrutator.impl.node.links.tls import contexts
from scrutator.impl.node.links.wire import NodeMessage, WireError
from scrutator.impl.node.log import Log
from scrutator.impl.node.rarely import Rarely


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How things stand with one other node; counts are of messages since this node started."""

    to: bool  # whether there is a connection to it
    back: bool  # and from it
    sent: int
    received: int
    dropped: int  # not sent: no connection, too much waiting, or too large
    reconnects: int
    unsent_bytes: int


class Links:
    """Connections to and from every other node of the configuration, from `start` to `close`.

    ``receive`` is called for each message that arrives, in the event loop.  Make it inside a running loop;
    raises `TlsError`, and `ConfigError` for names too long to be sent.
    """

    def __init__(self, config: NodeConfig, receive: Callable[[NodeMessage], None], log: Log) -> None:
        tls = None if config.tls is None else contexts(config.tls, config.id)
        self._rarely = Rarely(log, 10.0)
        self._incoming = Incoming(config, receive, self._met, log, tls)
        try:
            self._peers = {name: Outgoing(config, name, log, tls) for name in config.nodes if name != config.id}
        except WireError as error:
            raise ConfigError(str(error)) from None

    async def start(self) -> None:
        """Listen and dial; raises `ConfigError` where the address cannot be listened on."""
        self._incoming.start()
        for peer in self._peers.values():
            peer.start()

    def send(self, dst: str, messages: Sequence[NodeMessage]) -> None:
        """Send these to a node, in one frame if they fit; they are dropped where that cannot be done now."""
        peer = self._peers.get(dst)
        if peer is not None:
            peer.send(messages)
        else:
            self._rarely("no such node", why=f"nothing can be sent to {dst!r}: the configuration does not say where it is")

    def reaches(self, dst: str) -> bool:
        """Whether there is a connection to that node now; without one, all that is sent to it is dropped."""
        peer = self._peers.get(dst)
        return peer is not None and peer.connected

    def connected(self) -> dict[str, LinkStatus]:
        """How things stand, by name of the other node."""
        return {
            name: LinkStatus(
                peer.connected, self._incoming.connected(name), peer.sent, self._incoming.received[name], peer.dropped,
                max(0, peer.connects - 1), peer.unsent_bytes,
            )
            for name, peer in self._peers.items()
        }  # fmt: skip

    async def close(self) -> None:
        """End all connections; nothing is left running."""
        await asyncio.gather(self._incoming.close(), *(peer.close() for peer in self._peers.values()))

    def _met(self, src: str) -> None:
        self._peers[src].wake()
