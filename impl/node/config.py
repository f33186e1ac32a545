"""What a node is told when it starts: who it is, who the others are, where its data lies, and its limits.

Law: a TOML file becomes a `NodeConfig` that was checked, or a `ConfigError` that names the file, the key and
what to write instead.  Nothing else of the node reads files of configuration or the environment.
"""

from __future__ import annotations

import math
import re
import tomllib
from ipaddress import ip_address
from itertools import combinations
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import msgspec
from msgspec import Struct, field

from scrutator.impl.raft import Configuration, Options, configuration
from scrutator.model.quorums import QuorumError

CONFIG_BYTES_MAX = 1 << 20
QUORUMS_CHECKED_MAX = 12  # voters: all their subsets are tried


class ConfigError(Exception):
    """The configuration of a node cannot be used; the message says where and why."""


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a node is reached, as ``host:port``: by other nodes, and by clients.

    The entry of the node itself says where it listens.  That of another may be the address of a proxy.
    """

    raft: str
    client: str


class Timing(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds; see `scrutator.impl.raft.Options`."""

    election_timeout_s: float = 0.6
    heartbeat_s: float = 0.1
    request_timeout_s: float = 5.0
    drift: float = 0.05


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What is refused or held back rather than kept in memory; sizes in bytes."""

    key_bytes_max: int = 1 << 16
    value_bytes_max: int = 1 << 20
    arguments_max: int = 4096
    connections_max: int = 1024
    waiting_max: int = 16384  # requests under way in all
    waiting_bytes_max: int = 64 << 20
    link_bytes_max: int = 32 << 20  # unsent to one peer; beyond it messages are dropped
    snapshot_every: int = 100_000  # entries after which a snapshot replaces the log's beginning
    log_bytes_max: int = 64 << 20  # of commands since the last snapshot: beyond it there is one sooner
    snapshot_bytes_max: int = 1 << 30  # that another node may send
    sessions_max: int = 4096  # must be the same at all nodes


class Tls(Struct, frozen=True, forbid_unknown_fields=True):
    """Files of TLS between nodes, in PEM: every node shows a certificate that the authority has signed."""

    certificate: str
    key: str
    authority: str


class NodeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One node.  ``voters`` is empty for all ``nodes``; quorums are majorities where no expression is given.

    ``reads``: how a read is made to see every finished write: a round of messages (index), the leader's lease,
    or an entry of the log.  ``followers``: whether a follower forwards commands to the leader, or answers MOVED.
    ``debug`` allows clients to turn the node's clock; ``mutant`` breaks it on purpose.
    """

    id: str
    cluster: str
    data: str
    nodes: dict[str, Place]
    voters: tuple[str, ...] = ()
    election: str = ""
    commit: str = ""
    reads: Literal["index", "lease", "log"] = "index"
    followers: Literal["forward", "moved"] = "forward"
    timing: Timing = field(default_factory=Timing)
    limits: Limits = field(default_factory=Limits)
    tls: Tls | None = None
    any_address: bool = False  # listen on other addresses than loopback
    trace: str = ""  # a file for what the core did, event by event
    debug: bool = False
    mutant: str = ""

    @property
    def here(self) -> Place:
        """Where this node listens."""
        return self.nodes[self.id]

    @property
    def members(self) -> Configuration:
        """The first configuration of the cluster; raises `QuorumError`."""
        return configuration(self.voters or tuple(self.nodes), election=self.election, commit=self.commit)

    @property
    def options(self) -> Options:
        """How the core behaves."""
        timing = self.timing
        return Options(
            election_timeout_s=timing.election_timeout_s, heartbeat_s=timing.heartbeat_s, drift=timing.drift,
            batch_bytes=256 * 1024, inflight=4, chunk_bytes=512 * 1024,
        )  # fmt: skip


def load(path: Path) -> NodeConfig:
    """Read a node's file; raises `ConfigError`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.toml")
    ...     _ = path.write_text('id = "a"\\ncluster = "c"\\ndata = "d"\\n[nodes.a]\\nraft = "127.0.0.1:1"\\nclient = "127.0.0.1:2"')
    ...     load(path).members.voters
    ('a',)
    """
    try:
        with path.open("rb") as file:
            text = file.read(CONFIG_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(text) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{path}: larger than {CONFIG_BYTES_MAX:,} bytes: this is no node's configuration")
    try:
        config = msgspec.convert(tomllib.loads(text.decode()), NodeConfig)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: this is no TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8, which TOML is written in") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explained(str(error))}") from None
    return checked(config, str(path))


