"""Small models that between them use every part of the language; none means anything."""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Links,
    Maybe,
    Nat,
    Network,
    Option,
    Record,
    Seq,
    Set,
    Spec,
    Volatile,
    each,
    require,
)  # fmt: skip
from scrutator.model.quorums import Quorums

NODES = Bound("nodes", 3, "nodes", low=1, high=5)
HIGH = Bound("high", 3, "largest number")
LOSSY = Option("lossy", True, "messages may be lost")
REPEATING = Option("repeating", True, "messages may be duplicated")
NODE = Index("node", NODES, prefix="n", interchangeable=True)
QUORUM = Quorums("quorum", NODE, "majority", "who decides")


class Colour(Enum):
    RED = 0
    GREEN = 1
    BLUE = 2


class Entry(Record):
    colour = Colour
    number = Nat(HIGH, low=1)


class Ping(Record):
    src = NODE
    dst = NODE
    entries = Seq(Entry, 2)


class Pong(Record):
    src = NODE
    dst = NODE
    found = Maybe(Entry)
    seen = Set(NODE)


# --- sequences, records, optional values -------------------------------------------------


class Item(Record):
    weight = Nat(HIGH)
    owner = Maybe(NODE)


class SequenceState(Record):
    log = Array(NODE, Seq(Entry, 3))
    best = Maybe(Entry)
    item = Array(NODE, Item)
    held = Item
    total = Nat(HIGH * 3 + 9)


SEQUENCES = Spec("sequences", SequenceState, doc="sequences, records, optional values")


def weight_of(s: SequenceState, i: int) -> int:
    heaviest = 0
    for e in s.log[i]:
        if e.colour == Colour.BLUE:
            continue
        if e.number > heaviest:
            heaviest = e.number
    return heaviest


def last(s: SequenceState, i: int):  # type: ignore[no-untyped-def]
    if len(s.log[i]) == 0:
        return None
    return s.log[i][len(s.log[i]) - 1]


def set_weight(item: Item, w: int) -> None:
    require(item.weight < w)
    item.weight = w


@SEQUENCES.action(i=NODE, c=Colour, n=Nat(HIGH, low=1))
def push(s: SequenceState, i: int, c: Colour, n: int) -> None:
    require(len(s.log[i]) < 2 and (len(s.log[i]) == 0 or s.log[i][0].number <= n))
    s.log[i].append(Entry(colour=c, number=n))


@SEQUENCES.action(i=NODE)
def cut(s: SequenceState, i: int) -> None:
    require(len(s.log[i]) > 1)
    tail = s.log[i][1:]
    del s.log[i][1:]
    s.best = tail[0]
    s.total = min(HIGH + 1, sum(e.number for e in tail))


@SEQUENCES.action(i=NODE, j=NODE)
def follow(s: SequenceState, i: int, j: int) -> None:
    require(i != j and s.log[i] != s.log[j] and s.log[i][: len(s.log[i])] == s.log[i])
    s.log[i] = s.log[j]
    s.held = s.item[j]
    s.item[j].owner = i if s.item[j].owner is None else None


@SEQUENCES.action(i=NODE)
def weigh(s: SequenceState, i: int) -> None:
    set_weight(s.item[i], weight_of(s, i))
    me = s.item[i]
    me.owner = i
    s.held.weight = max(s.held.weight, me.weight)
    newest = last(s, i)
    if newest is not None and newest.colour != Colour.RED:
        s.best = newest


@SEQUENCES.action(i=NODE)
def shift(s: SequenceState, i: int) -> None:
    require(len(s.log[i]) > 0)
    first = s.log[i].pop(0)
    s.best = None if first.number == 1 else first
    if len(s.log[i]) > 0:
        s.log[i][0] = Entry(colour=first.colour, number=s.log[i][0].number)
        s.log[i] = s.log[i][:1]


@SEQUENCES.invariant
def short(s: SequenceState) -> bool:
    return all(len(s.log[i]) <= 1 or s.log[i][0].number <= 2 for i in NODE)


@SEQUENCES.step_invariant
def grows(before: SequenceState, after: SequenceState) -> bool:
    return all(before.item[i].weight <= after.item[i].weight or len(before.log[i]) <= len(after.log[i]) + 1 for i in NODE)


@SEQUENCES.reachable
def blue(s: SequenceState) -> bool:
    return s.best == Entry(colour=Colour.BLUE, number=HIGH) or any(e.number == HIGH for i in NODE for e in s.log[i] if e.colour != Colour.RED)


# --- sets and quorums ----------------------------------------------------------------------


class SetState(Record):
    votes = Array(NODE, Set(NODE))
    chosen = Set(Maybe(NODE))
    pairs = Set(Item)
    few = Set(Item, 2)
    leader = Maybe(NODE)
    colour = Array(Colour, bool)
    history = Ghost(Seq(NODE, 4))


SETS = Spec("sets", SetState, doc="sets, quorums, ghosts")


@SETS.initial(i=NODE)
def start(s: SetState, i: int) -> None:
    s.votes[i] = {i}


