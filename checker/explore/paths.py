"""From a state's index back to how it is reached, and forward again through its rows.

A path is an initial state's number and the ordinals of the successors taken.  Walking it
again with the model's own functions gives the rows: they are stored nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scrutator.checker.explore.control import INITIAL, ORDINAL_BITS
from scrutator.checker.explore.memory import Words, address
from scrutator.checker.explore.native_model import NativeModel, Rows
from scrutator.checker.explore.stream import Stream
from scrutator.checker.native import NativeModule


@dataclass(frozen=True, slots=True)
class Path:
    """The initial state's number in ``NativeModel.initial``, and each successor's ordinal."""

    initial: int
    ordinals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """The rows along a path, the initial one first, and the action of each step."""

    rows: Rows
    actions: tuple[int, ...]


class Stepper:
    """The model's compiled functions, one state at a time."""

    def __init__(self, model: NativeModel, module: NativeModule) -> None:
        self.model = model
        self._functions = {
            name: module.function(f"kernel_{name}")
            for name in ("successors", "invariants", "predicates", "step_invariants", "within", "canonical")
        }
        self._out: Rows = np.zeros((model.successors_max, model.row_bytes), np.uint8)
        self._codes = np.zeros(model.successors_max, np.uint32)
        self._ctx: Words = np.zeros(1 + model.truncation_sites, np.int64)

    def successors(self, row: Rows) -> tuple[Rows, tuple[int, ...]]:
        """A row's successors as the model emits them (not yet canonical), and their actions."""
        row = np.ascontiguousarray(row)
        n = self._functions["successors"](
            address(row), address(self._out), address(self._codes), address(self._ctx)
        )
        return self._out[:n].copy(), tuple(self._codes[:n].tolist())

    def canonical(self, row: Rows) -> Rows:
        """The representative of the row's orbit."""
        row, out = np.ascontiguousarray(row), np.empty_like(row)
        self._functions["canonical"](address(row), address(out))
        return out

    def bits(self, name: str, *rows: Rows) -> int:
        """What `invariants`, `predicates`, `step_invariants` or `within` answer."""
        kept = [np.ascontiguousarray(row) for row in rows]
        return int(self._functions[name](*(address(row) for row in kept), address(self._ctx)))

    def walk(self, path: Path, canonical: bool = True) -> Walked:
        """The rows along a path.

        Args:
            path: Where to go.
            canonical: Replace each row by its representative, as the exhaustive searches do
                and random walks do not.
        """
        rows, actions = [self.model.initial[path.initial]], []
        for ordinal in path.ordinals:
            out, codes = self.successors(rows[-1])
            rows.append(self.canonical(out[ordinal]) if canonical and self.model.symmetric else out[ordinal])
            actions.append(codes[ordinal])
        return Walked(np.stack(rows), tuple(actions))


class Paths:
    """How each state of an exploration is reached."""

    def __init__(self, stepper: Stepper, parents: Stream) -> None:
        self.stepper = stepper
        self._parents = parents

    def path_to(self, state: int) -> Path:
        """The path by which the state was first reached."""
        ordinals: list[int] = []
        while True:
            entry = int.from_bytes(self._parents.read(state), "little")
            if entry & INITIAL:
                return Path(entry ^ INITIAL, tuple(reversed(ordinals)))
            ordinals.append(entry & ((1 << ORDINAL_BITS) - 1))
            state = entry >> ORDINAL_BITS

    def rows_along(self, initial: int, ordinals: Sequence[int]) -> Walked:
        """The (canonical) rows from an initial state on, and the actions between them."""
        return self.stepper.walk(Path(initial, tuple(ordinals)))

    def rows_to(self, state: int) -> Walked:
        """The rows of the path to a state."""
        return self.stepper.walk(self.path_to(state))

    def encoded(self, state: int, ordinal: int | None = None) -> tuple[bytes, ...]:
        """Those rows as bytes; with an ordinal, one step on from there."""
        path = self.path_to(state)
        ordinals = path.ordinals if ordinal is None else (*path.ordinals, ordinal)
        return tuple(row.tobytes() for row in self.rows_along(path.initial, ordinals).rows)

    def close(self) -> None:
        """Give back memory and disk."""
        self._parents.close()
