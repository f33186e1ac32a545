"""Synchronous replication: a sale counts once both machines have it; somebody must say when one may go on alone.

The master writes a sale down, its replica copies it, and only then the buyer hears "yours".  If the
other site falls silent, that machine may be down, or the line between them cut: from here both look
the same.  Who decides that a machine goes on alone?  One operator sits beside the master, and
fails with the site.  Two operators, one a side, both decide so when the line is cut.  An arbiter at a
third site decides for at most one machine, and is the next that must not fail.
"""

from __future__ import annotations

from scrutator.model.ladder.rung import Claim, Rung
from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Maybe,
    Nat,
    Option,
    Record,
    Set,
    Spec,
    require,
)

OPERATORS = Bound("operators", 1, "operators: one at the master's site, or one a side; 0: none", high=2)
ARBITER = Option("arbiter", False, "an arbiter at a third site decides instead of operators")
BUYERS = Bound("buyers", 2, "buyers who all want the one phone", low=1, high=8)
FAILURES = Bound("failures", 1, "sites that fail, with machine and operator, and are not repaired")
CUTS = Option("cuts", True, "the line between the sites is cut, and mended")
SITE = Index("site", 2, prefix="s")
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)


class State(Record):
    sold_to = Array(SITE, Maybe(BUYER))  # on each machine's disk; None: the phone is free
    up = Array(SITE, bool)
    alone = Array(SITE, bool)  # the machine goes on alone, as master
    line_is_cut = bool
    arbiter_up = bool
    arbiter_chose = Maybe(SITE)
    failures = Nat(FAILURES)
    told_yours = Ghost(Set(BUYER))  # who heard "yours"


SPEC = Spec("ladder/synchronous", State)


@SPEC.initial
def all_up(s: State) -> None:
    s.arbiter_up = ARBITER
    for i in SITE:
        s.up[i] = True


def hears(s: State, i: int, j: int) -> bool:
    """Site i hears from site j."""
    return s.up[i] and s.up[j] and not s.line_is_cut


def is_master(s: State, i: int) -> bool:
    """Site 1 from the start; whoever goes on alone; nobody whom the other, heard, has left behind."""
    return s.alone[i] or (i == 0 and not any(s.alone[j] and hears(s, i, j) for j in SITE))


@SPEC.action(i=SITE, b=BUYER)
def write_down(s: State, i: int, b: int) -> None:
    """The master at site i writes down that buyer b has the phone."""
    require(s.up[i] and is_master(s, i) and s.sold_to[i] is None)
    s.sold_to[i] = b


@SPEC.action(i=SITE, j=SITE)
def copy(s: State, i: int, j: int) -> None:
    """The replica j copies what the master i has written down."""
    require(i != j and hears(s, i, j) and is_master(s, i) and not s.alone[j] and s.sold_to[i] != s.sold_to[j])
    s.sold_to[j] = s.sold_to[i]


def is_safe(s: State, i: int, b: int) -> bool:
    """Both machines have the sale, or the master was told to go on alone."""
    return s.alone[i] or all(hears(s, i, j) and s.sold_to[j] == b for j in SITE)


@SPEC.action(i=SITE, b=BUYER)
def say_yours(s: State, i: int, b: int) -> None:
    """The master at site i tells buyer b that the phone is theirs."""
    require(s.up[i] and is_master(s, i) and s.sold_to[i] == b and is_safe(s, i, b))
    s.told_yours.add(b)


def is_silent(s: State, i: int) -> bool:
    """Site i hears nothing from the other."""
    return s.up[i] and not s.alone[i] and all(i == j or not hears(s, i, j) for j in SITE)


@SPEC.action(i=SITE, when=OPERATORS)
def operator_switches(s: State, i: int) -> None:
    """The operator at site i hears nothing from the other: its machine goes on alone."""
    require(i < OPERATORS and is_silent(s, i))
    s.alone[i] = True


def is_chosen(s: State, i: int) -> bool:
    """The arbiter has chosen nobody else."""
    return s.arbiter_chose in (None, i)


@SPEC.action(i=SITE, when=ARBITER)
def arbiter_chooses(s: State, i: int) -> None:
    """Site i hears nothing from the other, and the arbiter lets it go on alone."""
    require(s.arbiter_up and is_silent(s, i) and is_chosen(s, i))
    s.arbiter_chose = i
    s.alone[i] = True


@SPEC.fault(when=ARBITER)
def arbiter_fails(s: State) -> None:
    """The arbiter goes down."""
    require(s.arbiter_up and s.failures < FAILURES)
    s.arbiter_up = False
    s.failures += 1


@SPEC.fault(i=SITE, when=FAILURES)
def site_fails(s: State, i: int) -> None:
    """Site i is gone, with its machine and its operator."""
    require(s.up[i] and s.failures < FAILURES)
    s.up[i] = False
    s.failures += 1


