"""How fast histories are decided, beside Porcupine on the same files at the same time.

    python tests/benchmarks/linear.py --generator gen_history.py                  # ours alone, some minutes
    python tests/benchmarks/linear.py --generator gen_history.py --porcupine porcupine-lin
    python tests/benchmarks/linear.py --generator gen_history.py --growth

The generator writes histories with known verdicts (``--type --clients --ops --rho --values
--crash --violate -o``).  ``peers/porcupine`` holds our driver of Porcupine, to be built
with Go and a checkout of it.  Each run is a process of its own, the two in turn.  Figures
are medians: of the whole process, and of reading and deciding alone; the ratio compares
the latter two.  "> 10 ms" and "gives up" of Porcupine are where the marks count: ten times
faster, and within two seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MEMORY_BYTES_MAX = 8 << 30
WARM_MAX = 100_000  # operations up to which a first, uncounted run loads what is loaded once: some 0.1 s

OURS = """
import json, resource, sys, time
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.formats import read
from scrutator.model.objects import find
path, of, explain, warm = sys.argv[1:]
if warm == "yes":  # load what is loaded once in a process
    check_linearizable(read(path), find(of), explain=explain == "yes")
began = time.perf_counter()
history = read(path)
loaded = time.perf_counter()
found = check_linearizable(history, find(of), explain=explain == "yes")
print(json.dumps({"verdict": found.verdict.value, "engines": list(found.engines), "load_s": loaded - began,
                  "check_s": time.perf_counter() - loaded, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


@dataclass(frozen=True)
class Work:
    """A kind of history, and its sizes."""

    name: str
    of: str
    options: tuple[str, ...]
    sizes: tuple[int, ...]


def work() -> list[Work]:
    few, crash, wide = ("--values", "5"), ("--crash", "0.01"), ("--clients", "50", "--rho", "0.9")
    long = (1000, 10_000, 100_000)
    return [
        Work("register, distinct values", "register", (), (*long, 1_000_000)),
        Work("register, 5 values", "register", few, long),
        Work("register, distinct, 1 % crashed", "register", crash, long),
        Work("register, 5 values, 1 % crashed", "register", (*few, *crash), long),
        Work("cas, 5 values", "register", ("--type", "cas", *few), long),
        Work("cas, 5 values, 1 % crashed", "register", ("--type", "cas", *few, *crash), long),
        Work("register, 50 clients, 45 at a time", "register", wide, (100, 1000, 100_000)),
        Work("register, 50 clients, 5 values", "register", (*wide, *few), (100, 1000, 100_000)),
        Work("kv, 100 keys", "kv", ("--type", "kv"), (*long, 1_000_000)),
        Work("kv, 100 keys, 50 clients", "kv", ("--type", "kv", "--clients", "50"), long),
        Work("kv, 5 values, 1 % crashed", "kv", ("--type", "kv", *few, *crash), long),
        Work("queue, 10 clients", "queue", ("--type", "queue"), (300, *long)),
        Work("queue, 300 clients", "queue", ("--type", "queue", "--clients", "300", "--rho", "0.9"), (3000,)),
        Work("queue, 2 clients", "queue", ("--type", "queue", "--clients", "2"), long),
        Work("stack, 4 clients", "stack", ("--type", "stack", "--clients", "4"), long),
        Work("set, 100 elements", "set", ("--type", "set"), long),
    ]


def generate(generator: Path, folder: Path, one: Work, size: int, bad: bool) -> Path:
    path = folder / "history.json"
    violate = ("--violate", "0.5") if bad else ()
    subprocess.run([sys.executable, generator, *one.options, "--ops", str(size), *violate, "-o", path], check=True)
    return path


def ours(path: Path, of: str, explain: str, *, warm: bool = False) -> dict[str, float | str | list[str]]:
    began = time.perf_counter()
    command = [sys.executable, "-c", OURS, path, of, explain, "yes" if warm else "no"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {**json.loads(done.stdout), "wall_s": time.perf_counter() - began}


def theirs(porcupine: Path, path: Path, timeout_s: float) -> dict[str, float | str] | None:
    """None if it ran out of time or memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))

    try:
        done = subprocess.run(
            [porcupine, str(timeout_s), path], capture_output=True, text=True, timeout=timeout_s + 10, preexec_fn=limit
        )
    except subprocess.TimeoutExpired:
        return None
    found: dict[str, float | str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found if found.get("verdict") in ("Ok", "Illegal") else None


def row(path: Path, one: Work, size: int, bad: bool, options: argparse.Namespace) -> str:
    runs, others = [], []
    for _ in range(options.repeat):
        runs.append(ours(path, one.of, "no", warm=size <= WARM_MAX))
        if options.porcupine:
            others.append(theirs(options.porcupine, path, options.timeout_s))
            if others[-1] is None:
                break
    cold = ours(path, one.of, "no")
    explained = ours(path, one.of, "yes") if bad else cold
    expected = "violated" if bad else "holds"
    wrong = "" if all(run["verdict"] == expected for run in runs) else " WRONG"
    mine = median([float(run["load_s"]) + float(run["check_s"]) for run in runs])
    text = f"{one.name:36} {size:>9,} {expected:9}{wrong} {mine:8.3f} {float(cold['wall_s']):7.2f}"
    text += f" {float(explained['wall_s']):7.2f} {max(float(r['memory']) for r in runs) / 2**20:6.0f}  {'+'.join(runs[0]['engines']):8}"
    if not options.porcupine:
        return text
    if others[-1] is None:
        return f"{text} gives up  {'ok' if mine <= 2 else 'MISSED'}"
    peer = median([float(o["load_s"]) + float(o["check_s"]) for o in others if o])
    mark = "" if peer < 0.01 else "ok" if peer >= 10 * mine else "MISSED"
    return f"{text} {peer:8.3f} {peer / mine:7.1f}x {mark}"


def median(values: list[float]) -> float:
    return statistics.median(values)


def growth(generator: Path, folder: Path) -> None:
    print(f"{'growth':36} {'ops':>11}   load_s  check_s     MB")
    for one in (w for w in work() if w.name in ("register, distinct values", "kv, 100 keys")):
        for size in (10**3, 10**4, 10**5, 10**6, 10**7):
            found = ours(generate(generator, folder, one, size, bad=False), one.of, "no")
            memory = float(found["memory"]) / 2**20
            print(f"{one.name:36} {size:>11,} {found['load_s']:8.3f} {found['check_s']:8.3f} {memory:6.0f}  {found['verdict']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", type=Path, required=True, help="what writes histories")
    parser.add_argument("--porcupine", type=Path, help="our driver of Porcupine, built")
    parser.add_argument("--timeout-s", type=float, default=20.0, help="for Porcupine")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sizes-max", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="work whose name holds this")
    parser.add_argument("--growth", action="store_true", help="how time grows with size, instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.growth:
            growth(options.generator, Path(folder))
            return
        print(f"{'work':36} {'ops':>9} {'verdict':9} {'s':>8} {'whole':>7} {'expl.':>7} {'MB':>6}  {'engine':8} {'porcupine':>8}")
        for one in work():
            for size in one.sizes:
                if size > options.sizes_max or options.only not in one.name:
                    continue
                for bad in (False, True):
                    path = generate(options.generator, Path(folder), one, size, bad)
                    print(row(path, one, size, bad, options), flush=True)


if __name__ == "__main__":
    main()
