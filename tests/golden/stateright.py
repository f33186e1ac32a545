"""Stateright's examples of registers: `single-copy-register`, `linearizable-register` (ABD), `paxos`.

After the examples of Stateright 0.31 (Jonathan Nadal): servers and clients as actors over
an unordered network that neither loses nor duplicates.  Client c puts its own value at
server c modulo the number of servers, and once that is acknowledged gets from the next
one.  A message that an actor would ignore stays in the network.

Its states contain the history that its linearizability tester records: of each operation
how many operations of every other client had completed when it was invoked, and what it
returned.  For one put and one get a client, that is the snapshot taken at the get, and its
value.
"""

from __future__ import annotations

from scrutator.model.language import (
    Array,
    Bound,
    Ghost,
    Index,
    Maybe,
    Nat,
    Network,
    Record,
    Set,
    Spec,
    require,
)

SERVERS = Bound("servers", 3, "servers", low=1, high=8)
CLIENTS = Bound("clients", 2, "clients, each with a value of its own", low=1, high=8)
SERVER = Index("server", SERVERS)
CLIENT = Index("client", CLIENTS)
VALUE = Maybe(CLIENT)  # whose value it is; None: nobody's, the initial one


class Put(Record):
    client = CLIENT
    server = SERVER


class PutOk(Record):
    client = CLIENT
    server = SERVER


class Get(Record):
    client = CLIENT
    server = SERVER


class GetOk(Record):
    client = CLIENT
    server = SERVER
    value = VALUE


class Read(Record):
    """What the tester knows of a client's get."""

    seen = Array(CLIENT, Nat(2))  # operations of others that had completed when it was invoked
    got = VALUE


def server_of(c: int, k: int) -> int:
    """The server of client c's k-th operation; servers come before clients in the numbering of actors."""
    return (SERVERS + c + k) % SERVERS


def put_returns(s: SingleCopy, m: PutOk) -> None:
    """A client learns that its put took place, and gets."""
    require(s.completed[m.client] == 0)
    s.net.receive(m)
    s.completed[m.client] = 1
    for c in CLIENT:
        if c != m.client:
            s.history[m.client].seen[c] = s.completed[c]
    s.net.send(Get(client=m.client, server=server_of(m.client, 1)))


def get_returns(s: SingleCopy, m: GetOk) -> None:
    """A client learns the value."""
    require(s.completed[m.client] == 1)
    s.net.receive(m)
    s.completed[m.client] = 2
    s.history[m.client].got = m.value


def start(s: SingleCopy) -> None:
    """Everybody's put is on its way."""
    for c in CLIENT:
        s.net.send(Put(client=c, server=server_of(c, 0)))


def had_returned(s: SingleCopy, d: int, k: int, c: int) -> bool:
    """Client d's k-th operation had returned when client c invoked its get."""
    return (c == d and k == 1) or s.history[c].seen[d] >= k


def came_before(s: SingleCopy, v: int, w: int) -> bool:
    """An operation on v had returned when somebody invoked a get that returned w."""
    return any(
        s.history[c].got == w and (had_returned(s, v, 1, c) or any(s.history[d].got == v and had_returned(s, d, 2, c) for d in CLIENT))
        for c in CLIENT
    )


def linearizable(s: SingleCopy) -> bool:
    """Some order of the operations explains what the gets returned.

    Everybody's put was invoked before any get, so that a get finds some value; and as each
    value is put once, an order exists unless two values each came before the other (Gibbons
    and Korach, "Testing shared memories", 1997).
    """
    return all(s.history[c].got is not None for c in CLIENT if s.completed[c] == 2) and not any(
        v != w and came_before(s, v, w) and came_before(s, w, v) for v in CLIENT for w in CLIENT
    )


def value_chosen(s: SingleCopy) -> bool:
    """A value is on its way to a client."""
    return any(m.value is not None for m in s.net.of(GetOk))


# --- one copy -------------------------------------------------------------------------


class SingleCopy(Record):
    value = Array(SERVER, VALUE)
    completed = Array(CLIENT, Nat(2))  # operations of each client
    history = Ghost(Array(CLIENT, Read))
    net = Network(Put, PutOk, Get, GetOk, ordering="set")


SINGLE_COPY = Spec("single-copy-register", SingleCopy)
SINGLE_COPY.initial(start)


@SINGLE_COPY.action(m=Put)
def single_put(s: SingleCopy, m: Put) -> None:
    """A server stores the value."""
    s.net.receive(m)
    s.value[m.server] = m.client
    s.net.send(PutOk(client=m.client, server=m.server))


