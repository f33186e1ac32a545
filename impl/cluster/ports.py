"""Free ports on loopback for servers that are yet to start.

Law: a port that was handed out is given to nobody else as long as its `Ports` is open, by whichever process
asks here.  Two things take ports away: outgoing connections and servers that ask for any port, which get theirs
from the system's ephemeral range, so ours lie below it; and others who do as we do, so whoever takes a TCP port
holds the UDP port of the same number, which nothing here uses and which a killed process gives back.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path
from types import TracebackType

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 10_000, 32_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class NoPort(Exception):
    """No port could be had; the message says which and why."""


class Ports:
    """Ports kept for one cluster until `close`; a context.

    >>> with Ports() as ports:
    ...     first, second = ports.take(), ports.take()
    >>> first != second
    True
    """

    __slots__ = ("_held", "_host")

    def __init__(self, host: str = LOOPBACK) -> None:
        self._host = host
        self._held: dict[int, socket.socket] = {}

    def take(self) -> int:
        """A TCP port that nobody listens on; raises `NoPort`."""
        highest = min(HIGHEST, _ephemeral_from())
        for port in random.SystemRandom().sample(range(LOWEST, highest), 500):
            if self._hold(port):
                return port
        raise NoPort(f"500 ports of {self._host} between {LOWEST} and {highest} were tried, and all are in use: stop some servers")

    def claim(self, port: int) -> None:
        """This very port; raises `NoPort` where it is in use."""
        if not self._hold(port):
            raise NoPort(f"port {port} of {self._host} is in use: stop what listens there (ss -tlnp 'sport = {port}' tells), or choose another")

    def __contains__(self, port: int) -> bool:
        """Whether it is kept here."""
        return port in self._held

    def _hold(self, port: int) -> bool:
        token = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            token.bind((self._host, port))
        except OSError:
            token.close()
            return False
        if not is_free(self._host, port):
            token.close()
            return False
        self._held[port] = token
        return True

    def close(self) -> None:
        """Give the ports back."""
        for token in self._held.values():
            token.close()
        self._held.clear()

    def __enter__(self) -> Ports:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now; connections of an earlier one that linger are no obstacle."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _ephemeral_from() -> int:
    """The lowest port that the system gives to whoever asks for any."""
    try:
        lowest = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return HIGHEST
    return lowest if lowest > LOWEST + 1000 else HIGHEST
