"""Synchronous replication: a sale counts once both machines have it; somebody must say when one may go on alone.

The master writes a sale down, its replica copies it, and only then the buyer hears "yours".  If the
other site falls silent, that machine may be down, or the line between them cut: from here both look
the same.  Who decides that a machine goes on alone?  One operator sits beside the master, and
fails with the site.  Two operators, one a side, both decide so when the line is cut.  An arbiter at a
third site decides for at most one machine, and is the next that must not fail.
"""

from __future__ import annotations

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
