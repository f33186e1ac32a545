"""Raft with quorums that are not majorities: what the quorum verifier proves holds here, what it refutes breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scrutator.checker.quorum.verify import verify
from scrutator.checker.verdict import Verdict
from scrutator.impl.raft import Configuration, configuration
from scrutator.impl.sim.run import run
from scrutator.impl.sim.setup import Setup
from scrutator.model.quorums import QuorumSystem, nodes, parse, with_rules

RUNS = 12


@dataclass(frozen=True, slots=True)
class Chosen(Setup):
    """A setup with quorums of its own."""

    election: str = "majority"
    commit: str = "majority"

    @property
    def configuration(self) -> Configuration:
        return configuration(self.initial, election=self.election, commit=self.commit)


def system(setup: Chosen) -> QuorumSystem:
    """The same quorums for the verifier."""
    everyone = nodes(setup.initial)
    return with_rules("raft", {"election": parse(setup.election, everyone=everyone), "commit": parse(setup.commit, everyone=everyone)})


def test_what_is_proved_holds() -> None:
    for election, commit in (("4", "2"), ("weighted(6, 3*n1, 3*n2, 2*n3, n4, n5)", "weighted(5, 3*n1, 3*n2, 2*n3, n4, n5)")):
        setup = Chosen(vary=False, seconds=15, faults="kill,partition", election=election, commit=commit)
        assert verify(system(setup)).verdict is Verdict.HOLDS
        assert all(run(seed, setup).violation is None for seed in range(RUNS))


def test_what_is_refuted_breaks() -> None:
    setup = Chosen(vary=False, seconds=15, faults="kill,partition", election="3", commit="2")
    assert verify(system(setup)).verdict is Verdict.VIOLATED
    assert any(run(seed, setup).violation is not None for seed in range(10 * RUNS))


def test_swarms_draw_quorums_of_other_sizes() -> None:
    drawn = replace(Setup(), flexible=True)
    assert drawn.configuration.members.election == "4" and drawn.configuration.members.commit == "2"
    assert run(1, replace(drawn, vary=False, seconds=5)).violation is None