def _explained(error: str) -> str:
    """What msgspec says, in the words of the file."""
    what, _, place = error.partition(" - at `$.")
    where = place.rstrip("`").replace("[...]", ".NAME")
    tables: dict[str, type[Struct]] = {"": NodeConfig, "timing": Timing, "limits": Limits, "tls": Tls}
    table = tables.get(where.partition(".")[0], Place)
    prefix = f"{where}." if where else ""
    if found := re.fullmatch("Object contains unknown field `(.*)`", what):
        return f"{prefix}{found[1]}: there is no such key: {', '.join(table.__struct_fields__)} are known"
    if found := re.fullmatch("Object missing required field `(.*)`", what):
        return f"{prefix}{found[1]} is missing: it has no default"
    if found := re.fullmatch("Invalid enum value (.*)", what):
        return f"{where} = {found[1]}: write {' or '.join(map(repr, get_args(get_type_hints(NodeConfig)[where])))}"
    return f"{where}: {what}" if where else what


def checked(config: NodeConfig, source: str) -> NodeConfig:
    """The same, if it makes sense; raises `ConfigError`."""

    def require(held: bool, why: str) -> None:
        if not held:
            raise ConfigError(f"{source}: {why}")

    require(config.id in config.nodes, f"id = {config.id!r} is not among the nodes {', '.join(config.nodes) or '(there are none)'}: give it a table [nodes.{config.id or 'NAME'}] with raft and client")
    require(bool(config.cluster), "cluster: give the cluster a name, the same for all its nodes")
    taken: dict[str, str] = {}
    for name, place in config.nodes.items():
        for key in ("raft", "client"):
            address, where = getattr(place, key), f"nodes.{name}.{key}"
            _, port = split_address(address, f"{source}: {where}")
            require(not port or address not in taken, f"{where}: {address} is that of {taken.get(address)} already: give each its own")
            taken[address] = where
    for key in ("raft", "client"):
        host = split_address(getattr(config.here, key), source)[0]
        require(_is_loopback(host) or config.any_address, f"nodes.{config.id}.{key}: {host} is not loopback: set any_address = true if others may reach it")
    unknown = [voter for voter in config.voters if voter not in config.nodes]
    require(not unknown, f"voters: {', '.join(unknown)} is not among the nodes {', '.join(config.nodes)}")
    timing = config.timing
    for key in ("heartbeat_s", "election_timeout_s", "request_timeout_s"):
        value = getattr(timing, key)
        require(0 < value < math.inf, f"timing.{key} = {value}: write more than 0, in seconds")
    require(
        timing.election_timeout_s >= 2 * timing.heartbeat_s,
        f"timing.election_timeout_s = {timing.election_timeout_s}: at least twice heartbeat_s, {timing.heartbeat_s}",
    )
    require(0 <= timing.drift < 0.5, f"timing.drift = {timing.drift}: from 0 to 0.5")
    for key in config.limits.__struct_fields__:
        require(getattr(config.limits, key) > 0, f"limits.{key} = {getattr(config.limits, key)}: write more than 0")
    try:
        why = _apart(config.members)
    except QuorumError as error:
        raise ConfigError(f"{source}: voters, election, commit: {error}") from None
    require(not why or bool(config.mutant), f"election, commit: {why}")
    return config


def _is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches it; a name other than localhost may stand for any address.

    >>> [_is_loopback(host) for host in ("127.0.0.2", "::1", "localhost", "::1:2", "127.example.org", "localhost.example.org")]
    [True, True, True, False, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _apart(members: Configuration) -> str:
    """Which quorums share no voter though they must: those that elect, with each other and with those that commit."""
    voters = members.voters
    if not (members.members.election or members.members.commit) or len(voters) > QUORUMS_CHECKED_MAX:
        return ""
    for some in (frozenset(some) for size in range(len(voters) + 1) for some in combinations(voters, size)):
        others = frozenset(voters) - some
        if members.elects(some) and (members.elects(others) or members.commits(others)):
            does = "elect a leader" if members.elects(others) else "commit an entry"
            return f"{{{', '.join(sorted(some))}}} can elect a leader, and {{{', '.join(sorted(others))}}} can {does}: they share no voter, so that what was acknowledged could be lost"
    return ""


def split_address(address: str, where: str) -> tuple[str, int]:
    """``host:port`` as (host, port); raises `ConfigError`.

    >>> split_address("127.0.0.1:7001", "here"), split_address("[::1]:7001", "here")
    (('127.0.0.1', 7001), ('::1', 7001))
    """
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit() and 0 <= int(port) < 65536):
        raise ConfigError(f"{where}: {address!r} is no address: write host:port, as 127.0.0.1:7001")
    return host.removeprefix("[").removesuffix("]"), int(port)
