"""Raft: a leader, elected for a term, replicates its log; figure 2 of the paper as a model.

After Ongaro and Ousterhout, "In search of an understandable consensus algorithm (extended
version)", 2014; sections and figures below are the paper's.  Log positions count from 1.
Three differences from figure 2 make the model smaller without hiding behaviours:

- There is no nextIndex.  It is a leader's guess at where a follower's log ends (section
  5.3); here a leader sends from any position at any time, which covers every guess.
- A server refuses aloud only a request of an old term; other refusals would only improve
  the guess.
- A candidate with enough votes leads, and a leader with enough replies commits, in the
  step that brought the last of them.

A message may stay in flight for ever; with ``loss`` it also makes room for others.
"""

from __future__ import annotations

from enum import Enum

from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Maybe,
    Mutant,
    Nat,
    Network,
    Option,
    Record,
    Seq,
    Set,
    Spec,
    Volatile,
    require,
)  # fmt: skip
from scrutator.model.quorums import Quorums

SERVERS = Bound("servers", 3, "servers", low=1, high=16)
VALUES = Bound("values", 1, "values that clients ask to append", low=1, high=16)
MAX_TERM = Bound("max_term", 2, "the last term, from 1", low=1)
MAX_LOG = Bound("max_log", 1, "entries of a log: a full log takes no requests")
BATCH = Bound("batch", 1, "entries of a message", low=1)
MESSAGES = Bound("messages", 2, "messages in flight at a time", low=1)
CRASHES = Option("crashes", True, "servers crash and restart")
LOSS = Option("loss", False, "the network loses messages")
NOOP = Option("noop", False, "a new leader appends an entry without a value (section 8)")

SERVER = Index("server", SERVERS, interchangeable=True)
VALUE = Index("value", VALUES, interchangeable=True)
TERM = Nat(MAX_TERM, low=1)
INDEX = Nat(MAX_LOG)  # 0: before the first entry
ELECTION = Quorums("election", SERVER, "majority", "servers whose votes make a leader")
COMMIT = Quorums("commit", SERVER, "majority", "servers that must store an entry before it is committed")


class Role(Enum):
    FOLLOWER = 0
    CANDIDATE = 1
    LEADER = 2


class Entry(Record):
    term = TERM
    value = Maybe(VALUE)  # None: a leader's no-op


class Committed(Record):
    """What history remembers of an entry: the term of the leader that committed it."""

    entry = Entry
    by = TERM


class RequestVote(Record):
    src = SERVER
    dst = SERVER
    term = TERM
    last_index = INDEX
    last_term = Nat(MAX_TERM)  # 0: the log is empty


class Vote(Record):
    src = SERVER
    dst = SERVER
    term = TERM


class AppendEntries(Record):
    src = SERVER
    dst = SERVER
    term = TERM
    prev_index = INDEX
    prev_term = Nat(MAX_TERM)
    entries = Seq(Entry, BATCH)  # none: a heartbeat
    commit = INDEX


class Stored(Record):
    """Success: the sender's log agrees with the leader's up to ``match``."""

    src = SERVER
    dst = SERVER
    term = TERM
    match = INDEX


class Refused(Record):
    """The request's term has passed; the sender is in this one."""

    dst = SERVER
    term = TERM


class State(Record):
    # Persistent (figure 2, State)
    term = Array(SERVER, Nat(MAX_TERM))  # 0: before the first election
    voted_for = Array(SERVER, Maybe(SERVER))
    log = Array(SERVER, Seq(Entry, MAX_LOG))
    # Lost in a crash
    role = Array(SERVER, Volatile(Role))
    commit = Array(SERVER, Volatile(INDEX))
    votes = Array(SERVER, Volatile(Set(SERVER)))  # a candidate's
    match = Array(SERVER, Volatile(Array(SERVER, INDEX)))  # a leader's

    net = Network(RequestVote, Vote, AppendEntries, Stored, Refused, ordering="set", capacity=MESSAGES, loss=LOSS)

    # History
    elected = Ghost(Array(TERM, Maybe(SERVER)))  # the first leader of each term
    committed = Ghost(Seq(Committed, MAX_LOG))


SPEC = Spec("raft", State)


