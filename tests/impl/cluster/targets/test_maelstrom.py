"""Programs that speak the Maelstrom protocol: right and broken ones, and ones that do not speak it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from scrutator.checker.linear import History, check_linearizable
from scrutator.checker.verdict import Verdict
from scrutator.impl.cluster.processes import birth_of, eventually
from scrutator.impl.cluster.record.run import Plan, record
from scrutator.impl.cluster.target import Refused, TargetError, Unknown
from scrutator.impl.cluster.targets._maelstrom_network import Network
from scrutator.impl.cluster.targets._maelstrom_services import services
from scrutator.impl.cluster.targets.maelstrom import MaelstromTarget

JAVASCRIPT = Path(__file__).with_name("lin_kv.js")
OURS = [sys.executable, "-m", "scrutator.impl.node.maelstrom", "--election-s", "0.3", "--heartbeat-s", "0.05"]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node.js is not installed")

# Answers init, and then every write with what the request's value asks for.
ODD = """
import json, sys, time
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    answer = {"type": "read_ok", "value": 12345}
    if body["type"] == "init":
        answer = {"type": "init_ok"}
    elif body["type"] == "write":
        answer = {"type": "error", "code": int(body["value"]), "text": "as asked"}
    elif body["type"] == "cas":
        answer = {"type": "surprise"}
    answer["in_reply_to"] = body["msg_id"]
    print(json.dumps({"src": message["dest"], "dest": message["src"], "body": answer}), flush=True)
