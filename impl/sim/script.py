"""Scenarios as text: one command a line, played on a `Stage`, with what is expected between the commands.

The law: a scenario is deterministic, and ends at the first line that is wrong: one that cannot be read, one
whose expectation is not met, or one at which an invariant breaks.  After every command but ``run``, all that
follows from it has happened, and no time has passed.

    servers a b c            the first members; the first command but `option`, `spares` and `given`
    spares d e               further servers, of whom the first members know nothing
    option pre_vote on       also check_quorum, both are off else; drift 0.1; election_timeout_s 2
    given a log 1 2 term 3   what lies on a's disk: the terms of its entries, its term, its vote
    elect a                  its election timer runs out; so do those of several at once: elect a b
    beat a                   its heartbeat timer runs out
    propose a x=1 y+=2       put and append, at a; with `as p` the answer is expected later
    read a x by lease as r   or by index
    change a to b c d        at a; then may follow: learners e, in one step, staying joint
    leave a                  a joint configuration that stays
    transfer a to b          hand leadership over
    compact a                replace what is applied by a snapshot
    run 500ms                let time pass: timers run out, a server's the later the later its name was given
    cut a>b, a-c, a,b-*      lose what is sent: one way, both ways, between groups
    mend a>b                 undo it; without links, for all
    hold a>b                 keep what is sent waiting
    pass a>b, drop a>b       deliver what waits, or lose it, and go on holding
    release a>b              deliver what waits, and hold no more
    crash a, restart a       also of several; `crash a keeping 20 bytes` of what was not synced
    stick a                  from now on nothing that a writes becomes durable, until it restarts
    pause a, resume a        stand still
    clock a +2s, rate a 1.1  the clock shows a later time; it runs faster

A command's answer may be expected on its line, ``propose b x=1 => refused``; ``nothing`` is one that has
not come.  A fact is expected of the cluster, of one server, of several, or of ``all`` that run:

    expect leader a in term 2     also: expect leader nobody; expect leaders a b, all who think they lead
    expect log b 1 1 2            the terms by position; (3) stands for a snapshot of three entries
    expect committed all 3        also role, term, vote, follows, members, status
    expect members a a b to c d   joint
    expect value all x = 1        in the state machine
    expect p = done               the answer to what was asked ``as p``
"""

from __future__ import annotations

import re

from scrutator.impl.sim.invariants import Violated
from scrutator.impl.sim.mutants import MUTANTS
from scrutator.impl.sim.player import COMMANDS, PREPARATIONS, Differs, Line, Player, Unreadable, Wrong
from scrutator.impl.sim.stage import Stage

LINES_MAX = 10_000


class ScriptError(Exception):
    """A line of a scenario cannot be read, is not met, or breaks an invariant."""

    def __init__(self, file: str, line: int, what: str, story: str = "") -> None:
        super().__init__(f"{file}:{line}: {what}" + (f"\n{story}" if story else ""))
        self.file, self.line, self.what = file, line, what


class Malformed(ScriptError):
    """A line is not in the language, or names what there is not."""


class Unmet(ScriptError):
    """Something else is the case than what is expected."""


class Broken(ScriptError):
    """An invariant does not hold any more."""


def lines(text: str, file: str = "scenario") -> list[Line]:
    """The commands of a scenario; raises `Malformed`.

    >>> lines("elect a  # stands\\n\\npropose a x=1 => done")[1]
    Line(number=3, command='propose', rest='a x=1', answer='done')
    """
    found = []
    for number, raw in enumerate(text.splitlines(), 1):
        if number > LINES_MAX:
            raise Malformed(file, number, f"a scenario has at most {LINES_MAX} lines: split it")
        line, arrow, answer = re.sub(r"(^|\s)#.*", "", raw).partition("=>")
        words = line.split(maxsplit=1)
        if not words:
            if arrow:
                raise Malformed(file, number, "an answer needs a command before it")
            continue
        if words[0] not in COMMANDS and words[0] not in PREPARATIONS:
            raise Malformed(file, number, f"there is no command {words[0]!r}: choose of {', '.join((*PREPARATIONS, *COMMANDS))}")
        rest = " ".join(words[1].split()) if len(words) == 2 else ""
        found.append(Line(number, words[0], rest, " ".join(answer.split()) if arrow else None))
    return found


def play(text: str, file: str = "scenario", mutant: str | None = None) -> Stage:
    """Play a scenario to its end, with a broken part if a ``mutant`` is named; raises `ScriptError`.

    >>> play("servers a b c\\nelect b\\nexpect leader b in term 1").world.now
    0
    """
    if mutant is not None and mutant not in MUTANTS:
        raise ValueError(f"there is no mutant {mutant!r}: choose of {', '.join(MUTANTS)}")
    player = Player(mutant)
    commands = lines(text, file)
    if not commands:
        raise Malformed(file, 1, "there is no command: a scenario begins with its servers")
    for line in commands:
        try:
            player.play(line)
        except Unreadable:
            what = f"{line.command} {line.rest!r} cannot be read; such lines look like: {usage(line.command)}"
            raise Malformed(file, line.number, what) from None
        except Wrong as error:
            raise Malformed(file, line.number, str(error)) from None
        except Differs as error:
            raise Unmet(file, line.number, str(error), player.story()) from None
        except Violated as error:
            raise Broken(file, line.number, str(error), player.story()) from error
    try:
        return player.stage()
    except Wrong as error:
        raise Malformed(file, commands[-1].number, str(error)) from None


def usage(command: str) -> str:
    """The example of a command in the description of the language."""
    examples = re.findall(rf"^    (.*?\b{command} \S.*?)(?: {{2,}}|$)", __doc__ or "", flags=re.MULTILINE)
    return examples[0] if examples else command
