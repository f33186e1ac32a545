"""Which variant of a design is played: the bounds and the mutant of a claim, as the model of the same rung takes them.

The law: names mean here what they mean in the model, and a name that the model lacks is a mistake.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scrutator.model.quorums import parse
from scrutator.model.quorums.expression import Node

IsQuorum = Callable[[Iterable[str]], bool]


@dataclass(frozen=True, slots=True)
class Variant:
    """Every bound of the model with its value, and the name of a mutant or None.

    >>> Variant({"nodes": 3, "locks": True, "read": "majority"}).number("nodes")
    3
    """

    bounds: Mapping[str, object] = field(default_factory=dict)
    mutant: str | None = None

    def _bound(self, name: str) -> object:
        if name not in self.bounds:
            raise KeyError(f"the model has no bound {name}; it has {', '.join(self.bounds) or 'none'}")
        return self.bounds[name]

    def number(self, name: str) -> int:
        """A bound that counts something."""
        value = self._bound(name)
        if not isinstance(value, int):
            raise TypeError(f"the bound {name} is a number, not {value!r}")
        return int(value)

    def flag(self, name: str) -> bool:
        """A bound that says whether."""
        return bool(self._bound(name))

    def quorum(self, name: str, nodes: Sequence[str]) -> IsQuorum:
        """A bound that says which sets of these nodes are quorums; its expression calls them a, b, c, ... in order."""
        return functools.partial(_is_quorum, str(self._bound(name)), tuple(nodes))


def _is_quorum(text: str, nodes: tuple[str, ...], those: Iterable[str]) -> bool:
    return _decides(text, nodes, frozenset(those))


@functools.lru_cache(maxsize=100_000)
def _decides(text: str, nodes: tuple[str, ...], those: frozenset[str]) -> bool:
    leaves = [Node(chr(ord("a") + k)) for k in range(len(nodes))]
    expression = parse(text, everyone=leaves, named={leaf.name: leaf for leaf in leaves})
    return expression.is_quorum({leaf.name for leaf, name in zip(leaves, nodes, strict=True) if name in those})