"""


def judged(folder: Path, program: list[str], *, seconds: float, nodes: int = 3, faults: tuple[str, ...] = (), **options: str) -> Verdict:
    plan = Plan(
        target="maelstrom", options={}, workload="register", nodes=nodes, clients=6, seconds=seconds,
        faults=list(faults), seed=7, rate=200.0,
    )  # fmt: skip
    run = asyncio.run(record(plan, MaelstromTarget(program, **options), folder, lambda text: None))
    assert run.counts.operations > 50 and not run.fault_errors
    return check_linearizable(History.read(folder / "history.jsonl"), run.object).verdict


def against(program: list[str], folder: Path, do: Callable[[MaelstromTarget], Awaitable[None]], **options: str) -> None:
    async def run() -> None:
        target = MaelstromTarget(program, **options)
        try:
            await target.start(folder, 2, 1)
            await do(target)
        finally:
            await target.stop()

    asyncio.run(run())


@needs_node
def test_a_primary_that_all_ask_holds(tmp_path):
    assert judged(tmp_path, ["node", str(JAVASCRIPT)], seconds=1.5, delay_ms="2") is Verdict.HOLDS


@needs_node
def test_nodes_that_each_answer_by_themselves_are_violated(tmp_path):
    assert judged(tmp_path, ["node", str(JAVASCRIPT), "local"], seconds=1.5) is Verdict.VIOLATED


def test_our_own_node_holds_under_partitions_and_delays(tmp_path):
    assert judged(tmp_path, OURS, seconds=4.0, faults=("partition",), delay_ms="3") is Verdict.HOLDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "options", "faults", "verdict"),
    [
        (OURS, {"delay_ms": "5", "loss": "0.05"}, ("partition", "pause"), Verdict.HOLDS),
        ([*OURS, "--reads", "log"], {"delay_ms": "5"}, ("partition",), Verdict.HOLDS),
        ([*OURS, "--mutant", "local_reads"], {"delay_ms": "5"}, ("partition",), Verdict.VIOLATED),
        (OURS, {"kill": "yes"}, ("kill",), Verdict.VIOLATED),  # its store is its memory
    ],
)
def test_longer_runs(tmp_path, program, options, faults, verdict):
    assert judged(tmp_path, program, seconds=20.0, faults=faults, **options) is verdict


def test_errors_are_definite_or_not_as_the_protocol_says(tmp_path):
    async def ask(target: MaelstromTarget) -> None:
        client = target.connect("n1", 1)
        for code in (1, 10, 11, 12, 14, 20, 21, 22, 30):
            with pytest.raises(Refused, match=f"error {code}"):
                await client.put("k", str(code))
        for code in (0, 13, 2, 1000):
            with pytest.raises(Unknown, match=f"error {code}"):
                await client.put("k", str(code))
        with pytest.raises(Unknown, match="answered with 'surprise'"):
            await client.cas("k", "a", "b")
        assert await client.get("k") == "not sent by anybody: 12345"

    against([sys.executable, "-c", ODD], tmp_path, ask, values="texts")


@needs_node
def test_operations(tmp_path):
    async def use(target: MaelstromTarget) -> None:
        first, other = target.connect("n1", 1), target.connect("n2", 2)
        assert await first.get("k") is None
        assert not await first.cas("k", "a", "b")
        assert await first.cas("k", None, "a")
        assert not await first.cas("k", None, "b")
        assert await other.get("k") == "a"
        assert await other.cas("k", "a", "c")
        await other.put("l", "d")
        assert (await first.get("k"), await first.get("l")) == ("c", "d")

    for values in ("numbers", "texts"):
        against(["node", str(JAVASCRIPT)], tmp_path, use, values=values)


@needs_node
def test_faults(tmp_path):
    async def use(target: MaelstromTarget) -> None:
        client = target.connect("n2", 1)
        await client.put("k", "a")
        await target.partition(frozenset({("n1", "n2")}))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.get("k")
        await target.partition(frozenset())
        assert await client.get("k") == "a"
        await target.pause("n1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.get("k")
        await target.resume("n1")
        assert await client.get("k") == "a"
        waiting = asyncio.ensure_future(target.network.ask("c9", "n1", {"type": "nothing"}))
        await target.pause("n1")
        await target.kill("n1")
        with pytest.raises(Unknown):
            await asyncio.wait_for(asyncio.shield(waiting), 5) if not waiting.done() else waiting.result()
        with pytest.raises(Refused, match="n1 does not run"):
            await target.connect("n1", 2).get("k")
        await target.restart("n1")
        assert await client.get("k") is None  # it was in memory

    assert "kill" not in MaelstromTarget(["node"]).faults and "kill" in MaelstromTarget(["node"], kill="yes").faults
    against(["node", str(JAVASCRIPT)], tmp_path, use, kill="yes")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('hello')", "n1: line 1 of its standard output is no message"),
        ("while True: print('y' * 9)", "n1: line 1 of its standard output is no message"),
        ("print('{\"src\": \"n9\", \"dest\": \"c0\", \"body\": {\"type\": \"x\"}}')", "its src is 'n9', where init said 'n1'"),
        ("raise SystemExit('out of order')", "(?s)exited with status 1 though nobody asked it to.*out of order"),
        ("import time; time.sleep(60)", "did not answer init within 0.5 s"),
        ("print('x' * (5 << 20))", "line 1 of its standard output is longer than"),
    ],
)
def test_programs_that_do_not_speak_the_protocol(tmp_path, code, said):
    async def run() -> None:
        target = MaelstromTarget([sys.executable, "-c", code], init_s="0.5" if "sleep" in code else "10")
        try:
            with pytest.raises(TargetError, match=said):
                await target.start(tmp_path, 1, 1)
        finally:
            try:
                await target.stop()
            except TargetError as error:
                assert "n1" in str(error)

    asyncio.run(run())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties processes")
def test_programs_do_not_survive_a_recorder_that_is_killed(tmp_path):
    code = (
        "import asyncio, os, signal, sys\nfrom pathlib import Path\nfrom random import Random\n"
        "from scrutator.impl.cluster.targets._maelstrom_network import Network\n"
        "from scrutator.impl.cluster.targets._maelstrom_program import Program\n"
        "async def main():\n"
        f"    program = Program('n1', [sys.executable, '-c', 'import time; time.sleep(600)'], Path({str(tmp_path)!r}, 'log'), Network(Random(1)), print)\n"
        "    await program.start()\n    print(program._process.pid, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\nasyncio.run(main())"
    )
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout)
    try:
        assert asyncio.run(gone(pid))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


async def gone(pid: int) -> bool:
    return await eventually(lambda: birth_of(pid) is None, 20)


def test_a_line_that_is_no_message_is_told_when_the_target_stops(tmp_path):
    late = ODD.replace('answer = {"type": "surprise"}', 'print("debug", flush=True)')

    async def use(target: MaelstromTarget) -> None:
        await target.connect("n2", 1).cas("k", "a", "b")

    with pytest.raises((TargetError, Unknown)) as caught:
        against([sys.executable, "-c", late], tmp_path, use, values="texts")
    assert "n2: line 3 of its standard output is no message" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"program": ""}, "no program"),
        ({"program": "no-such-program-at-all x"}, "no program no-such-program-at-all"),
        ({"program": "'open"}, "No closing quotation"),
        ({"program": sys.executable, "delay_ms": "soon"}, "delay_ms=soon"),
        ({"program": sys.executable, "loss": "2"}, "loss=2: write a number from 0 to 1"),
        ({"program": sys.executable, "kill": "maybe"}, "kill=maybe"),
    ],
)
def test_options_that_cannot_be_used(options, said):
    with pytest.raises(TargetError, match=said):
        MaelstromTarget(**options)


# --- the network and its services -----------------------------------------------------------------


def line(src: str, dest: str, value: int) -> bytes:
    return b'{"src":"%s","dest":"%s","body":{"type":"t","value":%d}}\n' % (src.encode(), dest.encode(), value)


def test_loss_and_delays_are_drawn_from_the_seed_and_clients_are_spared():
    async def arrived(seed: int) -> list[bytes]:
        network, lines = Network(Random(seed), delay_s=0.01, loss=0.5), []
        network.attach("n1", lines.append)
        network.attach("n2", lines.append)
        for value in range(40):
            network.said("n1", value + 1, line("n1", "n2", value))
        await asyncio.sleep(0.2)
        return sorted(lines)

    first = asyncio.run(arrived(1))
    assert 5 < len(first) < 35
    assert first == asyncio.run(arrived(1)) != asyncio.run(arrived(2))


def test_a_cut_is_of_one_direction():
    network, lines = Network(Random(1)), []
    network.attach("n1", lines.append)
    network.attach("n2", lines.append)
    network.cut = frozenset({("n1", "n2")})
    network.said("n1", 1, line("n1", "n2", 1))
    network.said("n2", 1, line("n2", "n1", 2))
    assert lines == [line("n2", "n1", 2)]


def test_nodes_reach_services_and_are_told_of_nodes_that_are_not_there():
    network, lines = Network(Random(1)), []
    network.attach("n1", lines.append)
    network.said("n1", 1, b'{"src":"n1","dest":"lin-tso","body":{"type":"ts","msg_id":5}}\n')
    network.said("n1", 2, b'{"src":"n1","dest":"lin-kv","body":{"type":"read","key":[1],"msg_id":6}}\n')
    network.said("n1", 3, b'{"src":"n1","dest":"n7","body":{"type":"x","msg_id":7}}\n')
    assert b'"src":"lin-tso"' in lines[0] and b'"ts":0' in lines[0] and b'"in_reply_to":5' in lines[0]
    assert b'"code":20' in lines[1] and b'"code":1,' in lines[2]
    network.check()


def body(kind: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "key": "k", "value": None, "from": None, "to": None, "create_if_not_exists": False, **fields}


def test_lin_kv_is_what_it_says():
    store = services(Random(1))["lin-kv"]
    assert store("n1", body("read"))["code"] == 20
    assert store("n1", body("cas", to=1))["code"] == 20
    assert store("n1", body("cas", to=1, create_if_not_exists=True))["type"] == "cas_ok"
    assert store("n2", body("read"))["value"] == 1
    assert store("n2", body("cas", **{"from": 2, "to": 3}))["code"] == 22
    assert store("n2", body("delete"))["code"] == 10


def test_seq_kv_is_stale_but_never_goes_back_and_shows_what_one_wrote():
    store, seen, behind = services(Random(3))["seq-kv"], [], 0
    store("writer", body("write", value=0))
    store("reader", body("read"))
    for value in range(1, 300):
        assert store("writer", body("write", value=value))["type"] == "write_ok"
        assert store("writer", body("read"))["value"] == value
        seen.append(store("reader", body("read"))["value"])
        behind += seen[-1] < value
    assert seen == sorted(seen) and behind > 50
    assert store("reader", body("cas", **{"from": 299, "to": 300}))["type"] == "cas_ok"


def test_lww_kv_forgets_and_goes_back():
    store, seen = services(Random(3))["lww-kv"], []
    for value in range(100):
        store("n1", body("write", value=value))
        seen.append(store("n1", body("read")).get("value", -1))
    assert seen != sorted(seen)
