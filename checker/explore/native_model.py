"""A model as the engine takes it: dialect text and sizes; and that text compiled.

The engine knows rows of bytes, action numbers and property numbers; names, types and
wording stay with whoever made the `NativeModel`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scrutator.checker.explore import control
from scrutator.checker.explore.control import GROUP, ORDINAL_BITS, PENDING_BYTES, PROPERTIES_MAX
from scrutator.checker.native import NativeModule, compile_dialect

Rows = npt.NDArray[np.uint8]

PART_STATES = 256  # states in a part of a batch, at most
PARTS = 256  # parts in a batch, at most
PART_BYTES_MAX = 32 << 20  # of a part's candidates; reserved, not touched, in the worst case
BATCH_BYTES_MAX = 1 << 30
CHUNK_BYTES = 4 << 20  # a chunk of the frontier, at least
PAGE = 4096


@dataclass(frozen=True, slots=True)
class NativeModel:
    """A model in the dialect.

    ``source`` defines these functions, of which those with a count of 0 or a flag that is
    False may be missing (`model_stubs` has their signatures):

    - ``successors``: successor rows, ``row_bytes`` apart, and their 32-bit action numbers.
      A fault of the model is reported as a number above 0 in the first word of ``ctx``;
      steps refused for lack of capacity are counted in the words after it, by site.
    - ``invariants``, ``step_invariants``: the violated ones, as bits.
    - ``predicates``: the ones that hold, as bits.
    - ``within``: whether a state's successors are to be explored.
    - ``canonical``: the representative of a row under symmetry.

    Attributes:
        row_bytes: Size of a state, a multiple of 8.
        successors_max: Bound on the successors of one state.
        initial: Initial rows, canonical, shape (n, row_bytes).
    """

    source: str
    constants: dict[str, int]
    tables: dict[str, bytes]
    row_bytes: int
    successors_max: int
    actions: tuple[str, ...]
    initial: Rows
    invariants: int = 0
    step_invariants: int = 0
    predicates: int = 0
    has_constraint: bool = False
    symmetric: bool = False
    truncation_sites: int = 0

    def __post_init__(self) -> None:
        if self.row_bytes <= 0 or self.row_bytes % 8:
            raise ValueError(f"row_bytes is {self.row_bytes}: a positive multiple of 8 is needed")
        if not 0 < self.successors_max < 1 << ORDINAL_BITS:
            raise ValueError(
                f"successors_max is {self.successors_max}: between 1 and {1 << ORDINAL_BITS} is needed"
            )
        if max(self.invariants, self.step_invariants, self.predicates) > PROPERTIES_MAX:
            raise ValueError(f"at most {PROPERTIES_MAX} properties of a kind")
        if (
            self.initial.dtype != np.uint8
            or self.initial.ndim != 2
            or self.initial.shape[1] != self.row_bytes
        ):
            raise ValueError(f"initial rows must be uint8 of shape (n, {self.row_bytes})")


_STUBS = {
    "invariants": "def invariants(p: ptr, ctx: ptr) -> i64:\n    return 0\n",
    "step_invariants": "def step_invariants(p: ptr, q: ptr, ctx: ptr) -> i64:\n    return 0\n",
    "predicates": "def predicates(p: ptr, ctx: ptr) -> i64:\n    return 0\n",
    "within": "def within(p: ptr, ctx: ptr) -> i64:\n    return 1\n",
    "canonical": "def canonical(p: ptr, out: ptr) -> None:\n    copy(out, p, ROW)\n",
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes that follow from the model and the mode; the kernel's constants.

    They do not depend on the number of workers, and so neither do batches.
    """

    model: NativeModel
    fingerprint_bits: int = 64
    edges: bool = False

    @property
    def exact(self) -> bool:
        """One-word rows are their own fingerprints, mixed: no two states share one."""
        return self.model.row_bytes == 8

    @property
    def wide(self) -> bool:
        return self.fingerprint_bits == 128 and not self.exact

    @property
    def fingerprint_bytes(self) -> int:
        return 16 if self.wide else 8

    @property
    def entry_bytes(self) -> int:
        """Of the table: a fingerprint and, where edges are kept, the state's index."""
        return self.fingerprint_bytes + 8 * self.edges

    @property
    def candidate_bytes(self) -> int:
        edge_bytes = self.fingerprint_bytes if self.edges else 0
        return self.fingerprint_bytes + 8 + 4 + self.model.row_bytes + edge_bytes

    @property
    def part_states(self) -> int:
        return max(1, min(PART_STATES, PART_BYTES_MAX // (self.model.successors_max * self.candidate_bytes)))

    @property
    def part_candidates(self) -> int:
        return self.part_states * self.model.successors_max

    @property
    def parts(self) -> int:
        return max(1, min(PARTS, BATCH_BYTES_MAX // (self.part_candidates * self.candidate_bytes)))

    @property
    def meta(self) -> int:
        return self.fingerprint_bytes * self.part_candidates

    @property
    def rows(self) -> int:
        return _up(self.meta + 12 * self.part_candidates, 64)

    @property
    def part_bytes(self) -> int:
        return _up(self.rows + self.model.row_bytes * self.part_candidates, PAGE)

    @property
    def edge_part_bytes(self) -> int:
        return _up(self.fingerprint_bytes * self.part_candidates, PAGE) if self.edges else 0

    @property
    def rows_shift(self) -> int:
        """A chunk of rows holds a batch at least."""
        states = max(self.part_states * self.parts, CHUNK_BYTES // self.model.row_bytes)
        return (states - 1).bit_length()

    @property
    def group_rows(self) -> int:
        return GROUP + self.model.successors_max

    @property
    def group_actions(self) -> int:
        return _up(self.group_rows * self.model.row_bytes, 64)

    @property
    def group_pending(self) -> int:
        return _up(self.group_actions + 4 * self.group_rows, 64)

    @property
    def group_bytes(self) -> int:
        return _up(self.group_pending + PENDING_BYTES * self.group_rows, 64)

    def constants(self) -> dict[str, int]:
        """Values of the names that `control` leaves open."""
        model = self.model
        return {
            "ROW": model.row_bytes,
            "ENTRY": self.entry_bytes,
            "FINGERPRINT": self.fingerprint_bytes,
            "WIDE": int(self.wide),
            "EDGES": int(self.edges),
            "ACTIONS": len(model.actions),
            "PREDICATES": model.predicates,
            "INVARIANTS": model.invariants,
            "STEP_INVARIANTS": model.step_invariants,
            "CONSTRAINED": int(model.has_constraint),
            "SYMMETRIC": int(model.symmetric),
            "STACKED": model.row_bytes + 16,
            "SUCCESSORS_MAX": model.successors_max,
            "PART": self.part_states,
            "PART_BYTES": self.part_bytes,
            "PART_CANDIDATES": self.part_candidates,
            "PARTS": self.parts,
            "META": self.meta,
            "ACTION": self.meta + 8 * self.part_candidates,
            "ROWS": self.rows,
            "EDGE_PART_BYTES": self.edge_part_bytes,
            "ROWS_SHIFT": self.rows_shift,
            "GROUP_BYTES": self.group_bytes,
            "GROUP_ACTIONS": self.group_actions,
            "GROUP_PENDING": self.group_pending,
        }


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def compile_model(sizes: Sizes, kernels: Iterable[str] = ("kernel",)) -> NativeModule:
    """Compile a model together with kernels, which are named by their files.

    Raises:
        DialectError: The model's text is not of the dialect; the line counts within it.
        ValueError: The model uses a name that is the kernel's.
    """
    model = sizes.model
    missing = [stub for name, stub in _STUBS.items() if f"def {name}(" not in model.source]
    texts = [(Path(__file__).parent / f"{kernel}.py").read_text() for kernel in kernels]
    shared = {
        name: value for name, value in vars(control).items() if name.isupper() and isinstance(value, int)
    }
    ours = shared | sizes.constants()
    clash = {name for name, value in model.constants.items() if ours.get(name, value) != value}
    clash |= ours.keys() & model.tables.keys()
    if clash:
        raise ValueError(f"the model names {', '.join(sorted(clash))} what the kernel names so")
    source = "\n".join([model.source, *missing, *texts])
    return compile_dialect(source, model.constants | ours, model.tables)
