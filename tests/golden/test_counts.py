"""State counts that other checkers found on the same protocols: ours must be equal.

Counted by TLC on equivalent TLA+ specifications, unless a table says otherwise.  *Depth*
counts the initial state as level 1; *generated* counts the initial state and the successor
of every enabled action instance.  Under symmetry TLC's depth depends on the order of its
exploration, so that depths of those rows are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from scrutator.checker.explore.check import CheckOptions, check
from scrutator.checker.explore.result import Result
from scrutator.checker.verdict import Verdict

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    model: str
    bounds: dict[str, object]
    distinct: int
    generated: int | None  # None: unpublished, or counted once for each reason of a step, which we count once
    depth: int | None
    symmetry: bool = False

    @property
    def id(self) -> str:
        bounds = ",".join(f"{name}={value}" for name, value in self.bounds.items())
        return f"{Path(self.model).name}[{bounds}]" + ("-symmetry" if self.symmetry else "")


def local(name: str) -> str:
    return str(HERE / name)


def paxos(acceptors: int, ballots: int, values: int, *counts: int, symmetry: bool = False) -> list[Row]:
    """Basic Paxos with majorities: the model written for counting, and the one we ship."""
    bounds: dict[str, object] = {"acceptors": acceptors, "ballots": ballots, "values": values}
    return [Row(model, bounds, *counts, symmetry=symmetry) for model in (local("bpaxos.py"), "paxos")]


def two_phase_commit(managers: int, *counts: int, symmetry: bool = False) -> Row:
    return Row("two-phase-commit", {"managers": managers}, *counts, symmetry=symmetry)


def small_raft(max_term: int, max_log: int, messages: int, distinct: int, generated: int, depth: int) -> Row:
    """The published count of generated states leaves the initial one out."""
    bounds: dict[str, object] = {"max_term": max_term, "max_log": max_log, "messages": messages}
    return Row(local("small_raft.py"), bounds, distinct, generated + 1, depth)


def raft_set(n: int, t: int, log: int, v: int, *counts: int, crashes: bool = False, symmetry: bool = False) -> Row:
    bounds: dict[str, object] = {"servers": n, "max_term": t, "max_log": log, "values": v, "crashes": crashes}
    return Row(local("raft_set.py"), bounds, *counts, symmetry=symmetry)


def stateright(spec: str, servers: int, clients: int, distinct: int) -> Row:
    """Stateright publishes unique states."""
    return Row(local("stateright.py") + f":{spec}", {"servers": servers, "clients": clients}, distinct, None, None)


def increment(distinct: int, *, symmetry: bool = False) -> Row:
    return Row(local("increment.py"), {"threads": 2}, distinct, None, None, symmetry=symmetry)


def ping_pong(most: int, duplication: bool, loss: bool, distinct: int) -> Row:
    bounds: dict[str, object] = {"max": most, "duplication": duplication, "loss": loss}
    return Row(local("ping_pong.py"), bounds, distinct, None, None)


ROWS = [
    *paxos(3, 1, 1, 41, 78, 9),
    *paxos(3, 1, 2, 73, 142, 9),
    *paxos(3, 2, 1, 1_681, 4_011, 17),
    *paxos(3, 2, 2, 3_921, 9_443, 17),
    *paxos(3, 2, 2, 443, 1_100, 17, symmetry=True),
    *paxos(3, 2, 3, 6_801, 16_483, 17),
    *paxos(3, 3, 1, 68_921, 178_648, 25),
    *paxos(3, 4, 1, 2_825_761, 7_721_621, 33),
    # TwoPhase of the TLA+ examples; 9 managers were counted by Stateright's `2pc`.
    two_phase_commit(3, 288, 1_146, 11),
    two_phase_commit(5, 8_832, 58_146, 17),
    two_phase_commit(5, 314, 2_048, 17, symmetry=True),
    two_phase_commit(7, 296_448, 2_744_706, 23),
    two_phase_commit(7, 920, 8_410, 23, symmetry=True),
    two_phase_commit(9, 10_340_352, 123_558_402, 29),
    # Paxos, Voting and PaxosCommit of the TLA+ examples: with every successor that TLC generates, and as we ship them.
    Row(local("tla_paxos.py"), {"acceptors": 3, "values": 2, "ballots": 2}, 3_921, 23_563, 17),
    Row(local("tla_voting.py"), {"acceptors": 3, "values": 2, "ballots": 3}, 6_752, 41_017, None),
    Row(local("tla_paxos_commit.py"), {"managers": 2, "acceptors": 3, "max_ballot": 1}, 1_321_761, 16_959_159, 28),
    Row("voting", {"acceptors": 3, "values": 2, "ballots": 3}, 6_752, None, None),
    # MCVoting, MCPaxos and TCommit of the TLA+ examples, as their manifests state.
    Row(local("tla_voting.py"), {"acceptors": 3, "values": 2, "ballots": 2}, 77, 451, 11, symmetry=True),
    Row("voting", {"acceptors": 3, "values": 2, "ballots": 2}, 77, None, 11, symmetry=True),
    Row("paxos", {"acceptors": 1, "values": 1, "ballots": 2}, 25, None, 9),
    Row(local("tla_tcommit.py"), {"managers": 3}, 34, 94, 7),
    Row("paxos-commit", {"managers": 2, "acceptors": 3, "max_ballot": 1}, 1_321_761, None, 28),
    small_raft(1, 1, 1, 3_933, 10_005, 22),
    small_raft(1, 1, 2, 59_010, 213_660, 27),
    small_raft(2, 1, 1, 108_154, 374_772, 34),
    small_raft(2, 1, 2, 3_787_756, 16_435_059, 42),
    raft_set(2, 2, 1, 1, 231, 269, 21),
    raft_set(2, 2, 2, 1, 2_647, 4_473, 30),
    raft_set(3, 1, 0, 1, 95, 163, 9),
    raft_set(3, 1, 1, 1, 788, 1_549, 18),
    raft_set(3, 1, 1, 1, 140, 273, 18, symmetry=True),
    raft_set(3, 1, 1, 2, 1_481, 2_935, 18),
    raft_set(3, 2, 0, 1, 2_805, 6_436, 14),
    raft_set(3, 2, 0, 1, 491, 1_129, 14, symmetry=True),
    raft_set(3, 1, 2, 1, 19_931, 77_497, 26),
    raft_set(3, 1, 2, 1, 56_289, 340_213, 28, crashes=True),
    stateright("SINGLE_COPY", 1, 2, 93),
    stateright("ABD", 2, 2, 544),
    stateright("PAXOS", 3, 1, 265),
    stateright("PAXOS", 3, 2, 16_668),
    stateright("PAXOS", 3, 3, 1_194_428),
    increment(13),
    increment(8, symmetry=True),
    ping_pong(1, True, True, 14),
    ping_pong(5, True, True, 4_094),
    ping_pong(5, True, False, 11),
    ping_pong(5, False, False, 11),
]
SMALL = [row for row in ROWS if row.distinct <= 2_000]


def compare(row: Row, result: Result) -> None:
    assert result.distinct == row.distinct
    assert row.generated is None or result.generated == row.generated
    assert row.depth is None or result.depth == row.depth
    assert not result.truncations
    assert result.verdict is Verdict.HOLDS


def name(row: Row) -> str:
    return row.id


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_compiled_engine_counts_as_others_do(row: Row) -> None:
    compare(row, check(row.model, bounds=row.bounds, options=CheckOptions(symmetry=row.symmetry)))


@pytest.mark.parametrize("row", SMALL, ids=name)
def test_python_engine_counts_as_others_do(row: Row) -> None:
    compare(row, check(row.model, bounds=row.bounds, options=CheckOptions(engine="python", symmetry=row.symmetry)))


SINGLE_COPIES = local("stateright.py") + ":SINGLE_COPY"


@pytest.mark.parametrize("engine", ["compiled", "python"])
def test_two_single_copies_are_not_linearizable(engine: str) -> None:
    """Stateright's counterexample: a put at one server, then a get from the other."""
    result = check(SINGLE_COPIES, bounds={"servers": 2, "clients": 2}, options=CheckOptions(engine=engine))
    (linearizable,) = (p for p in result.properties if p.name == "linearizable")
    assert linearizable.verdict is Verdict.VIOLATED
    assert linearizable.trace is not None
    assert [step.action for step in linearizable.trace.steps[1:]] == ["single_put", "put_returns", "single_get", "get_returns"]


@pytest.mark.parametrize("engine", ["compiled", "python"])
def test_two_single_copies_count_54_states_until_all_is_discovered(engine: str) -> None:
    """Stateright stops when it comes to a state that shows every discovery: the first of its level.

    So it has found that level and those before it, and none after.
    """
    result = check(
        SINGLE_COPIES,
        bounds={"servers": 2, "clients": 2},
        properties=("everything_discovered",),
        options=CheckOptions(engine=engine),
    )
    (discovered,) = result.properties
    assert discovered.trace is not None
    assert sum(result.levels[: len(discovered.trace) + 1]) == 54
