"""Raft for counting, with messages that are consumed, few of them in flight at a time.

The network is a set; sending needs room in it, answering does not, since the request
leaves first.  See ``test_counts.py``.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import Array, Bound, Index, Maybe, Nat, Network, Record, Seq, Set, Spec, require
from scrutator.model.quorums import Quorums

SERVERS = Bound("servers", 3, "servers", low=1, high=16)
MAX_TERM = Bound("max_term", 1, "terms, from 1", low=1)
MAX_LOG = Bound("max_log", 1, "entries of a log", low=1)
MESSAGES = Bound("messages", 1, "messages in flight at a time", low=1)
SERVER = Index("server", SERVERS, interchangeable=True)
QUORUM = Quorums("quorum", SERVER, "majority", "servers that suffice")
TERM = Nat(MAX_TERM)
INDEX = Nat(MAX_LOG)  # positions in a log count from 1; 0 is before its first entry


class Role(Enum):
    FOLLOWER = 0
    CANDIDATE = 1
    LEADER = 2


class RequestVote(Record):
    src = SERVER
    dst = SERVER
    term = TERM
    last_term = TERM
    last_index = INDEX


class Vote(Record):
    src = SERVER
    dst = SERVER
    term = TERM
    granted = bool


class Append(Record):
    src = SERVER
    dst = SERVER
    term = TERM
    prev_index = INDEX
    prev_term = TERM
    entry_term = TERM  # 0: no entry
    commit = INDEX


class AppendReply(Record):
    src = SERVER
    dst = SERVER
    term = TERM
    success = bool
    match = INDEX


class State(Record):
    term = Array(SERVER, TERM)
    role = Array(SERVER, Role)
    voted_for = Array(SERVER, Maybe(SERVER))
    votes = Array(SERVER, Set(SERVER))
    log = Array(SERVER, Seq(TERM, MAX_LOG))  # the terms of its entries
    commit = Array(SERVER, INDEX)
    next_index = Array(SERVER, Array(SERVER, Nat(MAX_LOG + 1, low=1)))
    match_index = Array(SERVER, Array(SERVER, INDEX))
    net = Network(RequestVote, Vote, Append, AppendReply, ordering="set", capacity=MESSAGES)


SPEC = Spec("golden-small-raft", State)


def term_at(s: State, i: int, k: int) -> int:
    return s.log[i][k - 1] if k > 0 else 0


def learn_term(s: State, i: int, term: int) -> None:
    """A message of a later term makes its receiver a follower in it."""
    if term > s.term[i]:
        s.term[i] = term
        s.role[i] = Role.FOLLOWER
        s.voted_for[i] = None
        s.votes[i] = set()


@SPEC.action(i=SERVER)
def timeout(s: State, i: int) -> None:
    require(s.role[i] != Role.LEADER and s.term[i] < MAX_TERM)
    s.role[i] = Role.CANDIDATE
    s.term[i] += 1
    s.voted_for[i] = i
    s.votes[i] = {i}


@SPEC.action(i=SERVER)
def become_leader(s: State, i: int) -> None:
    require(s.role[i] == Role.CANDIDATE and s.votes[i] in QUORUM)
    s.role[i] = Role.LEADER
    for j in SERVER:
        s.next_index[i][j] = len(s.log[i]) + 1
        s.match_index[i][j] = 0


@SPEC.action(i=SERVER)
def client_request(s: State, i: int) -> None:
    require(s.role[i] == Role.LEADER and len(s.log[i]) < MAX_LOG)
    s.log[i].append(s.term[i])


@SPEC.action(i=SERVER)
def advance_commit(s: State, i: int) -> None:
    """To the last entry of the current term that a quorum stores."""
    require(s.role[i] == Role.LEADER)
    last = 0
    for k in range(s.commit[i] + 1, len(s.log[i]) + 1):
        if term_at(s, i, k) == s.term[i] and {j for j in SERVER if j == i or s.match_index[i][j] >= k} in QUORUM:
            last = k
    require(last > 0)
    s.commit[i] = last


@SPEC.fault(i=SERVER)
def restart(s: State, i: int) -> None:
    require(s.role[i] != Role.FOLLOWER or s.commit[i] != 0)
    s.role[i] = Role.FOLLOWER
    s.votes[i] = set()
    s.commit[i] = 0
    for j in SERVER:
        s.next_index[i][j] = 1
        s.match_index[i][j] = 0


@SPEC.action(i=SERVER, j=SERVER)
def request_vote(s: State, i: int, j: int) -> None:
    require(s.role[i] == Role.CANDIDATE and i != j and j not in s.votes[i] and len(s.net) < MESSAGES)
    last = len(s.log[i])
    message = RequestVote(src=i, dst=j, term=s.term[i], last_term=term_at(s, i, last), last_index=last)
    require(message not in s.net)
    s.net.send(message)


@SPEC.action(i=SERVER, j=SERVER)
def append(s: State, i: int, j: int) -> None:
    require(s.role[i] == Role.LEADER and i != j and len(s.net) < MESSAGES)
    prev = s.next_index[i][j] - 1
    entry_term = s.log[i][prev] if prev < len(s.log[i]) else 0
    last_new = prev + 1 if entry_term > 0 else prev
    message = Append(
        src=i,
        dst=j,
        term=s.term[i],
        prev_index=prev,
        prev_term=term_at(s, i, prev),
        entry_term=entry_term,
        commit=min(s.commit[i], last_new),
    )
    require(message not in s.net)
    s.net.send(message)


@SPEC.action(m=RequestVote)
def receive_request_vote(s: State, m: RequestVote) -> None:
    i = m.dst
    learn_term(s, i, m.term)
    last = len(s.log[i])
    last_term = term_at(s, i, last)
    up_to_date = m.last_term > last_term or (m.last_term == last_term and m.last_index >= last)
    granted = m.term == s.term[i] and up_to_date and s.voted_for[i] in (None, m.src)
    if granted:
        s.voted_for[i] = m.src
    s.net.receive(m)
    s.net.send(Vote(src=i, dst=m.src, term=s.term[i], granted=granted))


@SPEC.action(m=Vote)
def receive_vote(s: State, m: Vote) -> None:
    i = m.dst
    learn_term(s, i, m.term)
    if m.term == s.term[i] and m.granted and s.role[i] == Role.CANDIDATE:
        s.votes[i].add(m.src)
    s.net.receive(m)


@SPEC.action(m=Append)
def receive_append(s: State, m: Append) -> None:
    i = m.dst
    learn_term(s, i, m.term)
    success = False
    match = 0
    if m.term == s.term[i]:
        if s.role[i] == Role.CANDIDATE:
            s.role[i] = Role.FOLLOWER
            s.votes[i] = set()
        prev = m.prev_index
        success = prev == 0 or (prev <= len(s.log[i]) and term_at(s, i, prev) == m.prev_term)
        if success:
            match = prev
            if m.entry_term > 0:
                match = prev + 1
                if len(s.log[i]) > prev and s.log[i][prev] != m.entry_term:
                    del s.log[i][prev:]
                if len(s.log[i]) == prev:
                    s.log[i].append(m.entry_term)
            s.commit[i] = max(s.commit[i], m.commit)
    s.net.receive(m)
    s.net.send(AppendReply(src=i, dst=m.src, term=s.term[i], success=success, match=match))


@SPEC.action(m=AppendReply)
def receive_append_reply(s: State, m: AppendReply) -> None:
    i = m.dst
    learn_term(s, i, m.term)
    if m.term == s.term[i] and s.role[i] == Role.LEADER:
        if m.success:
            s.next_index[i][m.src] = m.match + 1
            s.match_index[i][m.src] = m.match
        else:
            s.next_index[i][m.src] = max(s.next_index[i][m.src] - 1, 1)
    s.net.receive(m)


@SPEC.invariant
def election_safety(s: State) -> bool:
    return not any(
        i != j and s.role[i] == Role.LEADER and s.role[j] == Role.LEADER and s.term[i] == s.term[j]
        for i in SERVER
        for j in SERVER
    )


@SPEC.invariant
def state_machine_safety(s: State) -> bool:
    return all(
        s.log[i][k] == s.log[j][k]
        for i in SERVER
        for j in SERVER
        for k in range(min(s.commit[i], s.commit[j], len(s.log[i]), len(s.log[j])))
    )


@SPEC.reachable
def committed(s: State) -> bool:
    return any(s.commit[i] > 0 for i in SERVER)
