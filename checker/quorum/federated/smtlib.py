"""The question whether two quorums are disjoint, in SMT-LIB 2.6, for another solver to repeat.

A number for each node and each of the two sets, 0 for absent and 1 for present; a Boolean for each
threshold that, if true, has what it needs.  Law: it is the system as given, nothing taken out and no
nodes put together, so that it does not rest on what we do to be fast.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence

from scrutator.checker.quorum.smtlib import presence
from scrutator.model.quorums.expression import AtLeast, Expression, Node, parts
from scrutator.model.quorums.federated import FederatedSystem, Missing, distinct


def disjoint_question(system: FederatedSystem, *, faulty: Collection[str] = (), size_max: int | None = None) -> str:
    """A script that is satisfiable iff there are two quorums without a common node.

    ``faulty`` nodes help both; ``size_max`` bounds how many nodes the two have together.
    """
    honest = system.without(faulty) if faulty else system
    names = honest.names()
    lines = [
        f"; Are there two disjoint quorums? {len(names)} nodes; {honest.missing.note}.",
        "; A node's number is 1 in the set that has it, else 0.",
        "(set-logic QF_LIA)",
    ]
    for side in (0, 1):
        lines.extend(_quorum(honest, side))
    lines.extend(f"(assert (<= (+ {presence(0, name)} {presence(1, name)}) 1))" for name in names)
    if size_max is not None:
        lines.append(f"(assert (<= {_sum([presence(side, name) for side in (0, 1) for name in names])} {size_max}))")
    return "\n".join([*lines, "(check-sat)"]) + "\n"


def _quorum(system: FederatedSystem, side: int) -> Iterator[str]:
    for name in system.names():
        symbol = presence(side, name)
        yield f"(declare-const {symbol} Int)"
        yield f"(assert (and (<= 0 {symbol}) (<= {symbol} 1)))"
    asked: dict[int, str] = {}
    for number, expression in enumerate(distinct(system.slices.values())):
        asked[id(expression)] = yield from _slice(expression, side, number)
    makers = []
    for name, given in system.slices.items():
        symbol = presence(side, name)
        if given is not None:
            makers.append(symbol)
            yield f"(assert (=> (>= {symbol} 1) {asked[id(given)]}))"
        elif system.missing is Missing.UNSATISFIABLE:
            yield f"(assert (= {symbol} 0))"
    yield f"(assert (>= {_sum(makers)} 1))"


def _slice(expression: Expression, side: int, number: int) -> Generator[str, None, str]:
    """Declares the thresholds of a slice; gives what says that it is met."""
    terms: dict[int, str] = {}
    met = ""
    for k, part in enumerate(parts(expression)):
        if isinstance(part, Node):
            terms[id(part)] = presence(side, part.name)
            met = f"(>= {terms[id(part)]} 1)"
            continue
        assert isinstance(part, AtLeast)
        met = f"|{side} slice {number}.{k}|"
        held = [f"(* {weight} {terms[id(member)]})" if weight != 1 else terms[id(member)] for weight, member in part.members]
        yield f"(declare-const {met} Bool)"
        yield f"(assert (=> {met} (>= {_sum(held)} {max(part.needed, 0)})))"
        terms[id(part)] = f"(ite {met} 1 0)"
    return met


def _sum(terms: Sequence[str]) -> str:
    return "0" if not terms else terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"