# --- rules for servers ----------------------------------------------------------------


def last_index(s: State, i: int) -> int:
    """The position of server i's last entry."""
    return len(s.log[i])


def term_at(s: State, i: int, k: int) -> int:
    """The term of server i's entry k; 0 before the first."""
    return s.log[i][k - 1].term if k > 0 else 0


def become_follower(s: State, i: int) -> None:
    """Server i stops counting votes and replies."""
    s.role[i] = Role.FOLLOWER
    s.votes[i] = set()
    for j in SERVER:
        s.match[i][j] = 0


def observe_term(s: State, i: int, term: int) -> None:
    """A message of a higher term makes server i a follower in it (section 5.1)."""
    if term > s.term[i]:
        s.term[i] = term
        s.voted_for[i] = None
        become_follower(s, i)


# --- elections (section 5.2) ----------------------------------------------------------


def lead_if_elected(s: State, i: int) -> None:
    """Candidate i leads once a quorum has voted for it."""
    if s.votes[i] in ELECTION:
        s.role[i] = Role.LEADER
        s.votes[i] = set()
        if s.elected[s.term[i]] is None:
            s.elected[s.term[i]] = i
        if NOOP and last_index(s, i) < MAX_LOG:
            s.log[i].append(Entry(term=s.term[i], value=None))
            advance_commit(s, i)


@SPEC.action(i=SERVER)
def timeout(s: State, i: int) -> None:
    """Server i hears of no leader, and stands for election in the next term."""
    require(s.role[i] != Role.LEADER and s.term[i] < MAX_TERM)
    s.term[i] += 1
    s.role[i] = Role.CANDIDATE
    s.voted_for[i] = i
    s.votes[i] = {i}
    lead_if_elected(s, i)


@SPEC.action(i=SERVER, j=SERVER)
def request_vote(s: State, i: int, j: int) -> None:
    """Candidate i asks server j for its vote."""
    require(s.role[i] == Role.CANDIDATE and j not in s.votes[i])
    last = last_index(s, i)
    s.net.send(RequestVote(src=i, dst=j, term=s.term[i], last_index=last, last_term=term_at(s, i, last)))


def is_up_to_date(s: State, i: int, m: RequestVote) -> bool:
    """The candidate's log is at least as up to date as server i's (section 5.4.1)."""
    last = last_index(s, i)
    mine = term_at(s, i, last)
    return m.last_term > mine or (m.last_term == mine and m.last_index >= last)


def has_vote_for(s: State, i: int, candidate: int) -> bool:
    """Server i has not yet given its vote of this term to another."""
    return s.voted_for[i] in (None, candidate)


@SPEC.action(m=RequestVote)
def receive_request_vote(s: State, m: RequestVote) -> None:
    """Vote for the candidate, if the term is current, the vote is free and its log is not behind."""
    i = m.dst
    s.net.receive(m)
    observe_term(s, i, m.term)
    if m.term < s.term[i]:
        s.net.send(Refused(dst=m.src, term=s.term[i]))
    elif has_vote_for(s, i, m.src) and is_up_to_date(s, i, m):
        s.voted_for[i] = m.src
        s.net.send(Vote(src=i, dst=m.src, term=m.term))


@SPEC.action(m=Vote)
def receive_vote(s: State, m: Vote) -> None:
    """Count a vote of the current term."""
    i = m.dst
    s.net.receive(m)
    observe_term(s, i, m.term)
    if m.term == s.term[i] and s.role[i] == Role.CANDIDATE:
        s.votes[i].add(m.src)
        lead_if_elected(s, i)


@SPEC.action(m=Refused)
def receive_refused(s: State, m: Refused) -> None:
    """Learn that a request's term had passed."""
    s.net.receive(m)
    observe_term(s, m.dst, m.term)


# --- log replication (section 5.3) ----------------------------------------------------


@SPEC.action(i=SERVER, v=VALUE)
def client_request(s: State, i: int, v: int) -> None:
    """A client asks leader i to append v."""
    require(s.role[i] == Role.LEADER and last_index(s, i) < MAX_LOG)
    s.log[i].append(Entry(term=s.term[i], value=v))
    advance_commit(s, i)


