"""Carries out a scenario's commands, one by one; `script.py` describes the language.

The law: a command either does what its line says, or is wrong for a reason that its writer can mend; names,
links and times are checked before anything happens.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from scrutator.impl.raft import Configuration, ElectionTimeout, HeartbeatTimeout, Members, Options, Transfer
from scrutator.impl.sim import facts
from scrutator.impl.sim.network import Link
from scrutator.impl.sim.stage import Answer, Cast, Given, Stage, written
from scrutator.impl.sim.story import told

RUN_MAX_US = 3600 * 1_000_000
TOLD = 12  # lines of the story in an error


class Wrong(Exception):
    """What is wrong with the line at hand."""


class Unreadable(Wrong):
    """A line does not have the form of its command."""


class Differs(Exception):
    """How the line's expectation is not met."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command with its arguments, and the answer that is expected at once."""

    number: int
    command: str
    rest: str
    answer: str | None


class Player:
    """One scenario under way."""

    def __init__(self, mutant: str | None) -> None:
        self.mutant = mutant
        self.cast = Cast()
        self.answers: dict[str, Answer] = {}
        self._stage: Stage | None = None

    def stage(self) -> Stage:
        """The stage, which is set up once it is needed."""
        if self._stage is None:
            if not self.cast.members:
                raise Wrong("name the servers first: servers a b c")
            self._stage = Stage(self.cast, self.mutant)
        return self._stage

    def story(self) -> str:
        """What happened last."""
        return "" if self._stage is None else told(self._stage.story[-TOLD:])

    def play(self, line: Line) -> None:
        """Carry out a command and what follows from it, and look at its answer."""
        if line.command in PREPARATIONS:
            if self._stage is not None:
                raise Wrong(f"{line.command} must come before the first command that does something")
            pattern, prepare = PREPARATIONS[line.command]
            self.cast = prepare(self.cast, matched(line, pattern))
            return
        pattern, do = COMMANDS[line.command]
        answer = do(self, matched(line, pattern))
        self.stage().deliver()
        if line.answer is not None:
            if answer is None:
                raise Wrong(f"{line.command} has no answer that could be expected")
            compare("the answer", answer.text, line.answer)

    # --- arguments ------------------------------------------------------------------------

    def name(self, name: str) -> str:
        if name not in self.stage().hosts:
            raise Wrong(f"there is no server {name!r}: choose of {' '.join(self.stage().hosts)}")
        return name

    def names(self, text: str) -> list[str]:
        if text == "all":
            return list(self.stage().hosts)
        return [self.name(name) for name in text.replace(",", " ").split()]

    def links(self, text: str) -> list[Link]:
        """``a>b``, ``a-b``, ``a,b-c,d``, with ``*`` for all others; several with spaces or commas between."""
        found = []
        for part in re.sub(r"\s*([->])\s*", r"\1", text).split():
            match = re.fullmatch(r"([\w*,]+)([->])([\w*,]+)", part.strip(","))
            if match is None:
                raise Wrong(f"{part!r} is no link: write a>b for one way, a-b for both, a,b-c,d between groups, a-* with all others")
            left, right = self.side(match[1]), self.side(match[3])
            found += [(a, b) for a in left for b in right if a != b]
            if match[2] == "-":
                found += [(b, a) for a in left for b in right if a != b]
        return found

    def side(self, text: str) -> list[str]:
        return self.names("all" if text == "*" else text)

    def label(self, text: str | None, answer: Answer) -> Answer:
        if text:
            self.answers[text] = answer
        return answer

    # --- commands -------------------------------------------------------------------------

    def elect(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().tell_server(name, ElectionTimeout())

    def beat(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().tell_server(name, HeartbeatTimeout())

    def propose(self, m: re.Match[str]) -> Answer:
        answer = Answer()
        for command in m["commands"].split():
            key, op, value = re.split(r"(\+?=)", command, maxsplit=1)
            data = written(key, value, "append" if op == "+=" else "put")
            answer = self.stage().propose(self.name(m["at"]), data)
        return self.label(m["label"], answer)

    def read(self, m: re.Match[str]) -> Answer:
        return self.label(m["label"], self.stage().read(self.name(m["at"]), m["key"], m["way"]))

    def change(self, m: re.Match[str]) -> Answer:
        voters, learners = self.names(m["voters"]), self.names(m["learners"] or "")
        if len({*voters, *learners}) < len(voters) + len(learners):
            raise Wrong("a server is named twice")
        target = Configuration(Members(tuple(voters)), tuple(learners))
        answer = self.stage().change(self.name(m["at"]), target, single=bool(m["single"]), auto_leave=not m["joint"])
        return self.label(m["label"], answer)

    def leave(self, m: re.Match[str]) -> Answer:
        return self.label(m["label"], self.stage().leave(self.name(m["at"])))

    def transfer(self, m: re.Match[str]) -> None:
        self.stage().tell_server(self.name(m["at"]), Transfer(self.name(m["to"])))

    def compact(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().compact(name)

    def run(self, m: re.Match[str]) -> None:
        us = duration_us(m[1])
        if us > RUN_MAX_US:
            raise Wrong("run at most an hour")
        self.stage().pass_time(us)

    def cut(self, m: re.Match[str]) -> None:
        self.stage().cut(self.links(m[1]))

    def mend(self, m: re.Match[str]) -> None:
        self.stage().mend(self.links(m[1]) if m[1] else None)

    def hold(self, m: re.Match[str]) -> None:
        self.stage().network.hold(self.links(m[1]))

    def release(self, m: re.Match[str]) -> None:
        self.stage().network.hold_no_more(self.links(m[1]))

    def let_pass(self, m: re.Match[str]) -> None:
        if not self.stage().network.release(self.links(m[1])):
            raise Differs(f"nothing is held on {m[1]} that could pass")

    def drop(self, m: re.Match[str]) -> None:
        if not self.stage().network.drop(self.links(m[1])):
            raise Differs(f"nothing is held on {m[1]} that could be dropped")

    def crash(self, m: re.Match[str]) -> None:
        for name in self.names(m["names"]):
            self.stage().crash(name, int(m["bytes"] or 0))

    def restart(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().restart(name)

    def stick(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().stick(name)

    def pause(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().hosts[name].pause()

    def resume(self, m: re.Match[str]) -> None:
        for name in self.names(m[1]):
            self.stage().hosts[name].resume()

    def clock(self, m: re.Match[str]) -> None:
        self.stage().hosts[self.name(m[1])].clock.jump(duration_us(m[2]))

    def rate(self, m: re.Match[str]) -> None:
        if not 0.1 <= float(m[2]) <= 10:
            raise Wrong("a clock runs at 0.1 to 10 times the time")
        for name in self.names(m[1]):
            self.stage().hosts[name].clock.run_at(self.stage().world.now, round(float(m[2]) * 1_000_000))

    def expect(self, m: re.Match[str]) -> None:
        """Compare a fact, of the cluster, of an answer, or of servers."""
        fact, rest = m["fact"], m["rest"]
        if fact == "leader":
            compare("the leader", facts.leader(self.stage()), rest, or_before=" in term ")
        elif fact == "leaders":
            compare("the leaders", facts.leaders(self.stage()), rest)
        elif fact in facts.OF_SERVERS:
            self.expect_of_servers(fact, rest)
        elif fact in self.answers and rest.startswith("= "):
            compare(f"the answer to {fact}", self.answers[fact].text, rest[2:])
        else:
            known = ", ".join(("leader", "leaders", *facts.OF_SERVERS, *(f"{label} =" for label in self.answers)))
            raise Wrong(f"there is no fact {fact!r}: choose of {known}")

    def expect_of_servers(self, fact: str, rest: str) -> None:
        who, _, value = rest.partition(" ")
        key = ""
        if fact == "value":
            key, equals, value = value.partition(" = ")
            if not equals:
                raise Wrong("write: expect value a x = 1")
        elif not value:
            raise Wrong(f"write what {fact} is expected to be: expect {fact} a ...")
        names = self.names(who)
        hosts = [self.stage().hosts[name] for name in names]
        if who == "all" and fact != "status":
            hosts = [host for host in hosts if host.raft is not None]
        for host in hosts:
            compare(f"{fact} of {host.id}" + (f", key {key}," if key else ""), facts.of_server(fact, host, key), value)


# --- reading ----------------------------------------------------------------------------------


def matched(line: Line, pattern: str) -> re.Match[str]:
    """The arguments of a command."""
    match = re.fullmatch(pattern, line.rest)
    if match is None:
        raise Unreadable
    return match


def duration_us(text: str) -> int:
    """``500ms`` or ``2s``, in microseconds."""
    number, unit = re.fullmatch(r"\+?([\d.]+)(ms|s)", text).groups()  # type: ignore[union-attr]
    return round(float(number) * (1000 if unit == "ms" else 1_000_000))


def compare(what: str, found: str, expected: str, or_before: str = ":") -> None:
    """What is found must be what is expected, or that and more after a separator."""
    if found != expected and not found.startswith(expected + or_before):
        raise Differs(f"expected {what} to be {expected!r}, it is {found!r}")


def _servers(cast: Cast, m: re.Match[str]) -> Cast:
    return _unique(replace(cast, members=tuple(m[1].split())))


def _spares(cast: Cast, m: re.Match[str]) -> Cast:
    return _unique(replace(cast, others=tuple(m[1].split())))


def _unique(cast: Cast) -> Cast:
    if len(set(cast.names)) < len(cast.names) or "all" in cast.names:
        raise Wrong("every server needs a name of its own, other than all")
    return cast


def _option(cast: Cast, m: re.Match[str]) -> Cast:
    name, value = m[1], m[2]
    known = Options.__dataclass_fields__
    if name not in known:
        raise Wrong(f"there is no option {name!r}: choose of {', '.join(known)}")
    kind = type(getattr(cast.options, name))
    if (kind is bool) != (value in ("on", "off")):
        raise Wrong(f"{name} is {'on or off' if kind is bool else 'a number'}, not {value!r}")
    read = value == "on" if kind is bool else kind(float(value))
    if name.endswith("_s") and read < 0.01:
        raise Wrong(f"{name} is at least 0.01")
    if kind is int and read < 1:
        raise Wrong(f"{name} is at least 1")
    if name == "drift" and read >= 1:
        raise Wrong("drift is less than 1")
    return replace(cast, options=replace(cast.options, **{name: read}))


def _given(cast: Cast, m: re.Match[str]) -> Cast:
    if m["who"] not in cast.names:
        raise Wrong(f"there is no server {m['who']!r}: name the servers first")
    terms = tuple(map(int, (m["log"] or "").split()))
    if list(terms) != sorted(terms) or 0 in terms:
        raise Wrong("terms in a log begin with 1 and do not decrease")
    given = Given(terms, int(m["term"] or 0), m["vote"])
    return replace(cast, given={**cast.given, m["who"]: given})


_NAMES = r"(\w+(?:[ ,]+\w+)*)"
_LABEL = r"(?: as (?P<label>\w+))?"
_NUMBER = r"\d{1,9}(?:\.\d{1,9})?"
_TIME = rf"(\+?{_NUMBER}m?s)"

PREPARATIONS: dict[str, tuple[str, Callable[[Cast, re.Match[str]], Cast]]] = {
    "servers": (r"(\w+(?: \w+)*)", _servers),
    "spares": (r"(\w+(?: \w+)*)", _spares),
    "option": (rf"(\w+) (on|off|{_NUMBER})", _option),
    "given": (r"(?P<who>\w+)(?: log (?P<log>\d{1,9}(?: \d{1,9})*))?(?: term (?P<term>\d{1,9}))?(?: vote (?P<vote>\w+))?", _given),
}
COMMANDS: dict[str, tuple[str, Callable[[Player, re.Match[str]], Answer | None]]] = {
    "elect": (_NAMES, Player.elect),
    "beat": (_NAMES, Player.beat),
    "propose": (rf"(?P<at>\w+) (?P<commands>\w+\+?=\S+(?: \w+\+?=\S+)*){_LABEL}", Player.propose),
    "read": (rf"(?P<at>\w+) (?P<key>\w+) by (?P<way>index|lease){_LABEL}", Player.read),
    "change": (
        r"(?P<at>\w+) to (?P<voters>(?:(?!learners\b|in one\b|staying\b|as\b)\w+ ?)+?)(?: learners (?P<learners>\w+(?:, ?\w+)*))?"
        rf"(?P<single> in one step)?(?P<joint> staying joint)?{_LABEL}",
        Player.change,
    ),
    "leave": (rf"(?P<at>\w+){_LABEL}", Player.leave),
    "transfer": (r"(?P<at>\w+) to (?P<to>\w+)", Player.transfer),
    "compact": (_NAMES, Player.compact),
    "run": (_TIME, Player.run),
    "cut": (r"(.+)", Player.cut),
    "mend": (r"(.*)", Player.mend),
    "hold": (r"(.+)", Player.hold),
    "release": (r"(.+)", Player.release),
    "pass": (r"(.+)", Player.let_pass),
    "drop": (r"(.+)", Player.drop),
    "crash": (r"(?P<names>\w+(?:[ ,]+(?!keeping\b)\w+)*)(?: keeping (?P<bytes>\d{1,9}) bytes)?", Player.crash),
    "restart": (_NAMES, Player.restart),
    "stick": (_NAMES, Player.stick),
    "pause": (_NAMES, Player.pause),
    "resume": (_NAMES, Player.resume),
    "clock": (rf"(\w+) {_TIME}", Player.clock),
    "rate": (rf"{_NAMES} ({_NUMBER})", Player.rate),
    "expect": (r"(?P<fact>\w+) (?P<rest>.+)", Player.expect),
}
