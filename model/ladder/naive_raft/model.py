"""Naive Raft: one value, terms, and a leader for each; server 1 leads from the start, in term 0.

The leader sells the phone to one buyer and replicates that entry; a majority that stores it in one
term commits it.  Whoever hears nothing from the leader stands for election in the next term.  A
server votes once in a term, and its vote carries its entry; the new leader starts again with the
latest entry among its votes, in its own term, and only if there is none with a buyer of its own.
Messages are never consumed: each may arrive late, twice or never.
"""

from __future__ import annotations

from scrutator.model.language import Array, Bound, Index, Maybe, Nat, Network, Record, Spec, require
from scrutator.model.quorums import Quorums

SERVERS = Bound("servers", 3, "servers", low=1, high=16)
TERMS = Bound("terms", 1, "the last term, from 0")
BUYERS = Bound("buyers", 2, "buyers who all want the one phone", low=1, high=16)
CANDIDATES = Bound("candidates", 3, "servers that stand for election: the last so many", low=1)
FAILURES = Bound("failures", 0, "crashes of servers, each of which comes back")
SERVER = Index("server", SERVERS)
BUYER = Index("buyer", BUYERS, prefix="b", interchangeable=True)
TERM = Nat(TERMS)
ELECTION = Quorums("election", SERVER, "majority", "servers whose votes make a leader")
COMMIT = Quorums("commit", SERVER, "majority", "servers that must store an entry before it is committed")


class Entry(Record):
    term = TERM
    buyer = BUYER


class RequestVote(Record):
    candidate = SERVER
    term = TERM


class Vote(Record):
    """The voter takes part in no earlier term any more, and this is its entry."""

    voter = SERVER
    candidate = SERVER
    term = TERM
    entry = Maybe(Entry)


class Replicate(Record):
    """The leader of the term asks to store this entry."""

    leader = SERVER
    term = TERM
    buyer = BUYER


class Stored(Record):
    server = SERVER
    term = TERM
    buyer = BUYER


class State(Record):
    term = Array(SERVER, TERM)  # on disk: the server takes part in no earlier one
    entry = Array(SERVER, Maybe(Entry))  # on disk: the log, of one entry
    up = Array(SERVER, bool)
    failures = Nat(FAILURES)
    net = Network(RequestVote, Vote, Replicate, Stored, ordering="set")


SPEC = Spec("ladder/naive_raft", State)


@SPEC.initial
def server_1_leads_term_0(s: State) -> None:
    for i in SERVER:
        s.up[i] = True
        s.net.send(Vote(voter=i, candidate=0, term=0, entry=None))


@SPEC.action(i=SERVER, t=TERM)
def stand(s: State, i: int, t: int) -> None:
    """Server i has waited in vain for the leader, and stands for election in the next term."""
    require(i >= SERVERS - CANDIDATES and s.up[i] and t == s.term[i] + 1 and RequestVote(candidate=i, term=t) not in s.net)
    s.net.send(RequestVote(candidate=i, term=t))


def may_vote(s: State, i: int, term: int) -> bool:
    """Server i has taken part in no term as late as this."""
    return term > s.term[i]


@SPEC.action(i=SERVER, m=RequestVote)
def vote(s: State, i: int, m: RequestVote) -> None:
    """Server i votes for the first candidate of the term that it hears of, and sends its entry along."""
    require(s.up[i] and may_vote(s, i, m.term))
    s.term[i] = m.term
    s.net.send(Vote(voter=i, candidate=m.candidate, term=m.term, entry=s.entry[i]))


def age(m: Vote) -> int:
    """One more than the term of the entry that a vote carries; 0 if it carries none."""
    return 0 if m.entry is None else m.entry.term + 1


def have_voted(s: State, i: int, term: int, last: int) -> bool:
    """A majority voted for i in this term, and their entries are not newer than ``last``."""
    return {m.voter for m in s.net.of(Vote) if m.candidate == i and m.term == term and age(m) <= last} in ELECTION


def may_replicate(s: State, i: int, term: int, b: int) -> bool:
    """A majority elected i; it has no entry, or the latest is for b."""
    return have_voted(s, i, term, 0) or any(
        m.candidate == i and m.term == term and m.entry is not None and m.entry.buyer == b and have_voted(s, i, term, age(m))
        for m in s.net.of(Vote)
    )


@SPEC.action(i=SERVER, t=TERM, b=BUYER)
def replicate(s: State, i: int, t: int, b: int) -> None:
    """Server i, elected in term t, sends its entry to all: buyer b has the phone."""
    require(s.up[i] and all(m.leader != i or m.term != t for m in s.net.of(Replicate)) and may_replicate(s, i, t, b))
    s.net.send(Replicate(leader=i, term=t, buyer=b))


def may_store(s: State, i: int, term: int) -> bool:
    """Server i takes part in no later term."""
    return term >= s.term[i]


@SPEC.action(i=SERVER, m=Replicate)
def store(s: State, i: int, m: Replicate) -> None:
    """Server i stores the leader's entry in place of what it had."""
    require(s.up[i] and may_store(s, i, m.term) and s.entry[i] != Entry(term=m.term, buyer=m.buyer))
    s.term[i] = m.term
    s.entry[i] = Entry(term=m.term, buyer=m.buyer)
    s.net.send(Stored(server=i, term=m.term, buyer=m.buyer))


@SPEC.fault(i=SERVER, when=FAILURES)
def crash(s: State, i: int) -> None:
    """Server i goes down; its disk survives."""
    require(s.up[i] and s.failures < FAILURES)
    s.up[i] = False
    s.failures += 1


@SPEC.fault(i=SERVER, when=FAILURES)
def come_back(s: State, i: int) -> None:
    """Server i is up again, with its disk."""
    require(not s.up[i])
    s.up[i] = True
