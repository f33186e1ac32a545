"""Types refuse what the memory layout could not hold."""

from __future__ import annotations

from typing import Any

import pytest

from scrutator.model.language import Array, Index, Links, Nat, Network, Record, Seq, Set, Spec, SpecError

NODE = Index("node", 2)
OTHER = Index("other", 2)


class Hop(Record):
    src = NODE
    dst = NODE


class Astray(Record):
    src = NODE
    dst = Nat(7)


class Foreign(Record):
    src = OTHER
    dst = NODE


class Nowhere(Record):
    src = NODE


class Wide(Record):
    src = NODE
    dst = NODE
    a, b = Nat((1 << 31) - 1), Nat((1 << 30) - 1)


def bind(declared: Any) -> None:
    spec = Spec("test", type("State", (Record,), {"x": declared}))
    spec.action(lambda s: None)
    spec.bind()


@pytest.mark.parametrize(
    "declared",
    [Seq(NODE, 256), Seq(NODE, -1), Set(Nat(5000), 256), Array(NODE, Seq(NODE, 300)), Links(NODE, Hop, capacity=256), Network(Hop, capacity=-1)],
)
def test_a_capacity_fits_its_byte(declared: Any) -> None:
    with pytest.raises(SpecError, match="a capacity is between 0 and 255"):
        bind(declared)


@pytest.mark.parametrize("message", [Astray, Foreign, Nowhere])
def test_links_join_indices_of_their_own_type(message: type[Record]) -> None:
    with pytest.raises(SpecError, match=r"needs the fields src and dst, each a node \(n1\.\.n2\)"):
        bind(Links(NODE, Hop, message, capacity=1))


def test_messages_fit_one_word() -> None:
    bind(Links(NODE, Wide, capacity=1))
    with pytest.raises(SpecError, match="needs 64 bits, but an element of Links has at most 63"):
        bind(Links(NODE, Hop, Wide, capacity=1))


def test_networks_name_their_messages() -> None:
    with pytest.raises(SpecError, match="Network: name the record classes of its messages"):
        Network()
    with pytest.raises(SpecError, match="a message is a record"):
        Network(NODE)
    with pytest.raises(SpecError, match="is not an index type"):
        Links(Hop, capacity=1)