@SINGLE_COPY.action(m=Get)
def single_get(s: SingleCopy, m: Get) -> None:
    """A server returns its value."""
    s.net.receive(m)
    s.net.send(GetOk(client=m.client, server=m.server, value=s.value[m.server]))


SINGLE_COPY.action(m=PutOk)(put_returns)
SINGLE_COPY.action(m=GetOk)(get_returns)
SINGLE_COPY.invariant(linearizable)
SINGLE_COPY.reachable(value_chosen)


@SINGLE_COPY.reachable
def everything_discovered(s: SingleCopy) -> bool:
    """Stateright stops where one state shows all there is to discover."""
    return not linearizable(s) and value_chosen(s)


# --- ABD: Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems" -----


class Stamp(Record):
    """A value and when it was written; ``owner`` makes equal clocks distinct."""

    clock = Nat(CLIENTS)
    owner = SERVER
    value = VALUE


class Query(Record):
    src = SERVER
    dst = SERVER
    client = CLIENT
    get = bool


class AckQuery(Record):
    src = SERVER
    dst = SERVER
    client = CLIENT
    get = bool
    stamp = Stamp


class Store(Record):
    src = SERVER
    dst = SERVER
    client = CLIENT
    get = bool
    stamp = Stamp


class AckStore(Record):
    src = SERVER
    dst = SERVER
    client = CLIENT
    get = bool


class Replica(Record):
    clock = Nat(CLIENTS)
    owner = SERVER
    value = VALUE
    phase = Nat(2)  # 0: idle; 1: asking; 2: storing
    client = Maybe(CLIENT)  # whose operation it serves
    get = bool
    responses = Array(SERVER, Maybe(Stamp))
    read = VALUE
    acks = Set(SERVER)


class Abd(Record):
    replica = Array(SERVER, Replica)
    completed = Array(CLIENT, Nat(2))  # operations of each client
    history = Ghost(Array(CLIENT, Read))
    net = Network(Put, PutOk, Get, GetOk, Query, AckQuery, Store, AckStore, ordering="bag", capacity=12)


ABD = Spec("abd-register", Abd)


@ABD.initial
def abd_start(s: Abd) -> None:
    """Clocks at 0, each server the owner of its own."""
    for i in SERVER:
        s.replica[i].owner = i
    start(s)


def ask(s: Abd, i: int, c: int, get: bool) -> None:
    """Phase 1: what is the latest value?"""
    require(s.replica[i].phase == 0)
    s.replica[i].phase = 1
    s.replica[i].client = c
    s.replica[i].get = get
    s.replica[i].responses[i] = Stamp(clock=s.replica[i].clock, owner=s.replica[i].owner, value=s.replica[i].value)
    for j in SERVER:
        if j != i:
            s.net.send(Query(src=i, dst=j, client=c, get=get))


@ABD.action(m=Put)
def abd_put(s: Abd, m: Put) -> None:
    """A server takes up a put."""
    ask(s, m.server, m.client, False)
    s.net.receive(m)


@ABD.action(m=Get)
def abd_get(s: Abd, m: Get) -> None:
    """A server takes up a get."""
    ask(s, m.server, m.client, True)
    s.net.receive(m)


@ABD.action(m=Query)
def abd_query(s: Abd, m: Query) -> None:
    """A server tells its value."""
    s.net.receive(m)
    mine = Stamp(clock=s.replica[m.dst].clock, owner=s.replica[m.dst].owner, value=s.replica[m.dst].value)
    s.net.send(AckQuery(src=m.dst, dst=m.src, client=m.client, get=m.get, stamp=mine))


def is_later(clock: int, owner: int, than_clock: int, than_owner: int) -> bool:
    """Stamps are ordered by clock, then owner."""
    return clock > than_clock or (clock == than_clock and owner > than_owner)


def serves(s: Abd, i: int, phase: int, c: int, get: bool) -> bool:
    """Server i is in that phase of that operation."""
    return s.replica[i].phase == phase and s.replica[i].client == c and s.replica[i].get == get


def store(s: Abd, i: int, stamp: Stamp) -> None:
    """Keep the later value."""
    if is_later(stamp.clock, stamp.owner, s.replica[i].clock, s.replica[i].owner):
        s.replica[i].clock = stamp.clock
        s.replica[i].owner = stamp.owner
        s.replica[i].value = stamp.value


def spread(s: Abd, i: int, c: int, get: bool, stamp: Stamp) -> None:
    """Phase 2: everybody should know."""
    for j in SERVER:
        if j != i:
            s.net.send(Store(src=i, dst=j, client=c, get=get, stamp=stamp))
    store(s, i, stamp)
    s.replica[i].phase = 2
    for j in SERVER:
        s.replica[i].responses[j] = None
    s.replica[i].read = stamp.value if get else None
    s.replica[i].acks.add(i)


