"""The scenarios in text files hold, and those that a bug would change do change: see `impl/sim/script.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutator.impl.sim.player import COMMANDS, PREPARATIONS
from scrutator.impl.sim.script import Broken, Malformed, ScriptError, Unmet, lines, play

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))

# Broken parts, the scenario in which it shows, the line, and what is seen there.
SHOWN = [
    ("change_before_commit", "change_of_2015", "pass a>d", "leader completeness: a leads in term 4 without entry 2 of term 3"),
    ("commit_alone", "figure_8", "pass e>c,d", "leader completeness: e leads in term 3 without entry 2 of term 2"),
    ("commit_old_terms", "figure_8", "elect e", "leader completeness: e leads in term 5 without entry 2 of term 2"),
    ("elect_anybody", "figure_7", "expect vote c nobody", "expected vote of c to be 'nobody', it is 'l'"),
    ("elect_by_half", "split_vote", "elect a b", "election safety: b and a lead in term 1"),
    ("joint_counts_one_majority", "joint_1_not_stored", "expect members a a b c to c d e", "it is 'c d e'"),
    ("joint_counts_the_union", "joint_1_not_stored", "expect members a a b c to c d e", "it is 'c d e'"),
    ("learner_counts", "learner", "expect x = nothing", "it is 'done'"),
    ("lease_from_the_answer", "leases_begin_with_the_question", "read a x by lease => nothing", "it is '1'"),
    ("lease_without_drift", "leases", "read a x by lease => nothing", "it is '1'"),
    ("local_reads", "stale_leader_unaware", "read a x by index as old => nothing", "it is '1'"),
    ("pre_vote_bumps_term", "rejoin_with_pre_vote", "propose a x=1 => done", "it is 'refused: not the leader'"),
    ("reply_before_sync", "torn_tail", "expect log b 1 1 1", "it is '1 1'"),
    ("skip_consistency_check", "figure_7", "elect l", "log matching: f stores entry 11 of term 8"),
    ("torn_refused", "torn_tail", "expect log b 1 1", "it is 'down'"),
    ("vote_in_memory", "restart_of_all", "expect vote c a", "expected vote of c to be 'a', it is 'nobody'"),
    ("vote_twice", "split_vote", "elect a b", "election safety: b and a lead in term 1"),
]  # fmt: skip


def text_of(name: str) -> str:
    return (Path(__file__).parent / "scenarios" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    play(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize(("mutant", "scenario", "line", "what"), SHOWN)
def test_a_broken_part_shows(mutant: str, scenario: str, line: str, what: str) -> None:
    text = text_of(scenario)
    with pytest.raises((Unmet, Broken)) as error:
        play(text, scenario, mutant)
    assert text.splitlines()[error.value.line - 1].partition("#")[0].split() == line.split()
    assert what in error.value.what


def test_a_scenario_is_deterministic() -> None:
    for path in SCENARIOS:
        text = path.read_text(encoding="utf-8")
        assert list(play(text).story) == list(play(text).story)


def test_every_command_is_in_some_scenario() -> None:
    used = {line.command for path in SCENARIOS for line in lines(path.read_text(encoding="utf-8"))}
    assert used == {*PREPARATIONS, *COMMANDS}


WRONG = [
    ("elekt a", "1: there is no command 'elekt': choose of servers, "),
    ("servers a b\n\nelect c", "3: there is no server 'c': choose of a b"),
    ("# nothing", "1: there is no command"),
    ("elect a", "1: name the servers first"),
    ("spares a", "1: name the servers first"),
    ("servers a\nelect a\nservers b", "3: servers must come before the first command that does something"),
    ("servers a b\nrun fast", "2: run 'fast' cannot be read; such lines look like: run 500ms"),
    ("servers a b\ncut a", "2: 'a' is no link: write a>b"),
    ("servers a b\ncut a>c", "2: there is no server 'c'"),
    ("servers a\nexpect leadr a", "2: there is no fact 'leadr': choose of leader, leaders, role"),
    ("servers a\nexpect p = done", "2: there is no fact 'p'"),
    ("servers a\nexpect log a", "2: write what log is expected to be"),
    ("servers a\nelect a => done", "2: elect has no answer that could be expected"),
    ("servers a\n=> done", "2: an answer needs a command before it"),
    ("servers a\noption pre_vote 3", "2: pre_vote is on or off, not '3'"),
    ("servers a\noption speed 3", "2: there is no option 'speed': choose of election_timeout_s"),
    ("servers a\ngiven b log 1", "2: there is no server 'b'"),
    ("servers a\nrun 4000s", "2: run at most an hour"),
    ("servers a a", "1: every server needs a name of its own"),
    ("servers a\ngiven a log 2 1", "2: terms in a log begin with 1 and do not decrease"),
    ("servers a\noption heartbeat_s 0", "2: heartbeat_s is at least 0.01"),
    ("servers a\noption inflight 0", "2: inflight is at least 1"),
    ("servers a\noption drift 1", "2: drift is less than 1"),
    ("servers a\nrate a 0", "2: a clock runs at 0.1 to 10 times the time"),
    ("servers a b\nchange a to a a", "2: a server is named twice"),
]


@pytest.mark.parametrize(("text", "what"), WRONG)
def test_a_line_that_is_wrong_is_named(text: str, what: str) -> None:
    with pytest.raises(Malformed) as error:
        play(text, "it.txt")
    assert str(error.value).startswith(f"it.txt:{what}")


WORDS = ("a", "b", "z", "all", "x=1", "by", "index", "to", "learners", "in one step", "as", "=>", "1", "2s", "a>b", "*-*", "keeping", "=", "#")
COMMAND_LINES = sorted(
    {f"{line.command} {line.rest}" for path in SCENARIOS for line in lines(path.read_text(encoding="utf-8")) if line.command in COMMANDS}
)
NONSENSE = st.tuples(st.sampled_from([*COMMANDS, *PREPARATIONS]), st.lists(st.sampled_from(WORDS), max_size=6))


@given(st.lists(st.sampled_from(COMMAND_LINES) | NONSENSE.map(lambda line: " ".join([line[0], *line[1]])), max_size=40))
@settings(max_examples=100, deadline=None)
def test_whatever_the_commands_they_are_played_or_named(commands: list[str]) -> None:
    """Lines that are wrong go, one after the other; no order of the others breaks an invariant."""
    while True:
        try:
            play("\n".join(["servers a b c d e", *commands]))
            return
        except (Malformed, Unmet) as error:
            del commands[error.line - 2]


def test_an_unmet_expectation_says_what_is_and_what_happened() -> None:
    with pytest.raises(ScriptError) as error:
        play("servers a b c\nelect a\nexpect leader b in term 1", "it.txt")
    first, *story = str(error.value).splitlines()
    assert first == "it.txt:3: expected the leader to be 'b in term 1', it is 'a in term 1'"
    assert any("a  LEADS in term 1" in line for line in story)


def test_an_unknown_mutant_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no mutant 'nobody': choose of reply_before_sync"):
        play("servers a", mutant="nobody")
