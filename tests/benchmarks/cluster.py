"""How many writes a second three nodes on loopback take, beside etcd and PySyncObj, in the same minutes.

    python tests/benchmarks/cluster.py [--seconds 5] [--rounds 3] [--million]

Ours and etcd's: every acknowledged write is synced on a majority.  PySyncObj syncs nothing; it is tuned to
exchange messages every 2 ms.  Values have 100 bytes.  The systems take turns, so that whatever else the
machine does meets all of them; figures are medians of the rounds.  Beside the rate: the processor time of
servers and clients for each write, for both share the processors.  Needs etcd (Debian: etcd-server), grpcio and
pysyncobj for the peers, redis-benchmark (Debian: redis-tools) for 64 clients; what is missing is left out.

``--million`` instead writes a million times and shows memory, the folder, and how long a restart takes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

VALUE = b"x" * 100
CLIENTS = 64
TICKS = os.sysconf("SC_CLK_TCK")


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Servers:
    """Processes, and the processor seconds that they have used."""

    def __init__(self, commands: list[list[str]], folder: Path) -> None:
        logs = [(folder / f"{k}.log").open("ab") for k in range(len(commands))]
        self.processes = [subprocess.Popen(c, stdout=log, stderr=log) for c, log in zip(commands, logs, strict=True)]
        for log in logs:
            log.close()

    def cpu_s(self) -> float:
        fields = [Path(f"/proc/{p.pid}/stat").read_text().rpartition(")")[2].split() for p in self.processes]
        return sum(int(f[11]) + int(f[12]) for f in fields) / TICKS

    def rss_bytes(self) -> list[int]:
        return [int(Path(f"/proc/{p.pid}/statm").read_text().split()[1]) * 4096 for p in self.processes]

    def kill(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()


# --- ours ---------------------------------------------------------------------------------


def our_nodes(folder: Path, ports: list[int]) -> list[list[str]]:
    places = "".join(f'[nodes.n{k}]\nraft = "127.0.0.1:{ports[k]}"\nclient = "127.0.0.1:{ports[3 + k]}"\n' for k in range(3))
    for k in range(3):
        (folder / f"n{k}.toml").write_text(f'id = "n{k}"\ncluster = "bench"\ndata = "{folder}/n{k}"\n{places}')
    return [[sys.executable, "-m", "scrutator.impl.node", str(folder / f"n{k}.toml")] for k in range(3)]


def resp(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def our_leader(ports: list[int], timeout_s: float = 60) -> int:
    """The client port of the node that leads, once it carries commands out."""
    due_s = time.monotonic() + timeout_s
    while time.monotonic() < due_s:
        for port in ports[3:]:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=2) as one:
                    one.sendall(resp(b"INFO", b"raft"))
                    if b"raft_role:leader" in one.recv(65536):
                        one.sendall(resp(b"SET", b"ready", b"1"))
                        if one.recv(100) == b"+OK\r\n":
                            return port
            except OSError:
                pass
        time.sleep(0.01)
    raise SystemExit("our cluster does not serve")


def one_resp_client(port: int, seconds: float) -> list[float]:
    """Latencies in seconds of one client that writes for so long."""
    took = []
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        k = 0
        while (begin := time.perf_counter()) < end:
            one.sendall(resp(b"SET", b"key:%06d" % (k % 100_000), VALUE))
            assert one.recv(100) == b"+OK\r\n"
            took.append(time.perf_counter() - begin)
            k += 1
    return took


def redis_benchmark(port: int, requests: int, *more: str) -> tuple[float, float, float]:
    """Writes a second, p50 and p99 in seconds."""
    command = ["redis-benchmark", "-p", str(port), "-t", "set", "-n", str(requests), "-c", str(CLIENTS), "-d", "100", "-r", "100000", "--csv", *more]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    fields = [field.strip('"') for field in out.splitlines()[-1].split(",")]
    return float(fields[1]), float(fields[4]) / 1000, float(fields[6]) / 1000


@contextmanager
def ours() -> Iterator[tuple[Servers, int]]:
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as name:
        folder, ports = Path(name), free_ports(6)
        servers = Servers(our_nodes(folder, ports), folder)
        try:
            yield servers, our_leader(ports)
        finally:
            servers.kill()


# --- etcd ---------------------------------------------------------------------------------


@contextmanager
def etcd() -> Iterator[tuple[Servers, list[int]]]:
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as name:
        folder, ports = Path(name), free_ports(6)
        initial = ",".join(f"e{k}=http://127.0.0.1:{ports[k]}" for k in range(3))
        commands = [
            ["etcd", "--name", f"e{k}", "--data-dir", f"{folder}/e{k}", "--log-level", "error", "--initial-cluster", initial,
             "--listen-peer-urls", f"http://127.0.0.1:{ports[k]}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{ports[k]}",
             "--listen-client-urls", f"http://127.0.0.1:{ports[3 + k]}", "--advertise-client-urls", f"http://127.0.0.1:{ports[3 + k]}"]
            for k in range(3)
        ]  # fmt: skip
        servers = Servers(commands, folder)
        try:
            yield servers, ports[3:]
        finally:
            servers.kill()


def put_request(k: int) -> bytes:
    """An etcdserverpb.PutRequest: fields 1 and 2 are key and value."""
    key = b"key:%06d" % (k % 100_000)
    return b"\x0a%c%s\x12%c%s" % (len(key), key, len(VALUE), VALUE)


async def etcd_clients(ports: list[int], clients: int, seconds: float) -> list[float]:
    """Latencies of clients that share the connections of a few channels to the leader."""
    import grpc

    same: Callable[[bytes], bytes] = bytes
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]) for port in ports]
    status = [c.unary_unary("/etcdserverpb.Maintenance/Status", request_serializer=same, response_deserializer=same) for c in channels]
    leader = None
    while leader is None:
        for k, ask in enumerate(status):
            try:
                fields = varints(await ask(b"", timeout=1))
            except grpc.RpcError:
                continue
            if fields.get(4) and fields.get(4) == varints(fields_of(fields.get(1, b""))).get(2):
                leader = k
        await asyncio.sleep(0.05)
    more = [grpc.aio.insecure_channel(f"127.0.0.1:{ports[leader]}", options=[("grpc.use_local_subchannel_pool", 1), ("n", k)]) for k in range(min(8, clients))]
    puts = [c.unary_unary("/etcdserverpb.KV/Put", request_serializer=same, response_deserializer=same) for c in more]
    took: list[float] = []

    async def client(number: int) -> None:
        put, k = puts[number % len(puts)], number
        await put(put_request(k), timeout=10)
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            await put(put_request(k), timeout=10)
            took.append(time.perf_counter() - begin)
            k += clients

    await asyncio.gather(*(client(number) for number in range(clients)))
    for channel in (*channels, *more):
        await channel.close()
    return took


def fields_of(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def varints(message: bytes) -> dict[int, int | bytes]:
    """The fields of a protobuf message, of the two kinds that etcd's status has."""
    found: dict[int, int | bytes] = {}
    position = 0

    def number() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(message):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        else:
            size = number()
            found[key >> 3] = message[position : position + size]
            position += size
    return found


