"""Two models whose steps, and the mapping between them, are digits of bounds: every small pair there is."""

from __future__ import annotations

from scrutator.model.language import Bound, Index, Nat, Record, Set, Spec, require

BELOW, ABOVE = 4, 3  # states of the concrete and of the abstract model
ACTIONS = 2

STEPS = Bound("steps", 0, "which of the concrete steps there are: a bit for each action, state and state")
STARTS = Bound("starts", 1, "which concrete states are initial: a bit each")
IMAGES = Bound("images", 0, "the image of each concrete state: a digit each")
LAW = Bound("law", 0, "which of the abstract steps there are")
ORIGIN = Bound("origin", 0, "the abstract initial state")


def power(base: int, exponent: int) -> int:
    result = 1
    for _k in range(exponent):
        result = result * base
    return result


class Low(Record):
    at = Nat(BELOW - 1)
    count = Nat(2)


CONCRETE = Spec("concrete", Low, doc="a random graph of states")


@CONCRETE.initial(k=Nat(BELOW - 1))
def start(s: Low, k: int) -> None:
    require((STARTS // power(2, k)) % 2 == 1)
    s.at = k


def leads(a: int, x: int, y: int) -> bool:
    return (STEPS // power(2, (a * BELOW + x) * BELOW + y)) % 2 == 1


@CONCRETE.action(y=Nat(BELOW - 1))
def walk(s: Low, y: int) -> None:
    """Along an edge of the first kind."""
    require(leads(0, s.at, y))
    s.at = y


@CONCRETE.action(y=Nat(BELOW - 1))
def count(s: Low, y: int) -> None:
    """Along an edge of the second kind, at most twice."""
    require(leads(1, s.at, y) and s.count < 2)
    s.at = y
    s.count += 1


SEEN = Index("seen", ABOVE)


class High(Record):
    at = Nat(ABOVE - 1)
    history = Set(SEEN)


ABSTRACT = Spec("abstract", High, doc="a smaller random graph, the state kept twice")


@ABSTRACT.initial
def begin(h: High) -> None:
    h.at = ORIGIN
    h.history.add(ORIGIN)


def allowed(a: int, x: int, y: int) -> bool:
    return (LAW // power(2, (a * ABOVE + x) * ABOVE + y)) % 2 == 1


@ABSTRACT.action(y=Nat(ABOVE - 1))
def go(h: High, y: int) -> None:
    """Along an edge of the first kind."""
    require(allowed(0, h.at, y))
    h.history.remove(h.at)
    h.at = y
    h.history.add(y)


@ABSTRACT.action(y=Nat(ABOVE - 1))
def jump(h: High, y: int) -> None:
    """Along an edge of the second kind."""
    require(allowed(1, h.at, y))
    h.history.clear()
    h.at = y
    h.history.add(y)


@CONCRETE.refines(ABSTRACT, bounds={"law": LAW, "origin": ORIGIN})
def digits(s: Low, h: High) -> None:
    h.at = (IMAGES // power(ABOVE, s.at)) % ABOVE
    h.history.add(h.at)


@CONCRETE.constraint
def names_all_bounds(s: Low) -> bool:
    """The concrete model declares the bounds of the mapping and of the abstract model, so that they can be set."""
    return IMAGES + LAW + ORIGIN >= 0
