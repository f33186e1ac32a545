"""Voting of the TLA+ examples, with every successor that TLC generates for it.

After ``specifications/Paxos/Voting.tla`` (Lamport; the algorithm of "Paxos made simple", 2001).

One vote is generated once for each quorum, earlier ballot and voter that show it safe.
State and properties are those of the model that we ship.  Quorums are all acceptors but
one: for three acceptors.
"""

from __future__ import annotations

from scrutator.model.language import Spec, require
from scrutator.model.voting import ACCEPTOR, BALLOT, VALUE, State, agreement, may_vote

SPEC = Spec("tla-voting", State)
SPEC.invariant(agreement)


@SPEC.action(a=ACCEPTOR, b=BALLOT)
def increase_max_bal(s: State, a: int, b: int) -> None:
    """IncreaseMaxBal(a, b)."""
    require(b > s.promised[a])
    s.promised[a] = b


def is_silent(s: State, b: int, absent: int, last: int) -> bool:
    """The quorum has promised b, and cast no vote between ballot ``last`` and b."""
    return all(
        c == absent or (s.promised[c] >= b and all(s.vote[c][d] is None for d in BALLOT if last < d and d < b))
        for c in ACCEPTOR
    )


@SPEC.action(a=ACCEPTOR, b=BALLOT, v=VALUE, absent=ACCEPTOR)
def vote_first(s: State, a: int, b: int, v: int, absent: int) -> None:
    """VoteFor(a, b, v): the quorum has not voted."""
    require(may_vote(s, a, b, v) and is_silent(s, b, absent, 0))
    s.promised[a] = b
    s.vote[a][b] = v


@SPEC.action(a=ACCEPTOR, b=BALLOT, v=VALUE, absent=ACCEPTOR, last=BALLOT, voter=ACCEPTOR)
def vote_alike(s: State, a: int, b: int, v: int, absent: int, last: int, voter: int) -> None:
    """VoteFor(a, b, v): somebody in the quorum voted for v in ballot ``last``, and nobody has since."""
    require(last < b and voter != absent and s.vote[voter][last] == v)
    require(may_vote(s, a, b, v) and is_silent(s, b, absent, last))
    s.promised[a] = b
    s.vote[a][b] = v
