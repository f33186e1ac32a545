"""Naive Raft, as it runs: one value, terms, and server 1 the leader of term 0.

A buyer asks any server.  Who leads sells, and replicates; who does not waits for the leader, and if nothing is
sold in that time stands for election.  A vote carries what the voter has stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scrutator.impl.ladder.actor import Actor
from scrutator.impl.ladder.happening import Message
from scrutator.impl.ladder.shop import Buy, SoldTo

PATIENCE_MS = (30, 45, 60, 75)  # before a server stands for election


@dataclass(frozen=True, slots=True)
class RequestVote(Message):
    term: int


@dataclass(frozen=True, slots=True)
class Vote(Message):
    """For you; and this is what I have stored."""

    term: int
    stored_term: int | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Replicate(Message):
    term: int
    code: str


@dataclass(frozen=True, slots=True)
class Stored(Message):
    term: int
    code: str


class Server(Actor):
    durable: ClassVar[tuple[str, ...]] = ("term", "entry")
    term: int = 0
    entry: tuple[int, str] | None = None  # its term and the buyer
    servers: tuple[str, ...] = ()

    def start(self) -> None:
        self.standing: int | None = None  # the term that it stands or leads in
        self.votes: dict[str, Vote] = {}
        self.sent: Replicate | None = None  # as leader of that term
        self.stored: set[str] = set()
        self.committed: str | None = None
        self.waiting: dict[str, str] = {}  # buyers and their codes
        self.is_patient = False
        if self.life == 0 and self.name == self.servers[0]:
            self.standing = 0
            self.votes = {server: Vote(0, None, None) for server in self.servers}

    def receive(self, src: str, message: Message) -> None:
        match message:
            case Buy(code):
                self.waiting[src] = code
                self._sell()
            case RequestVote(term) if self._may_vote(term):
                self._vote(src, term)
            case Vote(term) if term == self.standing:
                self.votes[src] = message
                self._sell()
            case Replicate(term, code) if self._may_store(term):
                self._store(src, term, code)
            case Stored(term, code) if self.sent == Replicate(term, code):
                self.stored.add(src)
                if self.variant.quorum("commit", self.servers)(self.stored):
                    self._commit(code)

    def _sell(self) -> None:
        """As leader, replicate; else be patient for a while."""
        if self.committed is not None:
            self._commit(self.committed)
        elif self._leads():
            if self.sent is None:
                assert self.standing is not None
                self.sent = Replicate(self.standing, self._choice())
                self.note("replicates", self.sent.term, self.sent.code)
            self._to_others(self.sent)
            if self._may_store(self.sent.term):
                self._store(self.name, self.sent.term, self.sent.code)
        if not self.is_patient and self.committed is None:
            self.is_patient = True
            self.after(self.stage.tape.pick(PATIENCE_MS), self._stand, None)

    def _leads(self) -> bool:
        return self.standing is not None and self.term == self.standing and bool(self.waiting) and self.variant.quorum("election", self.servers)(self.votes)

    def _choice(self) -> str:
        """The latest entry among the votes, or else a buyer of its own."""
        own = next(iter(self.waiting.values()))
        carried = [(v.stored_term, v.code) for v in self.votes.values() if v.stored_term is not None and v.code is not None]
        if not carried or self.is_mutant("leader_keeps_own_value"):
            return own
        term, code = carried[0] if self.is_mutant("takes_any_entry") else max(carried)
        self.note("takes over", term, code)
        return code

    def _stand(self, _: None) -> None:
        """Nothing was sold: stand for election in the next term."""
        self.is_patient = False
        if self.committed is None and self.waiting:
            self.standing, self.votes, self.sent, self.stored = self.term + 1, {}, None, set()
            self._to_others(RequestVote(self.standing))
            self._vote(self.name, self.standing)

    def _may_vote(self, term: int) -> bool:
        return term >= self.term if self.is_mutant("votes_twice") else term > self.term

    def _vote(self, candidate: str, term: int) -> None:
        self.term = term
        self.note("votes", term, candidate)
        vote = Vote(term, *(self.entry or (None, None)))
        if candidate == self.name:
            self.receive(self.name, vote)
        else:
            self.send(candidate, vote)

    def _may_store(self, term: int) -> bool:
        if self.is_mutant("obeys_old_leader"):
            return self.entry is None or term >= self.entry[0]
        return term >= self.term

    def _store(self, leader: str, term: int, code: str) -> None:
        self.term, self.entry = term, (term, code)
        if leader == self.name:
            self.receive(self.name, Stored(term, code))
        else:
            self.send(leader, Stored(term, code))

    def _commit(self, code: str) -> None:
        self.committed = code
        self.send_all(self.waiting, SoldTo(code))
        self.waiting = {}

    def _to_others(self, message: Message) -> None:
        self.send_all((server for server in self.servers if server != self.name), message)
