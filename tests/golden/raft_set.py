"""Raft for counting, with messages that only grow: loss, duplication and delay for free.

Every step changes the state, and each choice of an action's parameters gives at most one
successor.  A leader may send any entry of its log to anybody, and nobody refuses aloud.
See ``test_counts.py``.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import (
    Array,
    Bound,
    Index,
    Maybe,
    Nat,
    Network,
    Option,
    Record,
    Seq,
    Set,
    Spec,
    require,
)
from scrutator.model.quorums import Quorums

SERVERS = Bound("servers", 3, "servers", low=1, high=16)
VALUES = Bound("values", 1, "values clients ask for", low=1, high=16)
MAX_TERM = Bound("max_term", 1, "terms, from 1", low=1)
MAX_LOG = Bound("max_log", 1, "entries of a log")
CRASHES = Option("crashes", False, "servers may restart at any time")
SERVER = Index("server", SERVERS, interchangeable=True)
VALUE = Index("value", VALUES, interchangeable=True)
QUORUM = Quorums("quorum", SERVER, "majority", "servers that suffice")
INDEX = Nat(MAX_LOG)  # positions in a log count from 1; 0 is before its first entry


class Role(Enum):
    FOLLOWER = 0
    CANDIDATE = 1
    LEADER = 2


class Entry(Record):
    term = Nat(MAX_TERM, low=1)
    value = VALUE


class RequestVote(Record):
    term = Nat(MAX_TERM, low=1)
    candidate = SERVER
    last_term = Nat(MAX_TERM)
    last_index = INDEX


class Vote(Record):
    term = Nat(MAX_TERM, low=1)
    voter = SERVER
    candidate = SERVER


class Append(Record):
    term = Nat(MAX_TERM, low=1)
    leader = SERVER
    prev_index = INDEX
    prev_term = Nat(MAX_TERM)
    entry = Entry
    commit = INDEX


class Stored(Record):
    term = Nat(MAX_TERM, low=1)
    follower = SERVER
    leader = SERVER
    match = INDEX


class State(Record):
    term = Array(SERVER, Nat(MAX_TERM))
    role = Array(SERVER, Role)
    voted_for = Array(SERVER, Maybe(SERVER))
    votes = Array(SERVER, Set(SERVER))
    log = Array(SERVER, Seq(Entry, MAX_LOG))
    commit = Array(SERVER, INDEX)
    match = Array(SERVER, Array(SERVER, INDEX))
    net = Network(RequestVote, Vote, Append, Stored, ordering="set")


SPEC = Spec("golden-raft-set", State)


def term_at(s: State, i: int, k: int) -> int:
    """The term of entry k of server i's log; 0 before the first."""
    return s.log[i][k - 1].term if k > 0 else 0


def forget_replies(s: State, i: int) -> None:
    for j in SERVER:
        s.match[i][j] = 0


@SPEC.action(i=SERVER)
def timeout(s: State, i: int) -> None:
    require(s.role[i] != Role.LEADER and s.term[i] < MAX_TERM)
    last = len(s.log[i])
    s.term[i] += 1
    s.role[i] = Role.CANDIDATE
    s.voted_for[i] = i
    s.votes[i] = {i}
    s.net.send(RequestVote(term=s.term[i], candidate=i, last_term=term_at(s, i, last), last_index=last))


@SPEC.action(i=SERVER, t=Nat(MAX_TERM, low=1))
def update_term(s: State, i: int, t: int) -> None:
    require(t > s.term[i] and any(m.term == t for m in s.net))
    s.term[i] = t
    s.role[i] = Role.FOLLOWER
    s.voted_for[i] = None
    s.votes[i] = set()
    forget_replies(s, i)


@SPEC.action(i=SERVER, m=RequestVote)
def grant_vote(s: State, i: int, m: RequestVote) -> None:
    require(m.term == s.term[i] and s.voted_for[i] is None)
    last = len(s.log[i])
    last_term = term_at(s, i, last)
    require(m.last_term > last_term or (m.last_term == last_term and m.last_index >= last))
    s.voted_for[i] = m.candidate
    s.net.send(Vote(term=s.term[i], voter=i, candidate=m.candidate))


