"""Rows of systems side by side, strategies by definition, workloads of roles."""

from __future__ import annotations

import pytest

from scrutator.checker.quorum.cost import (
    Limits,
    compare,
    given,
    optimal,
    table,
    uniform,
    workload,
    workload_of,
)
from scrutator.checker.quorum.programme import TimedOut
from scrutator.model.quorums import Node, QuorumError, QuorumSystem, parse_system

GRID = parse_system("read = a*b*c + d*e*f; write = dual", rules=("read-write",))
MAJORITY = parse_system("read = majority(a, b, c, d, e, f); write = dual", rules=("read-write",))


def test_rows_are_in_the_order_given_and_say_what_cannot_be() -> None:
    rows = compare([GRID, MAJORITY], workload(0.25))
    assert [row.resilience for row in rows] == [{"read": 1, "write": 2}, {"read": 2, "write": 3}]
    assert [row.smallest for row in rows] == [{"read": 3, "write": 2}, {"read": 4, "write": 3}]
    assert rows[0].costs is not None and rows[0].costs.load == pytest.approx(3 / 8)
    cells = table(rows)
    assert cells[1][1:3] == ("0.375", "2.667") and cells[1][5] == "read 1, write 2" and cells[2][7] == "optimal to 1e-09"
    limited = compare([GRID, MAJORITY], workload(0.25), limits=Limits(network=2.5))
    assert limited[0].costs is not None and limited[1].costs is None
    assert "network is at least 3.25" in limited[1].note and table(limited)[2][1] == "-"


def test_a_system_without_work_has_that_of_its_roles() -> None:
    assert workload_of(parse_system("quorum = majority(a, b, c)")).roles == ("quorum",)
    assert workload_of(GRID).fractions == ((0.5, 1.0),)
    assert workload_of(parse_system("phase1 = a*b; phase2 = a + b"), 0.25).roles == ("phase1", "phase2")
    joint = QuorumSystem("odd", {"left": Node("a"), "right": Node("a")})
    with pytest.raises(QuorumError, match="which two of the roles left, right"):
        workload_of(joint)
    assert workload_of(joint, 1.0, ("left", "right")).roles == ("left",)
    with pytest.raises(QuorumError, match="no role up"):
        workload_of(joint, 1.0, ("left", "up"))


@pytest.mark.parametrize(("reads", "message"), [(1.5, "between 0 and 1"), ({0.5: -1}, "weights are 0 or more"), ({}, "no weight"), ({0.1: 0}, "no weight")])
def test_workloads_that_make_no_sense(reads: float | dict[float, float], message: str) -> None:
    with pytest.raises(QuorumError, match=message):
        workload(reads)


def test_strategies_that_make_no_sense() -> None:
    work = workload(0.5)
    with pytest.raises(QuorumError, match=r"\{a, b\} is not a read quorum"):
        given(GRID, work, {"ab": 1}, {"ad": 1})
    with pytest.raises(QuorumError, match="weight of the write quorum"):
        given(GRID, work, {"abc": 1}, {"ad": -1})
    with pytest.raises(QuorumError, match="without read quorums"):
        given(GRID, work, {}, {"ad": 1})
    with pytest.raises(QuorumError, match="optimise what"):
        optimal(GRID, work, optimise="price")
    with pytest.raises(QuorumError, match="a limit of the load while"):
        optimal(GRID, work, limits=Limits(load=1))
    with pytest.raises(QuorumError, match="is above 0"):
        Limits(network=0)
    with pytest.raises(QuorumError, match="contains a read quorum after any 4"):
        optimal(GRID, work, spare=4)


def test_use_of_nodes() -> None:
    chosen = given(GRID, workload(0.25), {"abc": 2, "def": 1}, {"ad": 1, "be": 1, "cf": 1})
    used, through = chosen.utilisation(workload(0.25)), chosen.throughput(workload(0.25))
    assert used["a"] == pytest.approx(1) and used["d"] == pytest.approx(4 / 5)
    assert through["a"] == pytest.approx(1) and through["d"] == pytest.approx(4 / 5)  # all capacities are 1
    even = uniform(MAJORITY, workload(0.5))
    assert even.load(workload(1)) == pytest.approx(4 / 6) and even.network(workload(0)) == pytest.approx(3)


def test_time_is_up_after_a_strategy_is_known() -> None:
    many = [Node(f"n{k}", write_capacity=100 + 7 * k % 31) for k in range(60)]
    from scrutator.model.quorums import weighted

    system = QuorumSystem("heavy", {"quorum": weighted(300, [(1 + k % 17, node) for k, node in enumerate(many)])})
    found = optimal(system, timeout_s=0.0)
    assert 0 < found.gap and found.proof.startswith("within") and found.bound <= found.value


def test_what_tangled_systems_survive_is_given_up_in_time() -> None:
    """Every node is in many of the majorities, so that their smallest blocking set takes a search."""
    groups = (", ".join(f"n{(7 * k * k + k * j + j * j) % 40}" for j in range(9)) for k in range(21))
    system = parse_system(f"majority({', '.join(f'majority({group})' for group in groups)})")
    with pytest.raises(TimedOut):
        compare([system], timeout_s=0.001)
