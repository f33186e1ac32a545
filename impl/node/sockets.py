"""Sockets as links between nodes want them: without delay, and soon done with a peer that is gone.

Law: what the system cannot set is left as it is; nothing here is needed to be right, only to be quick.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Protocol

from scrutator.impl.node.config import ConfigError, split_address

BACKLOG = 512
IDLE_S = 2  # then the system asks whether the peer is there
DEAD_S = 3  # without a sign of life


class Tunable(Protocol):
    """A socket, or what uvloop shows of one."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None: ...


def tune(sock: Tunable) -> None:
    """Send small messages at once; notice in seconds that a peer, or the way to it, is gone.

    What is sent and not acknowledged would otherwise be tried again after ever longer pauses, up to minutes:
    a new connection is quicker once a cut has healed.
    """
    tcp = {"TCP_NODELAY": 1, "TCP_KEEPIDLE": IDLE_S, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": DEAD_S, "TCP_USER_TIMEOUT": DEAD_S * 1000}
    known = {getattr(socket, name): value for name, value in tcp.items() if hasattr(socket, name)}  # Linux has them all
    with contextlib.suppress(OSError):  # the connection may be gone already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in known.items():
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def listen(address: str, where: str) -> socket.socket:
    """A listening socket that does not block; raises `ConfigError` where that cannot be, naming the key ``where``."""
    host, port = split_address(address, where)
    sock = None
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        if sock is not None:
            sock.close()
        cure = "is something else running there?" if error.errno == errno.EADDRINUSE else "write an address of this machine, and a port that this user may have"
        raise ConfigError(f"{where}: cannot listen on {address}: {error.strerror or error}: {cure}") from None
    return sock
