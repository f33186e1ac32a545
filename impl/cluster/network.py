"""Nodes in network namespaces of Linux, joined by a bridge, and cut by dropping packets on it.

    n1  eth0 ---- p0 \\
    n2  eth0 ---- p1  bridge, in a namespace of its own ---- whoever runs the cluster, and its clients
    n3  eth0 ---- p2 /

Law: packets are dropped on the bridge by one transaction of nft, so that a partition is complete or not there.
TCP is what it is: nothing is reset, what was under way is sent again after a heal, and a cut of one direction
also starves the other, for want of acknowledgements.  Where nft is missing, the sender's routes to the receiver
become black holes, node after node.

Namespaces are named after the process that made them and its birth: whatever a killed run left is removed by the
next one.  Addresses are of 198.18.0.0/15, which RFC 2544 sets aside for tests.  It takes root and iproute2.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence

from scrutator.impl.cluster.processes import birth_of
from scrutator.impl.cluster.proxy import Pair
from scrutator.impl.cluster.target import TargetError
from scrutator.impl.cluster.wires import Address

PREFIX = "scrutator"
RAFT_PORT, CLIENT_PORT = 7001, 7000
NODES_MAX = 200
_RULES = """
table bridge scrutator {
  set cut { type ipv4_addr . ipv4_addr; }
  chain forward { type filter hook forward priority 0; policy accept; ip saddr . ip daddr @cut drop; }
}
"""


def lacking() -> str:
    """Why there can be no namespaces here, and what to do; empty where there can."""
    if sys.platform != "linux":
        return f"network namespaces are of Linux, and this is {sys.platform}: use --partitions proxy"
    if os.geteuid() != 0:
        return "network namespaces take root: run as root, or use --partitions proxy"
    if shutil.which("ip") is None:
        return "network namespaces take the program ip: install iproute2, or use --partitions proxy"
    probe = f"{_own()}probe"
    try:
        _ip("", f"netns add {probe}\n")
        _ip("", f"netns del {probe}\n")
    except TargetError as error:
        return f"this system, or the container it is in, lets nobody make network namespaces ({error}): use --partitions proxy"
    return ""


class Namespaces:
    """One namespace for each node; see `scrutator.impl.cluster.wires.Wires`."""

    def __init__(self) -> None:
        self._nodes: list[str] = []
        token = secrets.token_hex(3)
        self._own, self._outside = f"{_own()}{token}-", f"scr{token}"
        self._net = ""
        self._nft = False
        self._cut: frozenset[Pair] = frozenset()

    async def open(self, nodes: Sequence[str]) -> None:
        """Raises `TargetError`."""
        await asyncio.to_thread(self._open, nodes)

    def _open(self, nodes: Sequence[str]) -> None:
        why = lacking()
        if why or len(nodes) > NODES_MAX:
            raise TargetError(why or f"{len(nodes)} nodes: at most {NODES_MAX} fit into one network")
        remove_leftovers()
        self._nodes = list(nodes)
        self._net = _free_net()
        hub, outside = f"{self._own}hub", self._outside
        _ip("", f"netns add {hub}\n" + "".join(f"netns add {self._own}{node}\n" for node in nodes))
        _ip(hub, "link set lo up\nlink add br0 type bridge forward_delay 0\nlink set br0 up\n")
        _ip("", f"link add {outside} type veth peer name outside netns {hub}\naddr add {self._net}.254/24 dev {outside}\nlink set {outside} up\n")
        _ip(hub, "link set outside master br0 up\n" + "".join(
            f"link add p{k} type veth peer name eth0 netns {self._own}{node}\nlink set p{k} master br0 up\n" for k, node in enumerate(nodes)
        ))  # fmt: skip
        for node in nodes:
            _ip(f"{self._own}{node}", f"link set lo up\naddr add {self._host(node)}/24 dev eth0\nlink set eth0 up\n")
        self._nft = shutil.which("nft") is not None and not _run(["ip", "netns", "exec", hub, "nft", "-f", "-"], _RULES)

    def _host(self, node: str) -> str:
        return f"{self._net}.{self._nodes.index(node) + 1}"

    def listens(self, node: str) -> Address:
        return self._host(node), RAFT_PORT

    def dials(self, src: str, dst: str) -> Address:
        return self._host(dst), RAFT_PORT

    def clients(self, node: str) -> Address:
        return self._host(node), CLIENT_PORT

    def within(self, node: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", f"{self._own}{node}")

    async def cut(self, pairs: Iterable[Pair]) -> None:
        """Drop every packet that goes this way.  Raises `TargetError`."""
        before, self._cut = self._cut, frozenset(pairs)
        await asyncio.to_thread(self._drop if self._nft else self._blackhole, before, self._cut)

    def _drop(self, before: frozenset[Pair], cut: frozenset[Pair]) -> None:
        ways = ", ".join(f"{self._host(src)} . {self._host(dst)}" for src, dst in sorted(cut))
        text = "flush set bridge scrutator cut\n" + (f"add element bridge scrutator cut {{ {ways} }}\n" if ways else "")
        why = _run(["ip", "netns", "exec", f"{self._own}hub", "nft", "-f", "-"], text)
        if why:
            raise TargetError(f"nft does not cut: {why}")

    def _blackhole(self, before: frozenset[Pair], cut: frozenset[Pair]) -> None:
        for src in self._nodes:
            gone = [f"route del blackhole {self._host(dst)}/32\n" for a, dst in sorted(before - cut) if a == src]
            new = [f"route add blackhole {self._host(dst)}/32\n" for a, dst in sorted(cut - before) if a == src]
            if gone or new:
                _ip(f"{self._own}{src}", "".join(gone + new))

    def how(self) -> str:
        """What cuts, for the record."""
        return "nft on a bridge" if self._nft else "routes that are black holes"

    async def close(self) -> None:
        """Remove every namespace of this process; with them go its interfaces."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        existing = _existing(self._own)
        if existing:
            _run(["ip", "link", "del", self._outside], "")  # at once, where the kernel would take its time
            _remove(existing)


