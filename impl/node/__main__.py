"""`python -m scrutator.impl.node CONFIG.toml`: one node, until it is told to stop.

Exit status: 0 told to stop, 2 the configuration cannot be used, 3 the disk is full or fails, 4 the store is
corrupt, in use or another node's, 70 a bug.  The last line of the log says which.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scrutator.impl.machine import KeyValue
from scrutator.impl.node.clients import ClientServer
from scrutator.impl.node.config import ConfigError, NodeConfig, load
from scrutator.impl.node.links import Links
from scrutator.impl.node.links.tls import TlsError
from scrutator.impl.node.log import Log
from scrutator.impl.node.mutants import mutants, replica_of
from scrutator.impl.node.replica import Compactor, Replica
from scrutator.impl.node.store import Prepared, RefusedStore, Store, StoreFailed, StoreFull
from scrutator.impl.node.tracefile import TraceFile

STOPPED, CONFIGURATION, DISK, REFUSED, BUG = 0, 2, 3, 4, 70


def main(arguments: list[str]) -> int:
    """Run the node that a file describes; the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m scrutator.impl.node CONFIG.toml\n")
        return CONFIGURATION
    try:
        config = load(Path(arguments[0]))
        if config.mutant and config.mutant not in mutants():
            raise ConfigError(f"{arguments[0]}: there is no mutant {config.mutant!r}: {', '.join(mutants())}")
    except ConfigError as error:
        Log("?")("cannot start", why=str(error))
        return CONFIGURATION
    log = Log(config.id)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(serve(config, log))
    except (ConfigError, TlsError) as error:  # what only trying could tell
        log("stops", why=f"{arguments[0]}: {error}", status=CONFIGURATION)
        return CONFIGURATION
    except Exception as error:
        return status_of(error, log)


def status_of(error: Exception, log: Log) -> int:
    """Say what ended the node, and with which status it exits."""
    for kind, status in ((RefusedStore, REFUSED), ((StoreFull, StoreFailed), DISK)):
        if isinstance(error, kind):
            log("stops", why=str(error), status=status)
            return status
    if isinstance(error, OSError):
        log("stops", why=str(error), status=DISK)
        return DISK
    log("stops", why=f"this is a bug: {type(error).__name__}: {error}", where="".join(traceback.format_exception(error)), status=BUG)
    return BUG


async def serve(config: NodeConfig, log: Log) -> int:
    """Run until SIGTERM or SIGINT, or until something makes that impossible, which is raised."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def fail(error: BaseException) -> None:
        if not ended.done():
            ended.set_exception(error)

    def stop() -> None:
        if not ended.done():
            ended.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    members = ",".join(config.members.voters)
    store = _opened(config, f"{config.cluster}/{config.id} of {members}")
    pool = ThreadPoolExecutor(1, "snapshot")
    trace: TraceFile | None = None
    replica: Replica
    try:
        trace = _trace(config)
        links = Links(config, lambda message: replica.receive(message), log)
        replica = replica_of(config.mutant)(config, store, links.send, log, compact=_writer(store, pool, fail), fail=fail, reaches=links.reaches)
        clients = ClientServer(config, replica, log)
        if trace is not None:
            replica.trace(trace)
        _spare_garbage_collection()
        try:
            await links.start()
            await clients.start()
            replica.start()
            raft = replica.raft
            log("serves", client=config.here.client, raft=config.here.raft, term=raft.term, base=raft.log.base, last=raft.log.last, mutant=config.mutant or None)
            await ended
        finally:
            replica.stop()
            await clients.close()
            await links.close()
        log("stops", why="told to", status=STOPPED)
        return STOPPED
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        if trace is not None:
            trace.close()
        store.close()


def _opened(config: NodeConfig, identity: str) -> Store:
    """The node's store; raises `ConfigError` where its folder cannot be one."""
    try:
        return Store(Path(config.data), identity=identity)
    except StoreFailed as error:
        if not isinstance(error.__cause__, OSError) or error.__cause__.errno == errno.EIO:
            raise
        raise ConfigError(f"data: {config.data} cannot be used: {error.__cause__.strerror}: name a folder that this user may make and write") from None


def _trace(config: NodeConfig) -> TraceFile | None:
    try:
        return TraceFile(Path(config.trace)) if config.trace else None
    except OSError as error:
        raise ConfigError(f"trace: {config.trace} cannot be written: {error.strerror or error}: name another file, or leave it out") from None


def _writer(store: Store, pool: ThreadPoolExecutor, fail: Callable[[BaseException], None]) -> Compactor:
    """Write snapshots in a thread beside the event loop."""
    loop = asyncio.get_running_loop()

    def compact(index: int, machine: KeyValue, done: Callable[[int, bytes], None]) -> None:
        image: Iterable[bytes] = machine.image()

        def written(future: asyncio.Future[Prepared]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                fail(error)
            elif not future.cancelled():
                done(index, future.result().data)

        loop.run_in_executor(pool, store.prepare_snapshot, index, image).add_done_callback(written)

    return compact


def _spare_garbage_collection() -> None:
    """What was loaded stays; looking through millions of entries for cycles would stop the node for seconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop, where it is installed: over a link a message costs 12 microseconds of processor with it, about 20 without."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
