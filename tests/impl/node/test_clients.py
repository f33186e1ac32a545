"""Connections: order, limits, slow readers, garbage, and the end; then clients that others wrote."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator

import pytest
from front import Front, front

from scrutator.impl.node.clients import connection
from scrutator.impl.node.config import Limits
from scrutator.impl.node.requests import Outcome


@contextlib.contextmanager
def idle() -> Iterator[None]:
    """Within it the event loop does not turn for the sake of some connection."""
    turns, flush = 0, connection.Connection._flush

    def count(self: connection.Connection) -> None:
        nonlocal turns
        turns += 1
        flush(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.Connection, "_flush", count)
        yield
    assert turns < 10


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    """Those of the standard library, and of uvloop where it is installed: transports differ."""
    try:
        import uvloop
    except ImportError:
        return [asyncio.new_event_loop]
    return [asyncio.new_event_loop, uvloop.new_event_loop]


each_loop = pytest.mark.parametrize("loop", loops(), ids=lambda loop: loop.__module__.partition(".")[0])


def run(
    scenario: Callable[[Front], Awaitable[None]], limits: Limits | None = None, loop: Callable[[], asyncio.AbstractEventLoop] | None = None, **changes: object
) -> None:
    async def whole() -> None:
        async with front(limits, **changes) as place:
            await asyncio.wait_for(scenario(place), 60)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


async def until(met: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    for _ in range(2000):
        if met():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


class Waiting:
    """Keeps what the replica is asked, until somebody lets it go on."""

    def __init__(self, place: Front) -> None:
        self.place, self.held = place, []
        place.replica.manner = lambda command, done: self.held.append((command, done))

    def release(self, number: int = 0) -> None:
        command, done = self.held.pop(number)
        done(self.place.replica.carried_out(command))


def test_answers_come_in_the_order_of_requests_whatever_was_done_first():
    async def scenario(place: Front) -> None:
        waiting, draw = Waiting(place), random.Random(1)
        async with place.connected() as wire:
            wire.writer.write(b"".join(request(b"SET", b"k%d" % n, b"") + request(b"APPEND", b"k%d" % n, b"x" * n) + request(b"ECHO", b"%03d" % n) for n in range(100)))
            await until(lambda: len(waiting.held) == 200)
            while waiting.held:
                waiting.release(draw.randrange(len(waiting.held)))
                if draw.random() < 0.1:
                    await asyncio.sleep(0)
            expected = b"".join(b"+OK\r\n:%d\r\n$3\r\n%03d\r\n" % (n, n) for n in range(100))
            said = await wire.reader.readexactly(len(expected))
        # A SET that was let go after its APPEND does not change what either was answered.
        assert said == expected

    run(scenario)


def test_an_answer_given_twice_counts_once():
    async def scenario(place: Front) -> None:
        def twice(command, done):
            done(Outcome(None, "first"))
            done(place.replica.carried_out(command))

        place.replica.manner = twice
        async with place.connected() as wire:
            assert await wire.ask(request(b"GET", b"a")) == b"-TRYAGAIN first: the command was not carried out\r\n"
            assert await wire.ask(request(b"PING")) == b"+PONG\r\n" and place.server.requests == 0

    run(scenario)


@each_loop
def test_a_connection_with_much_under_way_is_read_no_further(loop):
    async def scenario(place: Front) -> None:
        waiting, many = Waiting(place), 3 * connection.PIPELINE_MAX
        async with place.connected() as wire:
            wire.writer.write(request(b"INCR", b"n") * many)
            await until(lambda: len(waiting.held) == connection.PIPELINE_MAX)
            with idle():
                await asyncio.sleep(0.05)
            assert len(waiting.held) == connection.PIPELINE_MAX
            place.replica.manner = lambda command, done: done(place.replica.carried_out(command))
            while waiting.held:
                waiting.release()
            expected = b"".join(b":%d\r\n" % n for n in range(1, many + 1))
            assert await wire.reader.readexactly(len(expected)) == expected
            assert (place.server.requests, place.server.bytes) == (0, 0)

    run(scenario, loop=loop)


def test_the_bytes_under_way_on_a_connection_are_bounded():
    async def scenario(place: Front) -> None:
        waiting, value = Waiting(place), b"x" * (1 << 20)
        async with place.connected() as wire:
            wire.writer.write(request(b"SET", b"k", value) * 12)
            await until(lambda: place.server.bytes >= connection.PIPELINE_BYTES_MAX)
            await asyncio.sleep(0.1)
            assert len(waiting.held) == 4 and place.server.bytes < connection.PIPELINE_BYTES_MAX + 2 * len(value)
            place.replica.manner = lambda command, done: done(place.replica.carried_out(command))
            while waiting.held:
                waiting.release()
            assert await wire.reader.readexactly(5 * 12) == b"+OK\r\n" * 12

    run(scenario)


@each_loop
def test_a_client_that_does_not_read_makes_nothing_grow(loop):
    async def scenario(place: Front) -> None:
        place.replica.machine.data[b"k"] = b"x" * 100_000
        many, asked = 5000, 0

        def count(command, done):
            nonlocal asked
            asked += 1
            done(place.replica.carried_out(command))

        place.replica.manner = count
        async with place.connected() as wire:
            wire.writer.transport.pause_reading()
            wire.writer.write(request(b"GET", b"k") * many)
            before = -1
            while asked != before:  # until it stands still
                before = asked
                await asyncio.sleep(0.2)
            with idle():
                await asyncio.sleep(0.05)
            (served,) = place.server.connections.values()
            assert asked < many and len(served._queue) <= connection.PIPELINE_MAX
            assert served._transport.get_write_buffer_size() < 2 * connection.UNSENT_BYTES_MAX + 100_100
            wire.writer.transport.resume_reading()
            one = b"$100000\r\n" + b"x" * 100_000 + b"\r\n"
            for _ in range(many):
                assert await wire.reader.readexactly(len(one)) == one
            assert asked == many

    run(scenario, loop=loop)


def test_what_is_too_much_for_the_node_is_refused_at_once():
    async def scenario(place: Front) -> None:
        waiting = Waiting(place)
        async with place.connected() as first, place.connected() as second:
            first.writer.write(request(b"INCR", b"n") * 3)
            await until(lambda: len(waiting.held) == 3)
            assert (await second.ask(request(b"INCR", b"n"))).startswith(b"-BUSY too much is under way")
            waiting.release()
            second.writer.write(request(b"INCR", b"n"))
            await until(lambda: len(waiting.held) == 3)
            while waiting.held:
                waiting.release()
            assert await first.ask(b"", 12) == b":1\r\n:2\r\n:3\r\n" and await second.ask(b"") == b":4\r\n"

    run(scenario, Limits(waiting_max=3))


def test_unfinished_commands_of_all_connections_are_bounded():
    async def scenario(place: Front) -> None:
        async with place.connected() as first:
            async with place.connected() as second, place.connected() as third:
                for wire in (first, second, third):
                    wire.writer.write(b"*2\r\n$3\r\nGET\r\n$60000\r\n" + b"x" * 50_000)
                    await asyncio.sleep(0.05)
                assert await third.rest() == b"-ERR Protocol error: too much of unfinished commands is held by this node\r\n"
                assert 100_000 < place.server.bytes < 101_000
            await until(lambda: place.server.bytes < 60_000)
            assert await first.ask(b"x" * 10_000 + b"\r\n") == b"$-1\r\n" and place.server.bytes == 0

    run(scenario, Limits(waiting_bytes_max=125_000))


def test_a_command_too_large_to_be_replicated_is_refused():
    async def scenario(place: Front) -> None:
        async with place.connected() as wire:
            said = await wire.ask(request(b"MSET", *(b"k", b"x" * (1 << 20)) * 3))
            assert said.startswith(b"-ERR a command of 3145735 bytes is too large: ") and not place.replica.machine.data
            assert await wire.ask(request(b"SET", b"k", b"x" * (1 << 20))) == b"+OK\r\n"

    run(scenario)


def test_too_many_connections_are_told_so():
    async def scenario(place: Front) -> None:
        async with place.connected() as first, place.connected() as second:
            assert await first.ask(b"PING\r\n") == b"+PONG\r\n"
            assert await second.ask(b"PING\r\n") == b"+PONG\r\n"
            async with place.connected() as third:
                assert await third.rest() == b"-ERR max number of clients reached\r\n"
            assert await first.ask(b"PING\r\n") == b"+PONG\r\n" and place.server.rejected == 1

    run(scenario, Limits(connections_max=2))


GARBAGE = {
    "no length": (b"*1\r\n$x\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    "too many arguments": (b"*5000\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    "too large a value": (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$99999999\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    "an endless line": (b"x" * 70_000, b"-ERR Protocol error: too big inline request\r\n"),
    "a browser": (b"GET / HTTP/1.1\r\n\"\r\n", b"-ERR wrong number of arguments for 'get' command\r\n-ERR Protocol error: unbalanced quotes in request\r\n"),
    "the end within a command": (b"*2\r\n$3\r\nGET\r\n$4\r\nab", b"-ERR Protocol error: the connection ended within a command\r\n"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_ends_its_connection_and_no_other(name):
    data, error = GARBAGE[name]

    async def scenario(place: Front) -> None:
        waiting = Waiting(place)
        async with place.connected() as other, place.connected() as wire:
            wire.writer.write(request(b"INCR", b"n") + data)
            await until(lambda: len(waiting.held) == 1)
            if name.startswith("the end"):
                wire.writer.write_eof()
            await until(lambda: place.server.garbled == 1)
            with contextlib.suppress(ConnectionError, RuntimeError):  # after an end of input nothing can follow
                wire.writer.write(request(b"INCR", b"n") * 1000)  # it is not understood any more
            waiting.release()
            assert await wire.rest() == b":1\r\n" + error
            assert await other.ask(b"PING\r\n") == b"+PONG\r\n"
        assert [event for event, _ in place.log.lines] == ["bad input"] and not waiting.held
        await until(lambda: not place.server.connections)
        assert (place.server.requests, place.server.bytes) == (0, 0)

    run(scenario)


def test_a_flood_of_garbage_is_one_line():
    async def scenario(place: Front) -> None:
        for _ in range(50):
            async with place.connected() as wire:
                assert await wire.ask(b"*x\r\n") == b"-ERR Protocol error: invalid multibulk length\r\n"
        assert place.server.garbled == 50 and len(place.log.lines) < 10

    run(scenario)


def test_noise_does_no_harm():
    async def scenario(place: Front) -> None:
        draw = random.Random(7)
        for _ in range(60):
            async with place.connected() as wire:
                for _ in range(3):
                    wire.writer.write(draw.randbytes(draw.randrange(300)) + draw.choice([b"", b"*3\r\n$3\r\nSET\r\n", b"\r\n", request(b"INCR", b"n")]))
                wire.writer.write_eof()
                await wire.rest()
        async with place.connected() as wire:
            assert await wire.ask(request(b"PING")) == b"+PONG\r\n"
        await until(lambda: not place.server.connections)
        assert (place.server.requests, place.server.bytes) == (0, 0)

    run(scenario)


def test_a_client_that_went_away_is_forgotten():
    async def scenario(place: Front) -> None:
        waiting = Waiting(place)
        async with place.connected() as wire:
            wire.writer.write(request(b"INCR", b"n") * 5)
            await until(lambda: len(waiting.held) == 5)
        # It may only have ended its side: what is under way is waited for, and then it is forgotten.
        assert place.server.requests == 5
        while waiting.held:
            waiting.release()
        await until(lambda: not place.server.connections)
        assert (place.server.requests, place.server.bytes) == (0, 0)

    run(scenario)


@each_loop
def test_what_was_asked_before_the_end_of_input_is_answered(loop):
    async def scenario(place: Front) -> None:
        waiting = Waiting(place)
        async with place.connected() as wire:
            wire.writer.write(request(b"INCR", b"n") * 2)
            wire.writer.write_eof()
            await until(lambda: len(waiting.held) == 2)
            waiting.release(1)
            waiting.release(0)
            assert await wire.rest() == b":2\r\n:1\r\n"

    run(scenario, loop=loop)


def test_nothing_after_a_quit_is_begun():
    async def scenario(place: Front) -> None:
        async with place.connected() as wire:
            wire.writer.write(request(b"INCR", b"n") + request(b"QUIT") + request(b"INCR", b"n") * 5)
            assert await wire.rest() == b":1\r\n+OK\r\n" and place.replica.machine.data == {b"n": b"1"}

    run(scenario)


@each_loop
def test_closing_answers_what_is_answered_in_time(loop):
    async def scenario(place: Front) -> None:
        waiting = Waiting(place)
        async with place.connected() as wire, place.connected() as slow:
            wire.writer.write(request(b"INCR", b"n"))
            await until(lambda: len(waiting.held) == 1)
            slow.writer.write(request(b"INCR", b"n"))
            await until(lambda: len(waiting.held) == 2)
            closing = asyncio.create_task(place.server.close())
            await asyncio.sleep(0.05)
            waiting.release()
            assert await wire.rest() == b":1\r\n"
            await closing
            assert await slow.rest() == b"" and not place.server.connections
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", place.port)

    run(scenario, loop=loop)


# --- clients that others wrote ----------------------------------------------------------------


async def ran(*words: str, stdin: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        out, _ = await asyncio.wait_for(process.communicate(stdin), 40)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, out
    return out.decode()


@pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli is not installed")
@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_redis_cli(protocol):
    async def scenario(place: Front) -> None:
        cli = ("redis-cli", protocol, "-p", str(place.port), "--no-raw")
        said = await ran(*cli, stdin=b'SET a "x y"\nGET a\nGET b\nMGET a b\nDEL a b\nHUH\n')
        null = "(nil)"
        assert said.splitlines()[:6] == ["OK", '"x y"', null, '1) "x y"', f"2) {null}", "(integer) 1"]
        assert said.splitlines()[6].startswith("(error) ERR unknown command 'HUH'")
        assert "raft_role:leader" in await ran("redis-cli", protocol, "-p", str(place.port), "INFO")
        assert "db0:keys" not in await ran("redis-cli", protocol, "-p", str(place.port), "INFO")

    run(scenario)


@pytest.mark.skipif(not shutil.which("redis-benchmark"), reason="redis-benchmark is not installed")
@pytest.mark.parametrize("pipeline", ["1", "16"])
def test_redis_benchmark(pipeline):
    async def scenario(place: Front) -> None:
        said = await ran("redis-benchmark", "-p", str(place.port), "-t", "set,get", "-n", "20000", "-P", pipeline, "-q")
        assert said.count("requests per second") == 2 and "rror" not in said
        assert place.server.commands >= 40_000 and place.server.errors == 0

    run(scenario)


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py(protocol):
    redis = pytest.importorskip("redis")

    def use(port: int) -> None:
        with redis.Redis(port=port, protocol=protocol, decode_responses=True, client_name="me") as client:
            assert client.ping() and client.set("a", "1") and client.get("a") == "1" and client.set("a", "2", nx=True) is None
            assert client.set("a", "5", get=True) == "1" and client.incrby("a", 2) == 7 and client.decr("a") == 6
            assert client.mset({"b": "x", "c": "y"}) and client.mget("a", "b", "z") == ["6", "x", None] and client.append("b", "yz") == 3
            assert client.delete("b", "c", "z") == 2 and client.exists("a", "b") == 1 and client.dbsize() == 1 and client.getdel("a") == "6"
            assert client.execute_command("CAS", "a", "1", "2") == 0 and client.setnx("a", "1") and client.execute_command("CAS", "a", "1", "2") == 1
            session = client.execute_command("SESSION", "NEW")
            assert [client.execute_command("ONCE", session, 1, "INCR", "a") for _ in range(3)] == [3, 3, 3]
            with pytest.raises(redis.ResponseError, match="not an integer"):
                client.set("t", "x")
                client.incr("t")
            pipeline = client.pipeline(transaction=False)
            for number in range(500):
                pipeline.set(f"k{number}", number).get(f"k{number}")
            assert pipeline.execute()[1::2] == [str(number) for number in range(500)]
            assert client.client_getname() == "me" and client.client_info()["resp"] in (protocol, str(protocol)) and len(client.client_list()) == 1
            information = client.info()
            assert information["role"] == "master" and information["raft_term"] == 3 and information["follower_n3"] == {"match": 7, "lag": 3}
            assert client.config_get("save") == {"save": ""} and client.command_count() == len(client.command())
            assert len(client.time()) == 2 and client.info("keyspace")["db0"]["keys"] == 502
            with pytest.raises(redis.ResponseError, match="MULTI is not supported"):
                client.pipeline().set("a", "never").execute()
            assert client.get("a") == "3"

    async def scenario(place: Front) -> None:
        await asyncio.to_thread(use, place.port)

    run(scenario)


def test_redis_py_with_asyncio():
    redis = pytest.importorskip("redis.asyncio")

    async def scenario(place: Front) -> None:
        async with redis.Redis(port=place.port, decode_responses=True) as client:
            await asyncio.gather(*(client.incr("n") for _ in range(50)))
            assert await client.get("n") == "50"

    run(scenario)


def test_redis_py_as_a_client_of_a_cluster():
    redis = pytest.importorskip("redis.cluster")

    def use(port: int) -> None:
        with redis.RedisCluster(host="127.0.0.1", port=port, decode_responses=True) as client:
            assert client.set("a", "1") and client.get("a") == "1" and client.incr("n") == 1
            assert client.get_primaries()[0].port == port and len(client.get_replicas()) == 2

    async def scenario(place: Front) -> None:
        await asyncio.to_thread(use, place.port)

    run(scenario, followers="moved")


def test_a_follower_sends_clients_of_a_cluster_to_the_leader():
    redis = pytest.importorskip("redis.cluster")
    from dataclasses import replace

    from front import STATUS, FakeReplica, Kept, config
    from msgspec.structs import replace as changed

    from scrutator.impl.node.clients import ClientServer
    from scrutator.impl.node.config import Place

    async def whole() -> None:
        async with front(followers="moved") as leader:
            here = config(followers="moved")
            nodes = {**here.nodes, "n2": Place("127.0.0.1:7002", "127.0.0.1:0"), "n1": Place("127.0.0.1:7001", f"127.0.0.1:{leader.port}")}
            replica = FakeReplica()
            replica.now = replace(STATUS, id="n2", role="follower", followers={})
            replica.manner = lambda command, done: done(Outcome(None, "this node does not lead", "n1"))
            follower = ClientServer(changed(here, id="n2", nodes=nodes), replica, Kept())
            await follower.start()

            def use() -> None:
                with redis.RedisCluster(host="127.0.0.1", port=int(follower.address.rpartition(":")[2]), decode_responses=True) as client:
                    assert client.set("a", "1") and client.get("a") == "1"

            try:
                await asyncio.to_thread(use)
                assert leader.replica.machine.data == {b"a": b"1"} and not replica.machine.data
            finally:
                await follower.close()

    asyncio.run(whole())