def remove_leftovers() -> list[str]:
    """Remove what runs left that ended without cleaning up; the names of what was removed."""
    dead = []
    for name in _existing(f"{PREFIX}-"):
        pid, _, rest = name.removeprefix(f"{PREFIX}-").partition("-")
        birth = birth_of(int(pid)) if pid.isdigit() else None
        if birth is None or _short(birth) != rest.partition("-")[0]:
            dead.append(name)
    _remove(dead)
    return dead


def _own() -> str:
    """What the names of this process's namespaces begin with."""
    return f"{PREFIX}-{os.getpid()}-{_short(birth_of(os.getpid()) or '')}-"


def _short(birth: str) -> str:
    return birth.replace("-", "")[:8] + birth.rpartition(":")[2]


def _existing(prefix: str) -> list[str]:
    try:
        done = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return [line.split()[0] for line in done.stdout.splitlines() if line.startswith(prefix)]


def _remove(names: Sequence[str]) -> None:
    for name in names:
        _run(["ip", "netns", "del", name], "")


def _free_net() -> str:
    """The first three numbers of a network that this machine has no route into."""
    routes = subprocess.run(["ip", "-4", "route", "show", "table", "all"], capture_output=True, text=True, check=False).stdout
    nets = [f"198.{second}.{third}" for second in (18, 19) for third in range(256)]
    return random.SystemRandom().choice([net for net in nets if f"{net}." not in routes])


def _ip(namespace: str, batch: str) -> None:
    why = _run(["ip", *(["-n", namespace] if namespace else []), "-batch", "-"], batch)
    if why:
        raise TargetError(f"ip: {why}")


def _run(command: Sequence[str], text: str) -> str:
    """Why a command failed; empty where it did not."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[0]
