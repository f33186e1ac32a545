"""Renaming of rows for one model, and the test that renaming may be done at all.

Symmetry reduction is sound only if no action or property tells interchangeable indices
apart.  The translator refuses order and arithmetic on them; what it cannot see, such as a
quorum system that favours a node, is looked for in a sample of states.
"""

from __future__ import annotations

import ctypes
import random
from collections import Counter
from collections.abc import Callable

from scrutator.checker.explore.layout import decode, encode, row_bytes
from scrutator.checker.native import compile_dialect
from scrutator.checker.translate.program import translate_symmetry
from scrutator.model.language.errors import SpecError
from scrutator.model.language.interpret import Interpreter
from scrutator.model.language.spec import Kind, Model

SAMPLE_STATES = 40
EXPORTS = """
@export
def rename(p: ptr, out: ptr, renaming: ptr) -> None:
    permute(p, out, renaming)

@export
def represent(p: ptr, out: ptr) -> None:
    canonical(p, out)
"""


class Renaming:
    """Rows renamed: ``canonical`` gives the representative, ``renamed`` applies an order of the indices."""

    def __init__(self, model: Model) -> None:
        if not model.interchangeable:
            raise SpecError(f"{model.name} has no interchangeable indices: symmetry has nothing to reduce")
        source, constants, tables = translate_symmetry(model)
        self.model, self.size = model, row_bytes(model.state)
        module = compile_dialect(source + EXPORTS, constants, tables)
        self._represent: Callable[..., None] = module.function("represent")
        self._rename: Callable[..., None] = module.function("rename")

    def canonical(self, row: bytes) -> bytes:
        """The representative of the row's orbit."""
        source, out = ctypes.create_string_buffer(row, self.size), ctypes.create_string_buffer(self.size)
        self._represent(ctypes.addressof(source), ctypes.addressof(out))
        return out.raw

    def renamed(self, row: bytes, order: bytes) -> bytes:
        """The row with the k-th index renamed to ``order[k]``, all index types one after the other."""
        source, out = ctypes.create_string_buffer(row, self.size), ctypes.create_string_buffer(self.size)
        renaming = ctypes.create_string_buffer(order, len(order))
        self._rename(ctypes.addressof(source), ctypes.addressof(out), ctypes.addressof(renaming))
        return out.raw


def assert_symmetric(model: Model, renaming: Renaming) -> None:
    """Raise `SpecError` if a sampled state and a renaming of it differ in steps or properties."""
    chance, interpreter = random.Random(1), Interpreter(model)
    starts = list(interpreter.initial_states())
    state = chance.choice(starts)
    for _ in range(SAMPLE_STATES):
        row = encode(state)
        order = bytes(k for index in model.interchangeable for k in chance.sample(range(index.count), index.count))
        twin = decode(model.state, renaming.renamed(row, order))
        steps, twin_steps = (
            Counter((s.action, renaming.canonical(encode(s.state))) for s in interpreter.successors(x)) for x in (state, twin)
        )
        names = ", ".join(i.name for i in model.interchangeable)
        for k in {a for a, _ in (steps - twin_steps) + (twin_steps - steps)}:
            raise SpecError(f"symmetry: action {model.actions[k].name} tells interchangeable indices ({names}) apart")
        for p in model.properties:
            if p.kind is not Kind.STEP_INVARIANT and interpreter.holds(p.function, state) != interpreter.holds(p.function, twin):
                raise SpecError(f"symmetry: property {p.name} tells interchangeable indices ({names}) apart")
        choices = list(interpreter.successors(state))
        state = chance.choice(choices).state if choices else chance.choice(starts)