@ABD.action(m=AckQuery)
def abd_ack_query(s: Abd, m: AckQuery) -> None:
    """With a majority of answers, on to phase 2."""
    i = m.dst
    require(serves(s, i, 1, m.client, m.get))
    s.net.receive(m)
    s.replica[i].responses[m.src] = m.stamp
    answers = sum(1 for j in SERVER if s.replica[i].responses[j] is not None)
    if answers == SERVERS // 2 + 1:
        clock = 0
        owner = 0
        value = s.replica[i].value
        for j in SERVER:
            found = s.replica[i].responses[j]
            if found is not None:
                if is_later(found.clock, found.owner, clock, owner) or (found.clock == clock and found.owner == owner):
                    clock = found.clock
                    owner = found.owner
                    value = found.value
        if m.get:
            spread(s, i, m.client, True, Stamp(clock=clock, owner=owner, value=value))
        else:
            spread(s, i, m.client, False, Stamp(clock=clock + 1, owner=i, value=m.client))


@ABD.action(m=Store)
def abd_store(s: Abd, m: Store) -> None:
    """A server keeps the value, if it is later than its own."""
    s.net.receive(m)
    store(s, m.dst, m.stamp)
    s.net.send(AckStore(src=m.dst, dst=m.src, client=m.client, get=m.get))


@ABD.action(m=AckStore)
def abd_ack_store(s: Abd, m: AckStore) -> None:
    """With a majority, the client hears of it."""
    i = m.dst
    require(serves(s, i, 2, m.client, m.get) and m.src not in s.replica[i].acks)
    s.net.receive(m)
    s.replica[i].acks.add(m.src)
    if len(s.replica[i].acks) == SERVERS // 2 + 1:
        if m.get:
            s.net.send(GetOk(client=m.client, server=i, value=s.replica[i].read))
        else:
            s.net.send(PutOk(client=m.client, server=i))
        s.replica[i].phase = 0
        s.replica[i].client = None
        s.replica[i].get = False
        s.replica[i].read = None
        for j in SERVER:
            s.replica[i].acks.discard(j)


ABD.action(m=PutOk)(put_returns)
ABD.action(m=GetOk)(get_returns)
ABD.invariant(linearizable)
ABD.reachable(value_chosen)


# --- single-decree Paxos ----------------------------------------------------------------


class Vote(Record):
    """The last proposal that a server accepted; ``leader`` completes its ballot's number."""

    round = Nat(CLIENTS)
    leader = SERVER
    proposal = CLIENT  # named by the client whose put it is


class Prepare(Record):
    src = SERVER
    dst = SERVER
    round = Nat(CLIENTS)


class Prepared(Record):
    src = SERVER
    dst = SERVER
    round = Nat(CLIENTS)
    last = Maybe(Vote)


class Accept(Record):
    src = SERVER
    dst = SERVER
    round = Nat(CLIENTS)
    proposal = CLIENT


class Accepted(Record):
    src = SERVER
    dst = SERVER
    round = Nat(CLIENTS)


class Decided(Record):
    src = SERVER
    dst = SERVER
    round = Nat(CLIENTS)
    proposal = CLIENT


class Server(Record):
    round = Nat(CLIENTS)
    leader = SERVER
    proposal = Maybe(CLIENT)
    prepared = Set(SERVER)
    last = Array(SERVER, Maybe(Vote))  # what those had accepted
    accepts = Set(SERVER)
    accepted = Maybe(Vote)
    decided = bool


class Paxos(Record):
    server = Array(SERVER, Server)
    completed = Array(CLIENT, Nat(2))  # operations of each client
    history = Ghost(Array(CLIENT, Read))
    net = Network(
        Put, PutOk, Get, GetOk, Prepare, Prepared, Accept, Accepted, Decided, ordering="bag", capacity=16
    )


PAXOS = Spec("paxos-actors", Paxos)
PAXOS.initial(start)
PAXOS.action(m=PutOk)(put_returns)
PAXOS.action(m=GetOk)(get_returns)
PAXOS.invariant(linearizable)
PAXOS.reachable(value_chosen)


def is_older(round: int, leader: int, than_round: int, than_leader: int) -> bool:
    """Ballots are ordered by round, then leader."""
    return round < than_round or (round == than_round and leader < than_leader)


