"""A local cluster's folder, and cluster.json in it: what the cluster is, and which processes are its nodes.

    DIR/cluster.json     this file's business
    DIR/lock             held by whoever starts or stops nodes
    DIR/tls/             certificates, where nodes speak TLS
    DIR/n1/node.toml     what the node was started with; written anew each time
    DIR/n1/log.jsonl     what it says; added to
    DIR/n1/data/         what it must not lose

Law: cluster.json is replaced as a whole, before and after anything that it tells of happens.  A folder that holds
anything else is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from scrutator.impl.cluster.processes import Identity
from scrutator.impl.cluster.target import TargetError
from scrutator.impl.node.config import ConfigError, Place, split_address

FILE, LOCK, TLS = "cluster.json", "lock", "tls"
BYTES_MAX = 1 << 20


class FolderError(TargetError):
    """A cluster's folder cannot be used as asked; the message names it and says what to do."""


class Setup(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the nodes of a cluster behave; see `scrutator.impl.node.config.NodeConfig`."""

    reads: Literal["index", "lease", "log"] = "index"
    followers: Literal["forward", "moved"] = "forward"
    mutant: str = ""
    tls: bool = False
    debug: bool = False
    trace: bool = False


class Node(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a node is reached, and the process that it last was; ``pid`` is 0 before it first runs."""

    raft: str
    client: str
    pid: Annotated[int, Meta(ge=0, lt=1 << 31)] = 0
    birth: str = ""

    @property
    def identity(self) -> Identity | None:
        return Identity(self.pid, self.birth) if self.pid else None

    @property
    def alive(self) -> bool:
        """Whether its process runs, be it paused."""
        return self.identity is not None and self.identity.alive

    @property
    def client_address(self) -> tuple[str, int]:
        return split_address(self.client, "cluster.json")

    @property
    def place(self) -> Place:
        return Place(self.raft, self.client)


class Cluster(Struct, frozen=True, forbid_unknown_fields=True):
    """cluster.json; ``cluster`` is a name that no other cluster has."""

    cluster: str
    nodes: dict[str, Node]
    setup: Setup = field(default_factory=Setup)
    schema: Literal["scrutator.cluster/1"] = "scrutator.cluster/1"

    @property
    def running(self) -> list[str]:
        return [name for name, node in self.nodes.items() if node.alive]


def new_name() -> str:
    """A name for a cluster, so that nodes of two clusters never take each other for their own."""
    return f"cluster-{secrets.token_hex(4)}"


def read(folder: Path) -> Cluster | None:
    """The cluster of a folder, or None where there is none; raises `FolderError` for a file that cannot be read."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            text = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        if len(text) > BYTES_MAX:
            raise msgspec.ValidationError(f"larger than {BYTES_MAX:,} bytes")
        found = msgspec.json.decode(text, type=Cluster)
        if not found.nodes:
            raise msgspec.ValidationError("it has no nodes")
        for name, node in found.nodes.items():
            if not name.replace("-", "").isalnum():
                raise msgspec.ValidationError(f"{name!r} is no name of a node")
            for address in (node.raft, node.client):
                split_address(address, name)
        return found
    except (msgspec.DecodeError, ConfigError) as error:
        raise FolderError(f"{path} describes no cluster: {error}: restore the file, or use another folder") from None


def require(folder: Path) -> Cluster:
    """The cluster of a folder; raises `FolderError` where there is none."""
    found = read(folder)
    if found is None:
        raise FolderError(f"there is no cluster in {folder}: scrutator cluster up starts one, --folder says where it is")
    return found


def write(folder: Path, cluster: Cluster) -> None:
    """Put cluster.json in place of what was there; raises `FolderError`."""
    partial = folder / f".{FILE}.{os.getpid()}"
    try:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(cluster), indent=2) + b"\n")
        partial.replace(folder / FILE)
    except OSError as error:
        raise FolderError(f"{folder / FILE} cannot be written: {error.strerror or error}") from error


def make(folder: Path) -> bool:
    """The folder, if there is none; whether there was none.  Raises `FolderError` for one that holds something else."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise FolderError(f"{folder} cannot be a cluster's folder: its name is no UTF-8, which nodes' files are: name another with --folder") from None
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is no folder: name another with --folder")
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
    except OSError as error:
        raise FolderError(f"{folder} cannot be a cluster's folder: {error.strerror or error}") from error
    if strangers and FILE not in strangers:
        raise FolderError(f"{folder} holds {', '.join(strangers[:3])} and no {FILE}: a cluster wants a folder of its own: name another with --folder")
    return new


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While nodes are started or stopped; raises `FolderError` where somebody else does."""
    try:
        descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise FolderError(f"{folder / LOCK} cannot be written: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is(descriptor, folder / LOCK):
                raise BlockingIOError
        except OSError:
            raise FolderError(f"another command starts or stops the cluster of {folder} right now: wait until it has ended") from None
        yield
    finally:
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    """Whether the file is still the one of this name: whoever held the lock may have wiped the folder."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def vacated(folder: Path, *, new: bool) -> Iterator[None]:
    """Around what makes a cluster in a locked folder: where that fails before there is one, no trace of it is left."""
    try:
        yield
    except BaseException:
        if not (folder / FILE).exists():
            with contextlib.suppress(OSError):
                (folder / LOCK).unlink(missing_ok=True)
                if new:
                    folder.rmdir()
        raise


def wipe(folder: Path, cluster: Cluster) -> None:
    """Delete what belongs to the cluster, and the folder if nothing else is in it; raises `FolderError`."""
    try:
        for name in (*cluster.nodes, TLS):
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                shutil.rmtree(folder / name)
        (folder / FILE).unlink(missing_ok=True)
        (folder / LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds something else
            folder.rmdir()
    except OSError as error:
        raise FolderError(f"{error.filename or folder} cannot be deleted: {error.strerror or error}") from error