@SPEC.action(i=SERVER, j=SERVER)
def get_vote(s: State, i: int, j: int) -> None:
    require(s.role[i] == Role.CANDIDATE and j not in s.votes[i])
    require(Vote(term=s.term[i], voter=j, candidate=i) in s.net)
    s.votes[i].add(j)


@SPEC.action(i=SERVER)
def become_leader(s: State, i: int) -> None:
    require(s.role[i] == Role.CANDIDATE and s.votes[i] in QUORUM)
    s.role[i] = Role.LEADER


@SPEC.action(i=SERVER, v=VALUE)
def client(s: State, i: int, v: int) -> None:
    require(s.role[i] == Role.LEADER and len(s.log[i]) < MAX_LOG)
    s.log[i].append(Entry(term=s.term[i], value=v))


@SPEC.action(i=SERVER, k=INDEX)
def send_append(s: State, i: int, k: int) -> None:
    require(s.role[i] == Role.LEADER and 1 <= k and k <= len(s.log[i]))
    message = Append(
        term=s.term[i],
        leader=i,
        prev_index=k - 1,
        prev_term=term_at(s, i, k - 1),
        entry=s.log[i][k - 1],
        commit=min(s.commit[i], k),
    )
    require(message not in s.net)
    s.net.send(message)


@SPEC.action(i=SERVER, m=Append)
def handle_append(s: State, i: int, m: Append) -> None:
    require(m.term == s.term[i] and s.role[i] != Role.LEADER)
    require(m.prev_index == 0 or (m.prev_index <= len(s.log[i]) and term_at(s, i, m.prev_index) == m.prev_term))
    new = m.prev_index + 1
    stored = len(s.log[i]) >= new and term_at(s, i, new) == m.entry.term
    commit = max(s.commit[i], min(m.commit, new))
    reply = Stored(term=s.term[i], follower=i, leader=m.leader, match=new)
    require(s.role[i] == Role.CANDIDATE or not stored or commit != s.commit[i] or reply not in s.net)
    s.role[i] = Role.FOLLOWER
    s.votes[i] = set()
    if not stored:
        del s.log[i][m.prev_index :]
        s.log[i].append(m.entry)
    s.commit[i] = commit
    s.net.send(reply)


@SPEC.action(i=SERVER, m=Stored)
def handle_stored(s: State, i: int, m: Stored) -> None:
    require(m.term == s.term[i] and m.leader == i and s.role[i] == Role.LEADER)
    require(m.match > s.match[i][m.follower])
    s.match[i][m.follower] = m.match


@SPEC.action(i=SERVER)
def advance_commit(s: State, i: int) -> None:
    """To the last replicated entry, if it is of the current term."""
    require(s.role[i] == Role.LEADER)
    last = max(k for k in INDEX if k <= len(s.log[i]) and {j for j in SERVER if j == i or s.match[i][j] >= k} in QUORUM)
    require(last > s.commit[i])
    require(term_at(s, i, last) == s.term[i])
    s.commit[i] = last


@SPEC.fault(i=SERVER, when=CRASHES)
def restart(s: State, i: int) -> None:
    require(s.role[i] != Role.FOLLOWER or s.commit[i] > 0)
    s.role[i] = Role.FOLLOWER
    s.votes[i] = set()
    s.commit[i] = 0
    forget_replies(s, i)


@SPEC.invariant
def election_safety(s: State) -> bool:
    return not any(
        i != j and s.role[i] == Role.LEADER and s.role[j] == Role.LEADER and s.term[i] == s.term[j]
        for i in SERVER
        for j in SERVER
    )


@SPEC.invariant
def state_machine_safety(s: State) -> bool:
    return all(s.log[i][k] == s.log[j][k] for i in SERVER for j in SERVER for k in range(min(s.commit[i], s.commit[j])))


@SPEC.reachable
def leader(s: State) -> bool:
    return any(s.role[i] == Role.LEADER for i in SERVER)
