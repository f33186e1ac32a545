"""`scrutator cluster`: a replicated key-value store of our own nodes on this machine.

Law: nodes go on after the command has ended, and it finds them again by the cluster's folder.  Results go to standard
output, progress and mistakes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from cyclopts import App, Parameter

from scrutator.checker.commands.shared import Format, UsageError, emit, fail, require_known
from scrutator.checker.verdict import ExitStatus

T = TypeVar("T")
FOLDER = Path("scrutator-cluster")

cluster = App(
    name="cluster",
    help="Start, stop and ask a replicated key-value store on this machine, which speaks the Redis protocol.",
    help_epilogue="Exit status: 0 the cluster serves (up, status) or is down (down), 1 it does not, 2 wrong usage, 3 interrupted, 70 a bug in scrutator.",
    help_format="plaintext",
)


@cluster.command
def up(
    *,
    nodes: int | None = None,
    folder: Path = FOLDER,
    port: int | None = None,
    reads: Literal["index", "lease", "log"] | None = None,
    followers: Literal["forward", "moved"] | None = None,
    tls: Annotated[bool | None, Parameter(negative="--no-tls")] = None,
    debug: Annotated[bool | None, Parameter(negative="--no-debug")] = None,
    trace: Annotated[bool | None, Parameter(negative="--no-trace")] = None,
    mutant: str | None = None,
    format: Format = "text",
) -> int:
    """Start a cluster, or what does not run of the one in the folder, and return once it serves.

    A folder that has a cluster keeps its data, ports and options, but for the options that are given.
    If the cluster does not come to serve, or on Ctrl-C, all that was started is stopped.

    Parameters
    ----------
    nodes
        How many; 3 in a new folder.
    folder
        Where it keeps everything; ./scrutator-cluster by default.
    port
        That of the first node for clients, 7100 in a new folder; the others follow. 0: free ones.
    reads
        How a read sees every finished write: by a round of messages, by the leader's lease, or as an entry of the log.
    followers
        Whether a follower forwards what it is asked, or answers MOVED as Redis Cluster does.
    tls
        Certificates for the nodes, and TLS between them; takes openssl.
    debug
        Let clients turn a node's clock (DEBUG CLOCK).
    trace
        Write what each node's core does into trace.jsonl.
    mutant
        Break every node so; a name that does not exist lists them, an empty one mends.
    format
        Text for people, JSON for programs.
    """
    from scrutator.impl.cluster import local

    if mutant:
        from scrutator.impl.node.mutants import mutants

        require_known("mutant", [mutant], list(mutants()), None)
    options = {"reads": reads, "followers": followers, "tls": tls, "debug": debug, "trace": trace, "mutant": mutant}
    changes = {name: value for name, value in options.items() if value is not None}

    async def work() -> tuple[local.Up, local.Standings]:
        done = await local.up(folder, nodes=nodes, port=port, changes=changes)
        return done, await local.status(folder)

    found = _run(work())
    if found is None:
        return ExitStatus.VIOLATED
    done, standings = found

    def show() -> None:
        from scrutator.checker.report import cluster_text

        if format == "json":
            sys.stdout.write(cluster_text.json_of(standings, started=done.started, seconds=done.seconds))
        else:
            from scrutator.checker.report.layout import console_for

            cluster_text.print_up(console_for(sys.stdout), standings, done, folder)

    emit(show)
    return ExitStatus.HOLDS


@cluster.command
def down(*, folder: Path = FOLDER, wipe: bool = False) -> int:
    """Stop every node of the cluster.

    Parameters
    ----------
    folder
        Where the cluster is.
    wipe
        Delete all that it keeps, too.
    """
    from scrutator.impl.cluster import local

    stopped = _run(local.down(folder, wipe=wipe))
    if stopped is None:
        return ExitStatus.VIOLATED
    what = f"stopped {', '.join(stopped)}" if stopped else "no node was running"
    emit(lambda: print(what + (f"; {folder} is wiped" if wipe else f"; data and logs stay in {folder}")))
    return ExitStatus.HOLDS


@cluster.command
def status(*, folder: Path = FOLDER, format: Format = "text") -> int:
    """Show each node of the cluster, and whether it serves.

    Parameters
    ----------
    folder
        Where the cluster is.
    format
        Text for people, JSON for programs.
    """
    from scrutator.impl.cluster import local

    found = _run(local.status(folder))
    if found is None:
        return ExitStatus.VIOLATED

    def show() -> None:
        from scrutator.checker.report import cluster_text

        if format == "json":
            sys.stdout.write(cluster_text.json_of(found))
        else:
            from scrutator.checker.report.layout import console_for

            cluster_text.print_status(console_for(sys.stdout), found, folder)

    emit(show)
    return ExitStatus.HOLDS if found.serves else ExitStatus.VIOLATED


def _run(work: Coroutine[None, None, T]) -> T | None:
    """Run to the end; None where the cluster does not serve, which is told.  SIGTERM interrupts it as Ctrl-C does."""
    from scrutator.impl.cluster.folder import FolderError
    from scrutator.impl.cluster.target import TargetError

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(main())
    except FolderError as error:
        raise UsageError(str(error)) from error
    except TargetError as error:
        fail(str(error), ExitStatus.VIOLATED)
        return None
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
