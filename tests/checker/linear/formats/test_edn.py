"""EDN: the short way through flat maps gives what the long way gives."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scrutator.checker.linear.formats import edn
from scrutator.checker.linear.formats.source import Source
from scrutator.checker.linear.history import HistoryError

ATOMS = st.sampled_from([
    "nil", "true", "nils", "0", "-7", "+7", "-0", "007", "7N", "1.5", "1/2", ":a", ":a.b/c-d?", ":a:b", "::a", ":", "x", "\\a",
    '"a b"', '"]}"', '"\\n"', '"', "99999999999999999999", "#t 5", "#{1}", "#_ 3", "[", "}",
])  # fmt: skip
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{' '.join(items)}]"), max_leaves=4
)
KEYS = st.sampled_from([":type", ":process", ":a/b", ":é", "x", "3", '"k"', ":type,"])
PAIRS = st.tuples(KEYS, st.sampled_from([" ", "", ", ", "\n", ";c\n", "\xa0"]), VALUES).map("".join)
MAPS = st.tuples(
    st.sampled_from(["", "", "#jepsen.history.Op", "#_", "#t ", "^", ";"]),
    st.lists(PAIRS, max_size=3),
    st.sampled_from([" ", ", ", ",", "\n", ""]),
).map(lambda drawn: f"{drawn[0]}{{{drawn[2].join(drawn[1])}}}")
TEXTS = st.tuples(
    st.sampled_from(["", "[", "(", "{", "#_ [] "]), st.lists(MAPS | ATOMS, max_size=4), st.sampled_from(["\n", " ", "", ",\n"]),
    st.sampled_from(["", "]", ")", "}", "] {:a 1}", "\n;end"]),
).map(lambda drawn: drawn[0] + drawn[2].join(drawn[1]) + drawn[3])  # fmt: skip


def outcome(text: str) -> tuple[list[tuple[int, str]], str | None]:
    found = []
    try:
        for line, record in edn.records(Source("drawn", text.encode())):
            found.append((line, repr(record)))
    except HistoryError as error:
        return found, str(error)
    return found, None


@given(TEXTS)
@example("{:type :ok} {:type [1 2]}")
@example("[{:type :ok}\n {:type [1 2]}] {:type 3}")
@example("(#t {:type :ok}\n#_ {:type 1} {:type 2})")
def test_short_way_and_long_way(text: str) -> None:
    short = outcome(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edn, "flat_map", lambda text, at: None)
        assert short == outcome(text)
