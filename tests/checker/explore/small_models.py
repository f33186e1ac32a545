"""Small models with known answers, for the engines' tests."""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Index, Maybe, Nat, Option, Record, Seq, Set, Spec, require

SIZE = Bound("size", 4, "largest count")
TRAPS = Option("traps", True, "the counter can fall into a trap")
BROKEN = Option("broken", False, "the model makes a mistake")


class Counter(Record):
    """Two counters, and a trap out of which nothing leads back."""

    x = Nat(SIZE)
    y = Nat(SIZE)
    trapped = bool


COUNTER = Spec("counter", Counter, doc="two counters and a trap")


@COUNTER.initial(n=Nat(1))
def start(s: Counter, n: int) -> None:
    s.y = n


@COUNTER.action()
def step_x(s: Counter) -> None:
    """x goes up, round and round."""
    require(not s.trapped)
    s.x = s.x + 1 if s.x < SIZE else 0


@COUNTER.action(k=Nat(2, low=1))
def step_y(s: Counter, k: int) -> None:
    """y goes up by k."""
    require(not s.trapped and s.y + k <= SIZE)
    s.y += k


@COUNTER.action(when=TRAPS)
def fall(s: Counter) -> None:
    """The trap closes, where both counters are full."""
    require(s.x == SIZE and s.y == SIZE and not s.trapped)
    s.trapped = True


@COUNTER.action(when=BROKEN)
def overflow(s: Counter) -> None:
    """A mistake: x leaves its range."""
    require(s.x == SIZE and s.y > 1)
    s.x += 1


@COUNTER.invariant
def small(s: Counter) -> bool:
    """Never both near the top."""
    return s.x + s.y < 2 * SIZE - 1


@COUNTER.invariant
def fits(s: Counter) -> bool:
    """True of every state."""
    return s.x <= SIZE


@COUNTER.step_invariant
def slow(before: Counter, after: Counter) -> bool:
    """y goes up by one at a time."""
    return after.y <= before.y + 1


@COUNTER.reachable
def full(s: Counter) -> bool:
    """Both counters get full."""
    return s.x == SIZE and s.y == SIZE


@COUNTER.reachable
def never(s: Counter) -> bool:
    """What cannot be."""
    return s.trapped and s.x == 0


@COUNTER.always_possible
def x_empty(s: Counter) -> bool:
    """x can become 0 again."""
    return s.x == 0


# --- every mistake of a model ------------------------------------------------------------

MISTAKE = Bound("mistake", 0, "which mistake to make", high=9)
NODE = Index("node", 3, prefix="n", interchangeable=True)


class Faulty(Record):
    count = Nat(3)
    log = Seq(Nat(3), 2)
    owner = Maybe(NODE)
    values = Array(NODE, Nat(3))
    few = Set(NODE)


MISTAKES = Spec("mistakes", Faulty, doc="makes whichever mistake is asked for, on the third step")


@MISTAKES.action()
def go(s: Faulty) -> None:
    """Counts, then errs."""
    require(s.count < 3)
    if s.count == 2 and MISTAKE == 1:
        s.count = s.count + 2
    elif s.count == 2 and MISTAKE == 2:
        s.log[len(s.log)] = 1
    elif s.count == 2 and MISTAKE == 3:
        s.log.append(1)
    elif s.count == 2 and MISTAKE == 4:
        s.values[s.count + 1] = 1
    elif s.count == 2 and MISTAKE == 5:
        s.values[s.owner] = 1
    elif s.count == 2 and MISTAKE == 6:
        s.count = 3
        require(s.count < 3)
    elif s.count == 2 and MISTAKE == 7:
        s.few.remove(1)
    else:
        s.count += 1
        if len(s.log) < 2:
            s.log.append(s.count)


@MISTAKES.invariant
def readable(s: Faulty) -> bool:
    """Errs itself, if asked to."""
    return s.count < 3 or MISTAKE != 8 or s.log[2] == 1


ALL_MISTAKES = {
    1: "count = 4: 4 is outside of 0..3",
    2: "log[2]: there are 2 elements",
    3: "the sequence is full, its capacity is 2",
    4: "values[3]: there is no node number 3",
    5: "values[None]: None is not a node",
    6: "changes the state and then refuses",
    7: "few.remove(1): it is not there",
    8: "log[2]: there are 2 elements",
}
