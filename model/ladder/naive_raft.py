"""Naive Raft: one value, terms, and a leader for each; server 1 leads from the start, in term 0.

The leader sells the phone to one buyer and replicates that entry; a majority that stores it in one
term commits it.  Whoever hears nothing from the leader stands for election in the next term.  A
server votes once in a term, and its vote carries its entry; the new leader starts again with the
latest entry among its votes, in its own term, and only if there is none with a buyer of its own.
This is Basic Paxos in other words: a term is a proposal's number, election is prepare, replication
is accept.  Messages are never consumed: each may arrive late, twice or never.
"""

from __future__ import annotations

from scrutator.model.ladder.basic_paxos import SPEC as BASIC_PAXOS
from scrutator.model.ladder.basic_paxos import Accepted, Prepare, Promise, Proposal, Propose
from scrutator.model.ladder.basic_paxos import State as PaxosState
from scrutator.model.ladder.rung import Claim, Rung
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


def is_committed(s: State, b: int) -> bool:
    """A majority has stored an entry for buyer b in one term."""
    return any({m.server for m in s.net.of(Stored) if m.term == t and m.buyer == b} in COMMIT for t in TERM)


@SPEC.invariant
def agreement(s: State) -> bool:
    """At most one buyer is committed: the phone is not sold twice."""
    return all(b == c or not (is_committed(s, b) and is_committed(s, c)) for b in BUYER for c in BUYER)


@SPEC.invariant
def one_leader_a_term(s: State) -> bool:
    """No two servers are elected in one term."""
    return all(
        i == j or not (have_voted(s, i, t, TERMS + 1) and have_voted(s, j, t, TERMS + 1)) for t in TERM for i in SERVER for j in SERVER
    )


@SPEC.reachable
def committed_later(s: State) -> bool:
    """What a later leader says can be committed."""
    return any(is_committed(s, b) for b in BUYER) and all(m.term > 0 for m in s.net.of(Stored))


@SPEC.reachable
def entry_taken_over(s: State) -> bool:
    """A later leader can begin again with an entry that a vote carried."""
    return any(
        v.candidate == m.leader and v.term == m.term and v.entry is not None and v.entry.buyer == m.buyer
        for m in s.net.of(Replicate)
        for v in s.net.of(Vote)
    )


@SPEC.reachable
def nobody_elected(s: State) -> bool:
    """All have voted in term 1, each for another candidate: the term stays without a leader."""
    return all(any(m.voter == i and m.candidate == i and m.term == 1 for m in s.net.of(Vote)) for i in SERVER)


@SPEC.refines(BASIC_PAXOS, bounds={"acceptors": SERVERS, "numbers": TERMS, "phase1": ELECTION, "phase2": COMMIT})
def as_proposals(s: State, paxos: PaxosState) -> None:
    """A term is a proposal's number, election is prepare, replication is accept; who it is that leads does not show."""
    paxos.failures = s.failures
    for i in SERVER:
        paxos.promised[i] = s.term[i]
        paxos.up[i] = s.up[i]
        if s.entry[i] is not None:
            paxos.accepted[i] = Proposal(number=s.entry[i].term, buyer=s.entry[i].buyer)
    paxos.net.send(Prepare(number=0))
    for m in s.net.of(RequestVote):
        paxos.net.send(Prepare(number=m.term))
    for m in s.net.of(Vote):
        if m.entry is None:
            paxos.net.send(Promise(acceptor=m.voter, number=m.term, accepted=None))
        else:
            paxos.net.send(Promise(acceptor=m.voter, number=m.term, accepted=Proposal(number=m.entry.term, buyer=m.entry.buyer)))
    for m in s.net.of(Replicate):
        paxos.net.send(Propose(number=m.term, buyer=m.buyer))
    for m in s.net.of(Stored):
        paxos.net.send(Accepted(acceptor=m.server, number=m.term, buyer=m.buyer))


@SPEC.mutant(replaces=may_vote, breaks="agreement", bounds={"terms": 1, "candidates": 2}, source="a server that does not remember its vote")
def votes_twice(s: State, i: int, term: int) -> bool:
    """A server votes for everybody who stands in its term."""
    return term >= s.term[i]


@SPEC.mutant(replaces=may_replicate, breaks="agreement", bounds={"terms": 1, "candidates": 2}, source="a leader that reads votes as permission only")
def leader_keeps_own_value(s: State, i: int, term: int, b: int) -> bool:
    """The new leader sells to a buyer of its own, whatever entries its votes carry."""
    return have_voted(s, i, term, TERMS + 1)


@SPEC.mutant(replaces=may_replicate, breaks="agreement", bounds={"terms": 2, "candidates": 2}, source="a leader that takes the first vote's entry")
def takes_any_entry(s: State, i: int, term: int, b: int) -> bool:
    """The new leader takes over any entry that a vote carries, not the latest."""
    carried = any(m.candidate == i and m.term == term and m.entry is not None and m.entry.buyer == b for m in s.net.of(Vote))
    return have_voted(s, i, term, 0) or (carried and have_voted(s, i, term, TERMS + 1))


@SPEC.mutant(replaces=may_store, breaks="agreement", bounds={"terms": 1, "candidates": 2}, source="a follower that does not compare terms")
def obeys_old_leader(s: State, i: int, term: int) -> bool:
    """A server also stores what the leader of an earlier term than its own sends, until a later one has sent something."""
    return s.entry[i] is None or term > s.entry[i].term


RUNG = Rung(
    order=10, name="naive_raft", title="Naive Raft",
    idea="One leader sells, and the others only follow it, so that nobody duels while it lives. When it falls silent, a server stands for election in "
    "the next term. Votes carry what the voter has stored; the new leader begins again with the latest of that.",
    notice="It is Basic Paxos in other words: a term is a proposal's number, an election is prepare, replication is accept.",
    keeps="agreement", breaks="one value only; a split vote costs a term",
    next="A log of many entries, of which the votes need not carry the whole: Raft.",
    claims=(
        Claim("agreement", "Three servers, two buyers, two crashes: never two sales.", "holds", "agreement", {"terms": 1, "failures": 2}),
        Claim("third_term", "Leaders of three terms in a row agree.", "holds", "agreement", {"terms": 2, "candidates": 2}),
        Claim("one_leader_a_term", "A term has at most one leader, because a server votes once in it.",
              "holds", "one_leader_a_term", {"terms": 2, "candidates": 2}),
        Claim("taken_over", "A later leader can begin again with what an earlier one had stored.", "holds", "entry_taken_over", {"terms": 1}),
        Claim("split_vote", "An election may have no winner; the next term is there for that.", "holds", "nobody_elected", {"terms": 1}),
        Claim("votes_twice", "Where servers vote twice, a term has two leaders, who sell to two buyers.",
              "violated", "agreement", {"terms": 1, "candidates": 2}, mutant="votes_twice", steps=12),
        Claim("leader_keeps_own_value", "A new leader that ignores what its votes carry contradicts what was committed.",
              "violated", "agreement", {"terms": 1, "candidates": 2}, mutant="leader_keeps_own_value", steps=9),
        Claim("takes_any_entry", "The new leader must take the latest entry that its votes carry, not any.",
              "violated", "agreement", {"terms": 2, "candidates": 2}, mutant="takes_any_entry", steps=14),
        Claim("obeys_old_leader", "A follower that obeys the old leader beside the new one lets both commit.",
              "violated", "agreement", {"terms": 1, "candidates": 2}, mutant="obeys_old_leader", steps=9),
    ),
)  # fmt: skip
