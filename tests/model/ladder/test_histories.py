"""What the registers' invariants say of behaviours is what the linearizability checker says of their histories.

The models speak of timestamps; a client sees prices only.  So behaviours are turned into what clients saw,
and judged by the other half of the project.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from scrutator.checker.explore.check import check
from scrutator.checker.explore.layout import decode
from scrutator.checker.linear.builder import Builder
from scrutator.checker.linear.check import check_linearizable
from scrutator.checker.linear.history import History
from scrutator.checker.verdict import Verdict
from scrutator.model.catalogue import load
from scrutator.model.ladder import Claim, rungs
from scrutator.model.language.interpret import Interpreter

# What a client sees in a state: for each operation that has begun, its method, the price that it writes, whether it
# has returned, and the price that it reads.
Seen = dict[int, tuple[str, Any, bool, Any]]


def seen_of_registers(s: Any, writes: int) -> Seen:
    found: Seen = {w: ("write", w, w in s.finished, None) for w in s.begun}
    for r in range(len(s.asked)):
        if len(s.asked[r]) > 0:
            found[100 + r] = ("read", None, r in s.returned, s.latest[r] or None)
    return found


def seen_of_abd(s: Any, writes: int) -> Seen:
    found: Seen = {}
    price = {s.stamp[o]: f"price {o}" for o in range(writes) if o in s.storing}
    for o in range(len(s.asked)):
        if len(s.asked[o]) > 0 or o in s.storing:
            returned = o in s.done
            found[o] = ("write", f"price {o}", returned, None) if o < writes else ("read", None, returned, price.get(s.stamp[o]))
    return found


SEEN: dict[str, Callable[[Any, int], Seen]] = {"registers": seen_of_registers, "abd": seen_of_abd}


def history_of(name: str, states: Iterable[Any], writes: int) -> History:
    """What clients saw of a behaviour."""
    builder = Builder("a behaviour", has_clock=False)
    called: set[int] = set()
    returned: set[int] = set()
    for state in states:
        for operation, (method, argument, is_over, result) in sorted(SEEN[name](state, writes).items()):
            if operation not in called:
                called.add(operation)
                builder.call(1, operation, method, argument, builder.tick())
            if is_over and operation not in returned:
                returned.add(operation)
                builder.returns(1, operation, result, builder.tick())
    return builder.history()


def claim_of(name: str, claim: str) -> Claim:
    return next(c for rung in rungs() if rung.name == name for c in rung.claims if c.name == claim)


@pytest.mark.parametrize(
    ("name", "claim", "expected"),
    [
        ("registers", "flicker", Verdict.VIOLATED),
        ("registers", "flicker_all_nodes", Verdict.VIOLATED),
        ("registers", "too_few", Verdict.VIOLATED),
        ("registers", "keeps_last_to_arrive", Verdict.VIOLATED),
        ("registers", "clock_loses_write", Verdict.VIOLATED),
        ("registers", "unfinished_surfaces", Verdict.HOLDS),  # by itself it may have happened: its writer never heard
        ("abd", "without_write_back", Verdict.VIOLATED),
        ("abd", "does_not_ask_first", Verdict.VIOLATED),
    ],
)
def test_what_clients_saw_of_a_counterexample(name: str, claim: str, expected: Verdict) -> None:
    told = claim_of(name, claim)
    spec = load(f"ladder/{name}")
    model = spec.bind(told.bounds, told.mutant)
    trace = check(spec, bounds=told.bounds, mutant=told.mutant, properties=(told.property,)).properties[0].trace
    assert trace is not None
    states = [decode(model.state, bytes.fromhex(step.encoded)) for step in trace.steps]
    assert check_linearizable(history_of(name, states, model.bounds["writes"]), "register").verdict is expected


INVARIANTS = {"registers": ("finished_writes_are_seen", "reads_never_go_back"), "abd": ("follows_real_time", "no_read_is_stale")}


@pytest.mark.parametrize(("name", "writes", "reads"), [("registers", 2, 3), ("abd", 1, 2), ("abd", 2, 2)])
def test_behaviours_that_keep_the_invariants_are_linearizable(name: str, writes: int, reads: int) -> None:
    spec = load(f"ladder/{name}")
    interpreter = Interpreter(spec.bind({"writes": writes, "reads": reads}))
    keeps = [p.function for p in interpreter.model.properties if p.name in INVARIANTS[name]]
    rng = random.Random(7)
    kept = 0
    for _ in range(40):
        states = walk(interpreter, rng)
        verdict = check_linearizable(history_of(name, states, writes), "register", explain=False).verdict
        if name == "abd" or all(interpreter.holds(f, state) for f in keeps for state in states):
            assert verdict is Verdict.HOLDS
            kept += 1
    assert kept > 0


def walk(interpreter: Interpreter, rng: random.Random) -> list[Any]:
    """The states of a behaviour at random, without faults, until nothing more can happen."""
    states = [next(interpreter.initial_states())]
    while True:
        following = [s.state for s in interpreter.successors(states[-1]) if not interpreter.model.actions[s.action].fault]
        if not following:
            return states
        states.append(rng.choice(following))