@SPEC.fault(when=CUTS)
def cut_line(s: State) -> None:
    """The line between the sites is cut."""
    require(not s.line_is_cut)
    s.line_is_cut = True


@SPEC.fault(when=CUTS)
def mend_line(s: State) -> None:
    """The line is mended."""
    require(s.line_is_cut)
    s.line_is_cut = False


def is_open(s: State, i: int) -> bool:
    """Site i has a master that can answer buyers."""
    return s.up[i] and is_master(s, i) and (s.alone[i] or all(hears(s, i, j) for j in SITE))


@SPEC.invariant
def no_phone_sold_twice(s: State) -> bool:
    """At most one buyer was told that the phone is theirs."""
    return len(s.told_yours) <= 1


@SPEC.invariant
def acknowledged_sale_never_lost(s: State) -> bool:
    """A master that can answer buyers knows of every sale that a buyer was told of."""
    return all(not is_open(s, i) or s.sold_to[i] == b for i in SITE for b in s.told_yours)


@SPEC.always_possible
def shop_is_open(s: State) -> bool:
    """Whatever happened, there can be a master again that answers buyers."""
    return any(is_open(s, i) for i in SITE)


@SPEC.reachable
def sold(s: State) -> bool:
    """The phone can be sold, and both machines know it."""
    return len(s.told_yours) > 0 and all(s.sold_to[i] is not None for i in SITE)


@SPEC.reachable
def sold_alone(s: State) -> bool:
    """The phone can be sold by the one machine that is left."""
    return len(s.told_yours) > 0 and any(s.alone[i] for i in SITE)


@SPEC.mutant(replaces=is_safe, breaks="acknowledged_sale_never_lost", bounds={"operators": 2, "cuts": False}, source="asynchronous replication")
def answers_too_soon(s: State, i: int, b: int) -> bool:
    """The master answers before the replica has the sale."""
    return True


@SPEC.mutant(replaces=is_chosen, breaks="no_phone_sold_twice", bounds={"operators": 0, "arbiter": True}, source="an arbiter that does not write down whom it chose")
def arbiter_forgets(s: State, i: int) -> bool:
    """The arbiter lets everybody go on alone who asks."""
    return True


RUNG = Rung(
    order=3, name="synchronous", title="Synchronous replication",
    idea="The buyer hears \"yours\" only once both machines have the sale. If one machine falls silent, somebody switches the other to go on alone.",
    notice="A machine that is down and a line that is cut look the same from the other side. Whoever switches on silence alone will one day "
    "make two masters.",
    keeps="no acknowledged sale is lost by a crash", breaks="the operator fails with the master; with one a side, a cut line makes two masters; "
    "an arbiter is the next single point",
    next="Use three machines, and let any two of them do.",
    claims=(
        Claim("operator_fails_with_master", "One operator, at the master's site: if that site is gone, nobody can switch.",
              "violated", "shop_is_open", steps=1),
        Claim("one_operator_is_safe", "One operator never makes two masters.", "holds", "no_phone_sold_twice"),
        Claim("two_operators_survive", "With an operator on each side, the shop survives the loss of either.",
              "holds", "shop_is_open", {"operators": 2, "cuts": False}),
        Claim("two_operators_lose_nothing", "As long as silence means a crash, no acknowledged sale is lost.",
              "holds", "acknowledged_sale_never_lost", {"operators": 2, "cuts": False}),
        Claim("two_masters", "The line is cut, each operator believes that the other site is gone, and both machines sell the phone.",
              "violated", "no_phone_sold_twice", {"operators": 2, "failures": 0}, steps=7),
        Claim("arbiter_is_safe", "An arbiter lets only one of them go on: a cut line and a crash do not sell the phone twice.",
              "holds", "no_phone_sold_twice", {"operators": 0, "arbiter": True, "failures": 2}),
        Claim("arbiter_survives", "With an arbiter, the shop survives the loss of any one of the three sites.",
              "holds", "shop_is_open", {"operators": 0, "arbiter": True, "cuts": False}),
        Claim("arbiter_fails", "The arbiter is the next single point: once it is gone, unnoticed, the next crash closes the shop.",
              "violated", "shop_is_open", {"operators": 0, "arbiter": True, "cuts": False, "failures": 2}, steps=2),
        Claim("answers_too_soon", "A master that does not wait for the copy is asynchronous replication again.",
              "violated", "acknowledged_sale_never_lost", {"operators": 2, "cuts": False}, mutant="answers_too_soon", steps=4),
        Claim("arbiter_forgets", "An arbiter that does not write down whom it chose makes two masters.",
              "violated", "no_phone_sold_twice", {"operators": 0, "arbiter": True, "failures": 0}, mutant="arbiter_forgets", steps=7),
    ),
)  # fmt: skip
