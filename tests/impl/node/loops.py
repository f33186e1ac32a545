"""Event loops for tests over real sockets: nothing in them goes wrong unnoticed, or is left running."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Coroutine

import pytest

Run = Callable[[Coroutine[object, object, None]], None]


def running(limit_s: float) -> Callable[..., Run]:
    """A fixture that runs a test in the loop of the standard library, then in uvloop's; whoever takes longer fails."""

    async def watched(test: Coroutine[object, object, None]) -> None:
        wrong: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        await asyncio.wait_for(test, limit_s)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        gc.collect()  # what was left open warns now
        assert not wrong

    @pytest.fixture(params=["asyncio", "uvloop"])
    def run(request: pytest.FixtureRequest) -> Run:
        factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

        def runs(test: Coroutine[object, object, None]) -> None:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(watched(test))

        return runs

    return run


async def until(condition: Callable[[], object]) -> None:
    """Wait for it; whoever waits for ever is ended by the test's time limit."""
    while not condition():
        await asyncio.sleep(0.002)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports
