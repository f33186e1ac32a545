"""The stage of the ladder: crashes take memory and leave disks, and the tape decides everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from scrutator.checker.commands.ladder_judge import variant_of
from scrutator.impl.ladder import Variant, designs, play
from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Message
from scrutator.impl.ladder.stage import Stage
from scrutator.impl.sim.network import Quality
from scrutator.impl.sim.tape import Tape
from scrutator.impl.sim.world import MILLISECOND
from scrutator.model.ladder import rungs, specs

CLAIMS = [pytest.param(rung.name, claim, id=f"{rung.name}-{claim.name}") for rung in rungs() for claim in rung.claims[:2]]


@dataclass(frozen=True, slots=True)
class Add(Message):
    number: int


class Counter(Actor):
    durable: ClassVar[tuple[str, ...]] = ("on_disk",)
    on_disk: int = 0

    def start(self) -> None:
        self.in_memory = 0

    def receive(self, src: str, message: Message) -> None:
        assert isinstance(message, Add)
        self.on_disk += message.number
        self.in_memory += message.number


def two_counters() -> tuple[Stage, Counter, Counter]:
    stage = Stage(Variant(), Tape())
    one, other = Counter(stage, "one"), Counter(stage, "other")
    one.begin()
    other.begin()
    return stage, one, other


def test_a_crash_takes_the_memory_and_leaves_the_disk():
    stage, one, other = two_counters()
    one.send("other", Add(3))
    stage.world.run(10 * MILLISECOND)
    assert (other.on_disk, other.in_memory) == (3, 3)
    other.crash()
    assert other.on_disk == 3 and not hasattr(other, "in_memory")
    other.restart()
    assert (other.on_disk, other.in_memory) == (3, 0)


def test_who_is_down_hears_nothing_and_its_timers_are_gone():
    stage, one, other = two_counters()
    rung: list[str] = []
    other.after(5, rung.append, "before the crash")
    other.crash()
    one.send("other", Add(3))
    stage.world.run(10 * MILLISECOND)
    other.restart()
    other.after(5, rung.append, "after it")
    stage.world.run(20 * MILLISECOND)
    assert other.on_disk == 0 and rung == ["after it"]


def test_a_send_and_its_receipt_are_told_together_and_a_lost_one_has_none():
    stage, one, _ = two_counters()
    one.send("other", Add(1))
    stage.world.run(10 * MILLISECOND)
    stage.network.quality = Quality(lost=1024)
    one.send("other", Add(2))
    stage.world.run(20 * MILLISECOND)
    assert [(e.kind, e.actor, e.peer, e.text, e.letter) for e in stage.events] == [
        ("send", "one", "other", "add 1", 1), ("receive", "other", "one", "add 1", 1), ("send", "one", "other", "add 2", 2),
    ]  # fmt: skip


def test_two_actors_need_two_names():
    stage, _, _ = two_counters()
    with pytest.raises(ValueError, match="two actors are called one"):
        Counter(stage, "one")


def test_a_bound_that_the_model_lacks_is_a_mistake():
    variant = Variant({"nodes": 3, "read": "rows([a, b], [c, d])"})
    with pytest.raises(KeyError, match="no bound buyers; it has nodes, read"):
        variant.number("buyers")
    with pytest.raises(TypeError, match="the bound read is a number"):
        variant.number("read")
    is_quorum = variant.quorum("read", ("n1", "n2", "n3", "n4"))
    assert is_quorum(["n1", "n2"]) and not is_quorum(["n2", "n3"])


@pytest.mark.parametrize(("rung", "claim"), CLAIMS)
def test_a_seed_is_its_events_and_so_is_its_tape(rung, claim):
    design, variant = designs()[rung], variant_of(specs()[f"ladder/{rung}"], claim)
    for seed in range(5):
        run = play(design, variant, seed)
        assert play(design, variant, seed) == run
        assert play(design, variant, tape=run.tape) == run
    assert play(design, variant, 1).events != play(design, variant, 2).events


@pytest.mark.parametrize(("rung", "claim"), CLAIMS)
def test_a_run_without_choices_is_benign(rung, claim):
    """Everybody who asks is answered, and nothing fails."""
    run = play(designs()[rung], variant_of(specs()[f"ladder/{rung}"], claim))
    assert not any(run.tape) and run.crashed == frozenset()
    assert run.asked_last and all(run.asked_last.values())


def test_a_history_is_one_that_the_checker_reads(tmp_path):
    from scrutator.checker.linear import History

    design, rung = designs()["basic_paxos"], next(r for r in rungs() if r.name == "basic_paxos")
    run = play(design, variant_of(specs()["ladder/basic_paxos"], rung.claims[0]), 3)
    path = tmp_path / "history.jsonl"
    path.write_text(run.history())
    history = History.read(path)
    assert len(history) == len(run.operations) > 2 and history.metadata["object"] == "phone"
