"""Results made by hand, one for each thing a report must show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scrutator.checker.explore.result import ActionCoverage, PropertyKind, PropertyResult, Result, Step, Trace
from scrutator.checker.verdict import Verdict

FIELDS = ("resource", "transaction", "net")


def step(action: str, *changes: str, fault: bool = False, **parameters: str) -> Step:
    state = tuple((name, "...") for name in FIELDS)
    return Step(action, tuple(parameters.items()), changes, state, "00ff", fault)


COUNTEREXAMPLE = Trace(
    (
        step(
            "initial state",
            "resource = [rm1: WORKING, rm2: WORKING]",
            "transaction = INIT",
            "net = {}",
        ),
        step("prepare", "resource[rm1]: WORKING -> PREPARED", "net: + Prepared(manager=rm1)", i="rm1"),
        step("lose", "net: - Prepared(manager=rm1)", fault=True, m="Prepared(manager=rm1)"),
        step("commit_without_all", "transaction: INIT -> COMMITTED", "net: + Decision(commit=True)"),
        step("stutter"),
        step(
            "obey",
            "resource[rm2]: WORKING -> COMMITTED after a change whose description is so long that it must be wrapped "
            "on any terminal of the usual width",
            i="rm2",
            m="Decision(commit=True)",
        ),
    ),
    shortest=True,
)
WITNESS = Trace(
    (step("initial state", "transaction = INIT"), step("decide", "transaction: INIT -> DONE")), shortest=False
)

CONSISTENT = PropertyResult(
    "consistent", PropertyKind.INVARIANT, Verdict.HOLDS, "No two resource managers end differently."
)
DONE = PropertyResult("done", PropertyKind.REACHABLE, Verdict.HOLDS, "The transaction can end.", WITNESS)

HOLDS = Result(
    model="two-phase-commit",
    bounds=(("managers", "7"),),
    mutant=None,
    engine="compiled",
    search="bfs",
    workers=2,
    symmetry=(),
    seed=None,
    properties=(CONSISTENT, DONE),
    distinct=296_448,
    generated=2_744_706,
    depth=23,
    levels=(1, 8, 120, 4_000, 60_000, 120_000, 80_319, 30_000, 2_000),
    actions=(
        ActionCoverage("decide_commit", 1, 1),
        ActionCoverage("prepare", 448_000, 200_000),
        ActionCoverage("crash", 0, 0),
    ),
    seconds=0.42,
    compile_seconds=1.3,
    memory_bytes_peak=96 * 2**20,
    collision_odds=2.4e-9,
    exhaustive=True,
    limit=None,
)
VIOLATED = replace(
    HOLDS,
    mutant="commit_without_all",
    properties=(
        replace(
            CONSISTENT,
            verdict=Verdict.VIOLATED,
            trace=COUNTEREXAMPLE,
            doc="No two resource managers end differently.\n\nGray and Lamport 2006, section 3.",
        ),
        DONE,
    ),
    exhaustive=False,
    limit="the first violation",
    distinct=77,
    generated=140,
    depth=6,
    levels=(1, 8, 68),
)
CUT = replace(
    HOLDS,
    model="raft",
    bounds=(
        ("servers", "5"),
        ("terms", "3"),
        ("log_length", "3"),
        ("in_flight", "4"),
        ("quorums", "majority"),
    ),
    properties=(
        PropertyResult("election_safety", PropertyKind.INVARIANT, Verdict.UNKNOWN, "One leader a term."),
        PropertyResult(
            "leader_append_only",
            PropertyKind.STEP_INVARIANT,
            Verdict.UNKNOWN,
            note="holds in the states explored",
        ),
    ),
    distinct=1_234_567_890,
    generated=9_876_543_210,
    depth=41,
    levels=tuple(1 + k * k * 10 for k in range(60)),
    seconds=3_601.5,
    exhaustive=False,
    limit="timeout_s=3600",
    truncations=(("net", 1_048_576), ("log[s1]", 1)),
    collision_odds=0.041,
    symmetry=("server", "value"),
)
VACUOUS = replace(
    HOLDS,
    model="paxos",
    bounds=(),
    vacuous=("done is never reached", "action decide never fires"),
    properties=(replace(DONE, verdict=Verdict.HOLDS, trace=None),),
)
UNREACHED = replace(
    HOLDS,
    model="mutex",
    properties=(replace(DONE, verdict=Verdict.VIOLATED, trace=None, note="never happens"),),
    vacuous=("done is never reached",),
)
WALKED = replace(
    HOLDS,
    model="mutex",
    properties=(replace(CONSISTENT, verdict=Verdict.UNKNOWN), DONE),
    search="simulate",
    seed=7,
    exhaustive=False,
    levels=(),
    collision_odds=0.0,
)
HOSTILE = replace(
    VIOLATED,
    model="evil\x1b]0;owned\x07",
    bounds=(("n\n", "\u202e3"),),
    mutant="[bold]mutant[/bold] :smile:",
    engine="\x9b31m",
    limit=None,
    properties=(
        PropertyResult(
            "p\rq",
            PropertyKind.INVARIANT,
            Verdict.VIOLATED,
            "doc \x1b[31m red\u2028line",
            Trace((step("a\x00b", "x\ty\x1b[2J", z="\ud800"),), shortest=False),
            "note\x7f",
        ),
    ),
    actions=(ActionCoverage("act\x1b[1m", 0, 0),),
    symmetry=("s\x1b",),
    truncations=(("net\x1b", 2),),
    vacuous=("why\x1b",),
)


@pytest.fixture
def results() -> dict[str, Result]:
    """The results by what they show."""
    return {
        "holds": HOLDS,
        "violated": VIOLATED,
        "cut": CUT,
        "vacuous": VACUOUS,
        "unreached": UNREACHED,
        "walked": WALKED,
        "hostile": HOSTILE,
    }