# --- PySyncObj ----------------------------------------------------------------------------


def pysyncobj_node(own: str, others: list[str], clients: int, seconds: float) -> None:
    """One node; the one that leads is the client, too: ``clients`` writes are always under way."""
    from pysyncobj import SyncObj, SyncObjConf, replicated

    class Store(SyncObj):
        def __init__(self) -> None:
            super().__init__(own, others, SyncObjConf(autoTickPeriod=0.002, appendEntriesPeriod=0.002, raftMinTimeout=0.4, raftMaxTimeout=1.4))
            self.data: dict[str, bytes] = {}

        @replicated
        def put(self, key: str, value: bytes) -> None:
            self.data[key] = value

    store = Store()
    while not store.isReady() or store._getLeader() is None:
        time.sleep(0.01)
    if str(store._getLeader()) != own:
        time.sleep(3600)
    took: list[float] = []
    time.sleep(0.5)
    cpu = time.process_time()
    end = time.perf_counter() + seconds

    def write(k: int) -> None:
        begin = time.perf_counter()

        def done(_: object, error: object) -> None:
            took.append(time.perf_counter() - begin)
            if time.perf_counter() < end:
                write(k + clients)

        store.put(f"key:{k % 100_000:06d}", VALUE, callback=done)

    for k in range(clients):
        write(k)
    time.sleep(seconds + 0.3)
    print(len(took) / seconds, median(took), sorted(took)[len(took) * 99 // 100], time.process_time() - cpu, flush=True)
    time.sleep(3600)


def pysyncobj(clients: int, seconds: float) -> tuple[float, float, float, float]:
    """Writes a second, p50, p99, and the leader's processor seconds, its client's included."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]
    nodes = [
        subprocess.Popen([sys.executable, __file__, "--pysyncobj", a, *(b for b in addresses if b != a), str(clients), str(seconds)],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for a in addresses
    ]  # fmt: skip
    import selectors

    with selectors.DefaultSelector() as selector:
        for node in nodes:
            selector.register(node.stdout, selectors.EVENT_READ)
        ready = selector.select(timeout=60)
    if not ready:
        raise SystemExit("PySyncObj does not answer")
    rate, p50, p99, cpu_s = map(float, ready[0][0].fileobj.readline().split())
    for node in nodes:
        node.kill()
        node.wait()
        node.stdout.close()
    return rate, p50, p99, cpu_s


# --- the table ----------------------------------------------------------------------------


def sync_p50_s(count: int = 1000) -> float:
    """The time of an append of 256 bytes and fdatasync, nothing else of ours running."""
    took = []
    with tempfile.NamedTemporaryFile(dir=os.getcwd()) as file:
        for _ in range(count):
            begin = time.perf_counter()
            os.write(file.fileno(), b"x" * 256)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begin)
    return median(took)


def summary(took: list[float], seconds: float) -> tuple[float, float, float]:
    return len(took) / seconds, median(took), sorted(took)[len(took) * 99 // 100]


def client_cpu_s() -> float:
    return sum(resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def compare(rounds: int, seconds: float) -> None:
    results: dict[str, list[tuple[float, ...]]] = {}

    def note(name: str, figures: tuple[float, float, float], servers_s: float, clients_s: float) -> None:
        writes = figures[0] * seconds
        results.setdefault(name, []).append((*figures, servers_s / writes, clients_s / writes))

    syncs = []
    for _ in range(rounds):
        syncs.append(sync_p50_s())
        with ours() as (servers, port):
            one_resp_client(port, 0.5)
            before, mine = servers.cpu_s(), client_cpu_s()
            note("Scrutator, 1 client", summary(one_resp_client(port, seconds), seconds), servers.cpu_s() - before, client_cpu_s() - mine)
            if shutil.which("redis-benchmark"):
                requests = int(8000 * seconds)
                before, mine = servers.cpu_s(), client_cpu_s()
                rate, p50, p99 = redis_benchmark(port, requests)
                scale = requests / (rate * seconds)
                note(f"Scrutator, {CLIENTS} clients", (rate, p50, p99), (servers.cpu_s() - before) / scale, (client_cpu_s() - mine) / scale)
        if shutil.which("etcd"):
            for clients in (1, CLIENTS):
                with etcd() as (servers, ports):
                    before, mine = servers.cpu_s(), client_cpu_s()
                    took = asyncio.run(etcd_clients(ports, clients, seconds))
                    note(f"etcd, {clients} client{'s' * (clients > 1)}", summary(took, seconds), servers.cpu_s() - before, client_cpu_s() - mine)
        for clients in (1, CLIENTS):
            rate, p50, p99, cpu_s = pysyncobj(clients, seconds)
            note(f"PySyncObj 2 ms, {clients} client{'s' * (clients > 1)}", (rate, p50, p99), cpu_s, 0.0)
    print(f"append of 256 bytes and fdatasync: p50 {median(syncs) * 1e6:.0f} us")
    print(f"{'':28} {'writes/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'p50 in syncs':>13} {'server us':>10} {'client us':>10}")
    for name, all_rounds in results.items():
        rate, p50, p99, servers_s, clients_s = (median(column) for column in zip(*all_rounds, strict=True))
        print(f"{name:28} {rate:9.0f} {p50 * 1e3:8.2f} {p99 * 1e3:8.2f} {p50 / median(syncs):13.1f} {servers_s * 1e6:10.0f} {clients_s * 1e6:10.0f}")


def million(writes: int = 1_000_000) -> None:
    """Memory, size of the folders and time to recover after many writes."""
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as name:
        folder, ports = Path(name), free_ports(6)
        servers = Servers(our_nodes(folder, ports), folder)
        try:
            port = our_leader(ports)
            empty = max(servers.rss_bytes())
            rate, p50, p99 = redis_benchmark(port, writes, "-P", "8")
            print(f"{writes:,} writes of 100,000 keys, {CLIENTS} clients, 8 at a time each: {rate:,.0f} a second, p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms")
            print(f"memory of a node: {empty / 1e6:.0f} MB empty, {max(servers.rss_bytes()) / 1e6:.0f} MB now")
            time.sleep(2)
            sizes = [sum(f.stat().st_size for f in (folder / f"n{k}").rglob("*") if f.is_file()) for k in range(3)]
            print(f"folder of a node: {max(sizes) / 1e6:.0f} MB")
            servers.kill()
            begin = time.perf_counter()
            servers = Servers(our_nodes(folder, ports), folder)
            our_leader(ports)
            print(f"after kill -9 of all: {time.perf_counter() - begin:.2f} s until a write is acknowledged; memory of a node {max(servers.rss_bytes()) / 1e6:.0f} MB")
        finally:
            servers.kill()


def main() -> None:
    if sys.argv[1:2] == ["--pysyncobj"]:
        own, *others, clients, seconds = sys.argv[2:]
        pysyncobj_node(own, others, int(clients), float(seconds))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--million", action="store_true")
    arguments = parser.parse_args()
    if arguments.million:
        million()
    else:
        compare(arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
