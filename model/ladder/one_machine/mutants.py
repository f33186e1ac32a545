"""One machine, with one mistake each: what breaks which property."""

from __future__ import annotations

from scrutator.model.ladder.one_machine.model import SPEC, State, may_write, save, write_down


@SPEC.mutant(replaces=may_write, breaks="replay_is_short", bounds={"failures": 1}, source="a log that nobody cuts")
def never_snapshots(s: State) -> bool:
    """The machine does not wait for a snapshot."""
    return True


@SPEC.mutant(replaces=write_down, breaks="no_phone_sold_twice", bounds={"failures": 1}, source="a log that is written after the answer")
def answers_before_writing(s: State, owner: int | None) -> None:
    """The machine answers from memory, and would write later."""
    s.owner = owner


@SPEC.mutant(replaces=save, breaks="same_as_before_the_crash", bounds={"failures": 1}, source="a log that is cut before the snapshot is on disk")
def cuts_without_saving(s: State) -> None:
    """The log is cut, and the snapshot was not saved."""
