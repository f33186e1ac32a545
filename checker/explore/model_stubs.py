"""The functions of a model that the kernel calls, as signatures for tools.

`NativeModel.source` defines them in the dialect; never imported to run.
"""

from __future__ import annotations

from scrutator.checker.native.words import i64, ptr


def successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    """Write the successors of row ``p`` to ``out`` and their actions to ``codes``; how many."""
    raise NotImplementedError


def invariants(p: ptr, ctx: ptr) -> i64:
    """The invariants that row ``p`` violates, as bits."""
    raise NotImplementedError


def step_invariants(p: ptr, q: ptr, ctx: ptr) -> i64:
    """The step invariants that going from ``p`` to ``q`` violates, as bits."""
    raise NotImplementedError


def predicates(p: ptr, ctx: ptr) -> i64:
    """The predicates that hold of row ``p``, as bits."""
    raise NotImplementedError


def within(p: ptr, ctx: ptr) -> i64:
    """Whether row ``p`` is within the constraint, so that its successors count."""
    raise NotImplementedError


def canonical(p: ptr, out: ptr) -> None:
    """Write the representative of row ``p``'s orbit to ``out``."""
    raise NotImplementedError
