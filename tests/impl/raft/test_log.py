"""The log in memory: the same as a list of entries and a snapshot before them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrutator.impl.raft import Configuration, Entry, Kind, Members, Snapshot, configuration
from scrutator.impl.raft.log import Log

ABC = configuration("abc")
ABCD = configuration("abcd")


def entries(*terms: int) -> list[Entry]:
    return [Entry(term, index) for index, term in enumerate(terms, 1)]


def test_positions_and_terms_at_the_edges() -> None:
    log = Log(ABC, Snapshot(3, 2, ABC, b""), entries(1, 1, 2, 2, 3)[3:])
    assert (log.base, log.last, log.last_term) == (3, 5, 3)
    assert [log.term_at(k) for k in range(2, 7)] == [None, 2, 2, 3, None]
    assert Log(ABC).term_at(0) == 0 and Log(ABC).last_term == 0


def test_entries_up_to_a_snapshot_are_not_loaded() -> None:
    log = Log(ABC, Snapshot(2, 1, ABC, b""), entries(1, 1, 1))
    assert (log.base, [entry.index for entry in log.entries]) == (2, [3])


def test_a_gap_is_our_own_bug() -> None:
    with pytest.raises(AssertionError, match="entry 3 cannot follow entry 1"):
        Log(ABC, entries=[Entry(1, 1), Entry(1, 3)])


def test_a_configuration_comes_and_goes_with_its_entry() -> None:
    log = Log(ABC, entries=[Entry(1, 1), Entry(1, 2, Kind.CONFIGURATION, configuration=ABCD), Entry(1, 3)])
    assert (log.configuration, log.configured_at) == (ABCD, 2)
    assert log.configuration_at(1) == ABC
    log.truncate(3)
    assert log.configuration == ABCD
    log.truncate(2)
    assert (log.configuration, log.configured_at) == (ABC, 0)


def test_a_compacted_configuration_stays_in_effect() -> None:
    log = Log(ABC, entries=[Entry(1, 1, Kind.CONFIGURATION, configuration=ABCD), Entry(1, 2)])
    log.compact(Snapshot(2, 1, ABCD, b""))
    assert (log.configuration, log.configured_at, log.entries) == (ABCD, 2, [])
    assert log.configurations_since(2) == [ABCD]


def test_hints_follow_the_runs_of_a_term() -> None:
    log = Log(ABC, entries=entries(1, 1, 4, 4, 6))
    assert [log.first_of_term(k) for k in range(1, 6)] == [1, 1, 3, 3, 5]
    assert [log.last_at_most(term, 9) for term in (0, 1, 3, 4, 5, 6)] == [0, 2, 2, 4, 4, 5]


operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 2), st.booleans()),
        st.tuples(st.just("truncate"), st.integers(0, 20), st.just(False)),
        st.tuples(st.just("compact"), st.integers(0, 20), st.just(False)),
    ),
    max_size=25,
)


@given(operations)
def test_is_a_list_after_a_snapshot(steps: list[tuple[str, int, bool]]) -> None:
    log, plain, base = Log(ABC), list[Entry](), 0  # plain holds everything since the beginning
    for what, number, changes in steps:
        if what == "append":
            term = (plain[-1].term if plain else 0) + number
            members = Configuration(Members((*"abc", f"x{len(plain)}"))) if changes else None
            kind = Kind.CONFIGURATION if changes else Kind.COMMAND
            plain.append(Entry(term, len(plain) + 1, kind, configuration=members))
            log.append(plain[-1:])
        elif what == "truncate" and base < number <= len(plain):
            del plain[number - 1 :]
            log.truncate(number)
        elif what == "compact" and base < number <= len(plain):
            log.compact(Snapshot(number, plain[number - 1].term, log.configuration_at(number), b""))
            base = number
        stated = [entry.configuration for entry in plain if entry.configuration is not None]
        assert log.configuration == (stated[-1] if stated else ABC)
        assert (log.base, log.entries, log.last) == (base, plain[base:], len(plain))
        assert log.last_term == (plain[-1].term if plain else 0)