@SPEC.action(i=SERVER, j=SERVER, prev=INDEX, count=Nat(BATCH))
def append_entries(s: State, i: int, j: int, prev: int, count: int) -> None:
    """Leader i sends server j some entries after position prev, or a heartbeat."""
    require(s.role[i] == Role.LEADER and i != j and prev + count <= last_index(s, i))
    s.net.send(
        AppendEntries(
            src=i, dst=j, term=s.term[i], prev_index=prev, prev_term=term_at(s, i, prev),
            entries=s.log[i][prev : prev + count], commit=s.commit[i],
        )
    )  # fmt: skip


def is_consistent(s: State, i: int, m: AppendEntries) -> bool:
    """Server i's log holds the entry just before the new ones."""
    return m.prev_index <= last_index(s, i) and term_at(s, i, m.prev_index) == m.prev_term


def store_entries(s: State, i: int, m: AppendEntries) -> None:
    """Store new entries; an entry that conflicts goes, and all that follow it."""
    for n in range(len(m.entries)):
        k = m.prev_index + n + 1
        if k <= last_index(s, i) and term_at(s, i, k) != m.entries[n].term:
            del s.log[i][k - 1 :]
        if k > last_index(s, i):
            s.log[i].append(m.entries[n])


def commit_as_follower(s: State, i: int, m: AppendEntries) -> None:
    """Follow the leader's commit index, but only as far as this message vouches for the log."""
    s.commit[i] = max(s.commit[i], min(m.commit, m.prev_index + len(m.entries)))


@SPEC.action(m=AppendEntries)
def receive_append_entries(s: State, m: AppendEntries) -> None:
    """Store the leader's entries, if the log agrees with its own before them, and say so."""
    i = m.dst
    s.net.receive(m)
    observe_term(s, i, m.term)
    if m.term < s.term[i]:
        s.net.send(Refused(dst=m.src, term=s.term[i]))
    else:
        become_follower(s, i)
        if is_consistent(s, i, m):
            store_entries(s, i, m)
            commit_as_follower(s, i, m)
            if m.prev_index + len(m.entries) > 0:
                s.net.send(Stored(src=i, dst=m.src, term=m.term, match=m.prev_index + len(m.entries)))


@SPEC.action(m=Stored)
def receive_stored(s: State, m: Stored) -> None:
    """Remember how much of the log a follower stores."""
    i = m.dst
    s.net.receive(m)
    observe_term(s, i, m.term)
    if m.term == s.term[i] and s.role[i] == Role.LEADER:
        s.match[i][m.src] = max(s.match[i][m.src], m.match)
        advance_commit(s, i)


def may_commit(s: State, i: int, k: int) -> bool:
    """A quorum stores entry k, and it is of leader i's own term (section 5.4.2)."""
    return {j for j in SERVER if j == i or s.match[i][j] >= k} in COMMIT and term_at(s, i, k) == s.term[i]


def advance_commit(s: State, i: int) -> None:
    """Leader i commits the last entry that it may, and with it all before."""
    for k in range(s.commit[i] + 1, last_index(s, i) + 1):
        if may_commit(s, i, k):
            s.commit[i] = k
    for k in range(len(s.committed), s.commit[i]):
        s.committed.append(Committed(entry=s.log[i][k], by=s.term[i]))


@SPEC.fault(i=SERVER, when=CRASHES)
def restart(s: State, i: int) -> None:
    """Server i crashes, and comes back with what figure 2 calls persistent."""
    s.lose_volatile(i)


# --- properties (figure 3) ------------------------------------------------------------


def leads(s: State, i: int) -> bool:
    """Server i is a leader."""
    return s.role[i] == Role.LEADER


def holds_entry(s: State, i: int, k: int) -> bool:
    """Server i's log holds the k-th committed entry (from 0)."""
    return k < len(s.log[i]) and s.log[i][k] == s.committed[k].entry


@SPEC.invariant
def election_safety(s: State) -> bool:
    """At most one leader is elected in a term."""
    return all(not leads(s, i) or s.elected[s.term[i]] == i for i in SERVER)


