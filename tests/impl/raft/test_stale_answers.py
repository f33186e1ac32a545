"""Messages of the past that come late: they confirm nothing, and no promise is forgotten over them."""

from __future__ import annotations

from scrutator.impl.raft import ElectionTimeout, Options, Output, Raft, Read, Received, configuration
from scrutator.impl.raft.messages import Appended, AppendEntries, InstallSnapshot, RequestVote, Vote

MEMBERS = configuration("abc")
OPTIONS = Options(pre_vote=False)


def receive(server: Raft, message: object, now_s: float = 5.0) -> Output:
    return server.step(Received(message), now_s)


def leader_of_term_3() -> Raft:
    """Server a, elected by b, whose first entry is committed."""
    a = Raft("a", MEMBERS, OPTIONS, term=2)
    a.step(ElectionTimeout(), 5.0)
    for voter in "ab":
        receive(a, Vote(voter, "a", 3, True))
    for server in "ab":
        receive(a, Appended(server, "a", 3, 1, 1))
    assert a.commit == 1
    return a


def test_an_answer_to_an_earlier_terms_round_confirms_no_round_of_this_term():
    """A leader that leads again counts its rounds anew, and a late request may be answered in the new term."""
    for late in (
        AppendEntries("a", "c", 1, 0, 0, (), 0, 40),
        InstallSnapshot("a", "c", 1, 9, 1, MEMBERS, 0, b"x", 1, 40),
    ):
        a = leader_of_term_3()
        assert not a.step(Read(7), 5.1).reads
        answer = receive(Raft("c", MEMBERS, OPTIONS, term=3, vote="a"), late).send_durable[0]
        assert not receive(a, answer, 5.2).reads, "nobody has confirmed that a leads"
        assert a.progress["c"].round == 0


def test_who_hears_of_a_term_still_keeps_its_promise_to_the_leader_before():
    """The leader may hold a lease that counts on it, whoever else has begun the term."""
    b = Raft("b", MEMBERS, OPTIONS, term=5)
    receive(b, AppendEntries("a", "b", 5, 0, 0, (), 0, 1), 10.0)
    receive(b, Vote("c", "b", 6, False), 10.1)
    request = RequestVote("c", "b", 6, 0, 0)
    assert b.term == 6 and not receive(b, request, 10.2).send_durable
    (vote,) = receive(b, request, 11.1).send_durable
    assert vote == Vote("b", "c", 6, True)