@PAXOS.action(m=Put)
def paxos_put(s: Paxos, m: Put) -> None:
    """A server without a proposal begins a ballot for the client's."""
    i = m.server
    require(not s.server[i].decided and s.server[i].proposal is None)
    s.net.receive(m)
    s.server[i].proposal = m.client
    s.server[i].round += 1
    s.server[i].leader = i
    s.server[i].prepared.clear()
    s.server[i].accepts.clear()
    s.server[i].prepared.add(i)
    for j in SERVER:
        s.server[i].last[j] = None
    s.server[i].last[i] = s.server[i].accepted
    for j in SERVER:
        if j != i:
            s.net.send(Prepare(src=i, dst=j, round=s.server[i].round))


@PAXOS.action(m=Get)
def paxos_get(s: Paxos, m: Get) -> None:
    """A server that knows the decision tells it; others keep silent."""
    vote = s.server[m.server].accepted
    require(s.server[m.server].decided and vote is not None)
    s.net.receive(m)
    s.net.send(GetOk(client=m.client, server=m.server, value=vote.proposal))


@PAXOS.action(m=Prepare)
def paxos_prepare(s: Paxos, m: Prepare) -> None:
    """A server enters a higher ballot."""
    i = m.dst
    require(not s.server[i].decided and is_older(s.server[i].round, s.server[i].leader, m.round, m.src))
    s.net.receive(m)
    s.server[i].round = m.round
    s.server[i].leader = m.src
    s.net.send(Prepared(src=i, dst=m.src, round=m.round, last=s.server[i].accepted))


@PAXOS.action(m=Prepared)
def paxos_prepared(s: Paxos, m: Prepared) -> None:
    """With a majority, the leader proposes what the latest vote was for, if there was one."""
    i = m.dst
    require(not s.server[i].decided and s.server[i].round == m.round and s.server[i].leader == i)
    s.net.receive(m)
    s.server[i].prepared.add(m.src)
    s.server[i].last[m.src] = m.last
    if len(s.server[i].prepared) == SERVERS // 2 + 1:
        round = 0
        leader = 0
        for j in SERVER:
            vote = s.server[i].last[j]
            if vote is not None:
                if is_older(round, leader, vote.round, vote.leader):
                    round = vote.round
                    leader = vote.leader
                    s.server[i].proposal = vote.proposal
        proposal = s.server[i].proposal
        if proposal is not None:
            s.server[i].accepted = Vote(round=m.round, leader=i, proposal=proposal)
            s.server[i].accepts.add(i)
            for j in SERVER:
                if j != i:
                    s.net.send(Accept(src=i, dst=j, round=m.round, proposal=proposal))


@PAXOS.action(m=Accept)
def paxos_accept(s: Paxos, m: Accept) -> None:
    """A server accepts, unless it has entered a higher ballot."""
    i = m.dst
    require(not s.server[i].decided and not is_older(m.round, m.src, s.server[i].round, s.server[i].leader))
    s.net.receive(m)
    s.server[i].round = m.round
    s.server[i].leader = m.src
    s.server[i].accepted = Vote(round=m.round, leader=m.src, proposal=m.proposal)
    s.net.send(Accepted(src=i, dst=m.src, round=m.round))


@PAXOS.action(m=Accepted)
def paxos_accepted(s: Paxos, m: Accepted) -> None:
    """With a majority, the leader's proposal is decided: everybody hears, and its client too."""
    i = m.dst
    require(not s.server[i].decided and s.server[i].round == m.round and s.server[i].leader == i)
    s.net.receive(m)
    s.server[i].accepts.add(m.src)
    proposal = s.server[i].proposal
    if len(s.server[i].accepts) == SERVERS // 2 + 1 and proposal is not None:
        s.server[i].decided = True
        for j in SERVER:
            if j != i:
                s.net.send(Decided(src=i, dst=j, round=m.round, proposal=proposal))
        s.net.send(PutOk(client=proposal, server=i))


@PAXOS.action(m=Decided)
def paxos_decided(s: Paxos, m: Decided) -> None:
    """A server learns the decision."""
    i = m.dst
    require(not s.server[i].decided)
    s.net.receive(m)
    s.server[i].round = m.round
    s.server[i].leader = m.src
    s.server[i].accepted = Vote(round=m.round, leader=m.src, proposal=m.proposal)
    s.server[i].decided = True


@PAXOS.invariant
def agreement(s: Paxos) -> bool:
    """Whoever knows a decision knows the same."""
    decisions = {c for c in CLIENT if any(s.server[i].decided and chose(s, i, c) for i in SERVER)}
    return len(decisions) <= 1


def chose(s: Paxos, i: int, c: int) -> bool:
    """Server i's last vote was for c's proposal."""
    vote = s.server[i].accepted
    return vote is not None and vote.proposal == c