@SPEC.step_invariant
def leader_append_only(before: State, after: State) -> bool:
    """A leader never overwrites or deletes entries of its log."""
    return all(
        len(before.log[i]) <= len(after.log[i]) and all(before.log[i][k] == after.log[i][k] for k in range(len(before.log[i])))
        for i in SERVER
        if leads(before, i) and leads(after, i) and before.term[i] == after.term[i]
    )


@SPEC.invariant
def log_matching(s: State) -> bool:
    """Two logs with an entry of the same position and term agree up to it."""
    return all(
        s.log[i][k].term != s.log[j][k].term or all(s.log[i][n] == s.log[j][n] for n in range(k + 1))
        for i in SERVER
        for j in SERVER
        for k in range(min(len(s.log[i]), len(s.log[j])))
    )


@SPEC.invariant
def leader_completeness(s: State) -> bool:
    """What was committed in a term is in the logs of the leaders of all later terms."""
    return all(
        holds_entry(s, i, k)
        for i in SERVER
        if leads(s, i)
        for k in range(len(s.committed))
        if s.committed[k].by < s.term[i]
    )


@SPEC.invariant
def state_machine_safety(s: State) -> bool:
    """No two servers, at any two times, apply different entries at the same position."""
    return all(k < len(s.committed) and holds_entry(s, i, k) for i in SERVER for k in range(s.commit[i]))


@SPEC.invariant
def committed_is_stored(s: State) -> bool:
    """A committed entry stays in the logs of a commit quorum."""
    return all({i for i in SERVER if holds_entry(s, i, k)} in COMMIT for k in range(len(s.committed)))


@SPEC.step_invariant
def term_monotonic(before: State, after: State) -> bool:
    """Terms only grow, and within one a vote, once given, stands."""
    return all(
        after.term[i] > before.term[i]
        or (after.term[i] == before.term[i] and before.voted_for[i] in (None, after.voted_for[i]))
        for i in SERVER
    )


@SPEC.step_invariant
def commit_monotonic(before: State, after: State) -> bool:
    """A commit index only grows, but for a restart, which forgets it."""
    return all(after.commit[i] >= before.commit[i] or (after.commit[i] == 0 and not leads(after, i)) for i in SERVER)


@SPEC.reachable
def leader_elected(s: State) -> bool:
    """A server can become leader."""
    return any(leads(s, i) for i in SERVER)


@SPEC.reachable
def everywhere_committed(s: State) -> bool:
    """Every server can come to know that an entry is committed."""
    return all(s.commit[i] > 0 for i in SERVER)


@SPEC.reachable
def two_leaders(s: State) -> bool:
    """Two leaders can exist at once, of different terms."""
    return any(i != j and leads(s, i) and leads(s, j) for i in SERVER for j in SERVER)


@SPEC.reachable
def logs_conflict(s: State) -> bool:
    """Logs can hold different entries at one position, one of which must go."""
    return any(
        s.log[i][k] != s.log[j][k] for i in SERVER for j in SERVER for k in range(min(len(s.log[i]), len(s.log[j])))
    )


@SPEC.reachable
def later_leader_completes(s: State) -> bool:
    """A leader can take over what a leader of an earlier term committed."""
    return any(leads(s, i) and len(s.committed) > 0 and s.committed[0].by < s.term[i] for i in SERVER)


# --- mutants --------------------------------------------------------------------------


@SPEC.mutant(
    replaces=restart, breaks="election_safety", source="bakwc/PySyncObj/issues/84",
    bounds={"max_term": 1, "max_log": 0, "messages": 1},
)  # fmt: skip
def vote_in_memory(s: State, i: int) -> None:
    """The vote does not survive a restart, so that a server may vote twice in a term."""
    s.lose_volatile(i)
    s.voted_for[i] = None


@SPEC.mutant(
    replaces=restart, breaks="leader_completeness", source="bakwc/PySyncObj/pull/202",
    bounds={"max_term": 2, "max_log": 1, "messages": 1},
)  # fmt: skip
def term_in_memory(s: State, i: int) -> None:
    """The term starts again from 0, while the log keeps its old terms."""
    s.lose_volatile(i)
    s.term[i] = 0
    s.voted_for[i] = None