@SETS.action(i=NODE, j=NODE)
def vote(s: SetState, i: int, j: int) -> None:
    require(j not in s.votes[i] and s.votes[i] not in QUORUM)
    s.votes[i] |= {j}
    s.chosen.add(j)


@SETS.action(i=NODE)
def elect(s: SetState, i: int) -> None:
    require(s.votes[i] in QUORUM and s.leader != i)
    s.leader = i
    if len(s.history) < 4:
        s.history.append(i)


@SETS.action(i=NODE)
def reset(s: SetState, i: int) -> None:
    require(s.leader is not None and s.leader == i)
    others = {j for j in NODE if j != i} - s.votes[i]
    s.votes[i] = others | {i}
    s.leader = None
    s.chosen.discard(None)
    s.pairs.add(Item(weight=len(others), owner=i))


@SETS.action(x=each("pairs"))
def take(s: SetState, x: Item) -> None:
    s.pairs.remove(x)
    s.few.add(x)
    s.colour[Colour.RED] = x.weight > 0
    s.chosen.clear()


@SETS.action(x=each("few"))
def drop(s: SetState, x: Item) -> None:
    s.few.remove(x)
    for c in Colour:
        if c != Colour.GREEN:
            s.colour[c] = not s.colour[c]
    for v in s.votes[0]:
        s.chosen.add(v)


@SETS.invariant
def few_fit(s: SetState) -> bool:
    return len(s.few) <= 2 and len(s.pairs) <= 2 and all(x.owner is not None for x in s.few)


@SETS.reachable
def all_voted(s: SetState) -> bool:
    return any(s.votes[i] == {j for j in NODE} and s.votes[i] >= {i} for i in NODE) and sum(len(s.votes[i]) for i in NODE) > 3  # noqa: C416


# --- networks ------------------------------------------------------------------------------


class NetState(Record):
    value = Array(NODE, Volatile(Nat(HIGH)))
    stable = Array(NODE, Nat(2))
    net = Network(Ping, Pong, ordering="bag", capacity=2, loss=LOSSY, duplication=REPEATING)


BAGS = Spec("bags", NetState, doc="a bag of messages")


@BAGS.action(i=NODE, j=NODE)
def ping(s: NetState, i: int, j: int) -> None:
    require(i != j and s.value[i] < 2)
    s.value[i] += 1
    s.net.send(Ping(src=i, dst=j, entries=[]))


@BAGS.action(m=Ping)
def pong(s: NetState, m: Ping) -> None:
    require(s.stable[m.dst] < 1)
    s.net.receive(m)
    s.net.send(Pong(src=m.dst, dst=m.src, found=Entry(colour=Colour.GREEN, number=1), seen={m.src, m.dst}))
    s.stable[m.dst] += 1


@BAGS.action(m=Pong)
def done(s: NetState, m: Pong) -> None:
    s.net.receive(m)
    if m.found is not None and m.found.number == 1 and m.dst in m.seen:
        s.value[m.dst] = 0


@BAGS.fault(i=NODE)
def crash(s: NetState, i: int) -> None:
    require(s.value[i] > 1)
    s.lose_volatile(i)


@BAGS.invariant
def pings_differ(s: NetState) -> bool:
    return all(m.src != m.dst for m in s.net) and len(s.net) <= 2


@BAGS.reachable
def twice(s: NetState) -> bool:
    return any(s.net.count(m) == 2 for m in s.net.of(Pong)) or any(isinstance(m, Pong) and m.found is None for m in s.net)


class LinkState(Record):
    got = Array(NODE, Seq(Nat(HIGH), 2))
    sent = Array(NODE, Nat(HIGH))
    links = Links(NODE, Ping, Pong, capacity=2, loss=LOSSY, duplication=REPEATING)


LINKS = Spec("links", LinkState, doc="first-in first-out links")


@LINKS.action(i=NODE, j=NODE, n=Nat(2, low=1))
def send(s: LinkState, i: int, j: int, n: int) -> None:
    require(i != j and s.sent[i] < 2)
    s.sent[i] += 1
    if n == 1:
        s.links.send(Ping(src=i, dst=j, entries=[]))
    else:
        s.links.send(Pong(src=i, dst=j, found=None, seen=set()))


@LINKS.action(m=Ping)
def get_ping(s: LinkState, m: Ping) -> None:
    require(len(s.got[m.dst]) < 2)
    s.links.receive(m)
    s.got[m.dst].append(s.sent[m.src])


@LINKS.action(m=Pong)
def get_pong(s: LinkState, m: Pong) -> None:
    s.links.receive(m)
    if len(s.got[m.dst]) > 0:
        s.got[m.dst].pop()


@LINKS.invariant
def few_in_flight(s: LinkState) -> bool:
    return len(s.links) < 3 and all(m.src != m.dst for m in s.links)


@LINKS.always_possible
def empty(s: LinkState) -> bool:
    return len(s.links) == 0


ALL = (SEQUENCES, SETS, BAGS, LINKS)
