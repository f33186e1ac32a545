"""The question whether quorums may miss each other, in SMT-LIB 2.6: what z3 decides is this very text.

Each quorum is a number per node, 0 for absent and 1 for present; a gate below the root is a Boolean
that, if true, has the weight it needs.  With `Leaves.REAL` the numbers may lie between 0 and 1: a
relaxation, so "unsat" proves that no quorums miss each other, and linear arithmetic refutes at once
what counting arguments over integers take exponential time for.  With `Leaves.WHOLE` the question is
exact.  Law: nothing is decided here, and every name is quoted, so that no name can be taken for a term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from scrutator.model.quorums.expression import AtLeast, Expression, Node, parts


class Leaves(Enum):
    """How presence is encoded."""

    REAL = "QF_LRA"
    WHOLE = "QF_LIA"


def question(
    quorums: Sequence[Expression],
    overlap: int,
    leaves: Leaves,
    *,
    faulty: frozenset[str] = frozenset(),
    size_max: int | None = None,
) -> str:
    """Satisfiable iff quorums of these expressions, one of each, share fewer than ``overlap`` correct nodes.

    ``size_max`` bounds how many nodes they have together, a node counted in each that has it.
    """
    sort = "Real" if leaves is Leaves.REAL else "Int"
    lines = [f"(set-logic {leaves.value})"]
    for k, expression in enumerate(quorums):
        lines.extend(_quorum(k, expression, sort))
    common = shared_names(quorums)
    slack = []
    for name in common:
        held = [presence(k, name) for k in range(len(quorums))]
        if name in faulty:
            continue
        if overlap == 1:
            lines.append(f"(assert (<= {_sum(held)} {len(quorums) - 1}))")
        else:
            spare = f"|both {_quoted(name)}|"
            slack.append(spare)
            lines.extend(_declared(spare, sort))
            lines.append(f"(assert (<= {_sum(held)} (+ {len(quorums) - 1} {spare})))")
    if slack:
        lines.append(f"(assert (<= {_sum(slack)} {overlap - 1}))")
    if size_max is not None:
        every = [presence(k, name) for k, expression in enumerate(quorums) for name in expression.names()]
        lines.append(f"(assert (<= {_sum(every)} {size_max}))")
    lines.append("(check-sat)")
    return "\n".join(lines) + "\n"


def presence(k: int, name: str) -> str:
    """The symbol for the presence of a node in the k-th quorum."""
    return f"|{k} {_quoted(name)}|"


def shared_names(quorums: Sequence[Expression]) -> list[str]:
    """The nodes that are named by all the expressions, in the order of the first."""
    first, *others = [expression.names() for expression in quorums]
    sets = [frozenset(names) for names in others]
    return [name for name in first if all(name in names for names in sets)]


def _quorum(k: int, expression: Expression, sort: str) -> Iterator[str]:
    for name in expression.names():
        yield from _declared(presence(k, name), sort)
    terms: dict[int, str] = {}
    gates = 0
    for part in parts(expression):
        if isinstance(part, Node):
            terms[id(part)] = presence(k, part.name)
            if part is expression:
                yield f"(assert (>= {terms[id(part)]} 1))"
            continue
        assert isinstance(part, AtLeast)
        weight = _sum([_times(w, terms[id(member)]) for w, member in part.members])
        if part is expression:
            yield f"(assert (>= {weight} {_number(part.needed)}))"
            continue
        gates += 1
        gate = f"|{k} gate {gates}|"
        yield f"(declare-const {gate} Bool)"
        yield f"(assert (=> {gate} (>= {weight} {_number(part.needed)})))"
        terms[id(part)] = f"(ite {gate} 1 0)"


def _declared(symbol: str, sort: str) -> Iterator[str]:
    yield f"(declare-const {symbol} {sort})"
    yield f"(assert (and (<= 0 {symbol}) (<= {symbol} 1)))"


def _sum(terms: Sequence[str]) -> str:
    return "0" if not terms else terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"


def _times(weight: int, term: str) -> str:
    return term if weight == 1 else f"(* {_number(weight)} {term})"


def _number(value: int) -> str:
    return str(value) if value >= 0 else f"(- {-value})"


def _quoted(name: str) -> str:
    """A name inside a quoted symbol, in which | and \\ may not stand; distinct names stay distinct."""
    return "".join(c if c.isprintable() and c.isascii() and c not in "|\\%" else f"%{ord(c):x}%" for c in name)