@SPEC.mutant(
    replaces=has_vote_for, breaks="election_safety", source="a server that does not remember its vote",
    bounds={"max_term": 1, "max_log": 0, "messages": 1, "crashes": False},
)  # fmt: skip
def vote_twice(s: State, i: int, candidate: int) -> bool:
    """A server votes for everyone who asks."""
    return True


@SPEC.mutant(
    replaces=receive_vote, breaks="election_safety", source="a candidate that counts every vote it is sent",
    bounds={"max_term": 2, "max_log": 0, "messages": 1, "crashes": False},
)  # fmt: skip
def count_old_votes(s: State, m: Vote) -> None:
    """A candidate also counts votes that it was given in an earlier term."""
    i = m.dst
    s.net.receive(m)
    observe_term(s, i, m.term)
    if s.role[i] == Role.CANDIDATE:
        s.votes[i].add(m.src)
        lead_if_elected(s, i)


@SPEC.mutant(
    replaces=is_up_to_date, breaks="leader_completeness", source="belaban/jgroups-raft/issues/14",
    bounds={"max_term": 2, "max_log": 1, "messages": 1, "crashes": False},
)  # fmt: skip
def elect_anybody(s: State, i: int, m: RequestVote) -> bool:
    """Logs are not compared in elections."""
    return True


@SPEC.mutant(
    replaces=is_up_to_date, breaks="leader_completeness", source="markwylde/liferaft/pull/10",
    bounds={"max_term": 2, "max_log": 2, "messages": 1, "crashes": False},
)  # fmt: skip
def compare_logs_by_parts(s: State, i: int, m: RequestVote) -> bool:
    """A candidate is refused only if its last term and its last position are both behind."""
    last = last_index(s, i)
    return m.last_term >= term_at(s, i, last) or m.last_index >= last


@SPEC.mutant(
    replaces=may_commit, breaks="leader_completeness", source="figure 8; logcabin/logcabin/issues/44",
    bounds={"max_term": 4, "max_log": 1, "messages": 1, "crashes": False},
)  # fmt: skip
def commit_old_terms(s: State, i: int, k: int) -> bool:
    """A leader commits an entry of an earlier term once a quorum stores it."""
    return {j for j in SERVER if j == i or s.match[i][j] >= k} in COMMIT


@SPEC.mutant(
    replaces=is_consistent, breaks="log_matching", source="a follower that stores what it is sent",
    bounds={"max_term": 2, "max_log": 2, "messages": 1, "crashes": False},
)  # fmt: skip
def skip_consistency_check(s: State, i: int, m: AppendEntries) -> bool:
    """The follower does not compare the entry before the new ones, only that there is one."""
    return m.prev_index <= last_index(s, i)


@SPEC.mutant(
    replaces=store_entries, breaks="leader_completeness", source="PySyncObj 0.3.17, syncobj.py:991",
    bounds={"max_term": 2, "max_log": 1, "messages": 1, "crashes": False},
)  # fmt: skip
def truncate_always(s: State, i: int, m: AppendEntries) -> None:
    """The follower drops all entries after prev_index, also those that agree with the leader's."""
    del s.log[i][m.prev_index :]
    for entry in m.entries:
        s.log[i].append(entry)


@SPEC.mutant(
    replaces=commit_as_follower, breaks="state_machine_safety", source="atomix/copycat/issues/265; rabbitmq/ra/pull/508",
    bounds={"max_term": 2, "max_log": 1, "messages": 1, "crashes": False},
)  # fmt: skip
def trust_commit_index(s: State, i: int, m: AppendEntries) -> None:
    """The follower takes the leader's commit index for all of its log, whatever the message vouches for."""
    s.commit[i] = max(s.commit[i], min(m.commit, last_index(s, i)))


SPEC.add_mutant(
    Mutant(
        "elect_by_half",
        "Half of the servers elect a leader: two halves need not meet.",
        breaks="election_safety",
        source="n / 2 written for n / 2 + 1",
        bounds={"servers": 4, "election": "half", "max_term": 1, "max_log": 0, "messages": 1},
    )
)
SPEC.add_mutant(
    Mutant(
        "commit_alone",
        "A leader commits what it alone stores.",
        breaks="leader_completeness",
        source="a leader that acknowledges before it replicates",
        bounds={"commit": "1", "max_term": 2, "max_log": 1, "messages": 1},
    )
)
