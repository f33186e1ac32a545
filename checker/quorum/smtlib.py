"""The question whether quorums may miss each other, in SMT-LIB 2.6: what z3 decides is this very text.

Each quorum is a number per node, 0 for absent and 1 for present; a gate below the root is a Boolean
that, if true, has the weight it needs.  With `Leaves.REAL` the numbers may lie between 0 and 1: a
relaxation, so "unsat" proves that no quorums miss each other, and linear arithmetic refutes at once
what counting arguments over integers take exponential time for.  With `Leaves.WHOLE` the question is
exact.  Law: nothing is decided here, and every name is quoted, so that no name can be taken for a term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from scrutator.model.quorums.expression import AtLeast, Expression, Node, parts


class Leaves(Enum):
    """How presence is encoded."""

    REAL = "QF_LRA"
    WHOLE = "QF_LIA"


@dataclass(frozen=True, slots=True)
class Question:
    """Are there quorums of these expressions, one of each, that share fewer correct nodes than ``overlap``?"""

    quorums: tuple[Expression, ...]
    overlap: int = 1
    faulty: frozenset[str] = frozenset()

    def text(self, leaves: Leaves, size_max: int | None = None) -> str:
        """The question as a script that is satisfiable iff the answer is yes.

        ``size_max`` bounds how many nodes the quorums have together, a node counted in each that has it.
        """
        sort = "Real" if leaves is Leaves.REAL else "Int"
        lines = [f"(set-logic {leaves.value})"]
        for k, expression in enumerate(self.quorums):
            lines.extend(_quorum(k, expression, sort))
        spares = []
        for name in self.shared:
            held = [presence(k, name) for k in range(len(self.quorums))]
            if self.overlap == 1:
                lines.append(f"(assert (<= {_sum(held)} {len(self.quorums) - 1}))")
            else:
                spares.append(f"|all {_quoted(name)}|")
                lines.extend(_declared(spares[-1], sort))
                lines.append(f"(assert (<= {_sum(held)} (+ {len(self.quorums) - 1} {spares[-1]})))")
        if spares:
            lines.append(f"(assert (<= {_sum(spares)} {self.overlap - 1}))")
        if size_max is not None:
            every = [presence(k, name) for k, e in enumerate(self.quorums) for name in e.names()]
            lines.append(f"(assert (<= {_sum(every)} {size_max}))")
        lines.append("(check-sat)")
        return "\n".join(lines) + "\n"

    @property
    def shared(self) -> list[str]:
        """The correct nodes that are named by all the expressions, in the order of the first."""
        first, *others = [expression.names() for expression in self.quorums]
        sets = [frozenset(names) for names in others]
        return [name for name in first if name not in self.faulty and all(name in names for names in sets)]

    def misses(self, sets: Sequence[frozenset[str]]) -> bool:
        """Whether these sets answer the question with yes: decided by counting."""
        return (
            all(expression.is_quorum(chosen) for expression, chosen in zip(self.quorums, sets, strict=True))
            and len(frozenset.intersection(*sets) - self.faulty) < self.overlap
        )


def presence(k: int, name: str) -> str:
    """The symbol for the presence of a node in the k-th quorum."""
    return f"|{k} {_quoted(name)}|"


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
