"""Hold translated models against the interpreter, state by state and successor by successor."""

from __future__ import annotations

import ctypes
from collections import deque

from scrutator.checker.explore.layout import decode, encode
from scrutator.checker.native import compile_dialect
from scrutator.checker.translate.program import Translation, translate
from scrutator.model.language.interpret import Interpreter
from scrutator.model.language.spec import Kind, Model

EXPORTS = """
@export
def run_successors(p: ptr, out: ptr, codes: ptr, ctx: ptr) -> i64:
    return successors(p, out, codes, ctx)
"""


class Native:
    """A translated model's functions, callable on rows of bytes."""

    def __init__(self, model: Model, *, symmetry: bool = False) -> None:
        self.translation: Translation = translate(model, symmetry=symmetry)
        t = self.translation
        source = t.source + EXPORTS
        for name, states in (("invariants", 1), ("step_invariants", 2), ("predicates", 1)):
            if getattr(t, name):
                parameters = ["p: ptr", "q: ptr"][:states]
                names = ", ".join([*(x[0] for x in parameters), "ctx"])
                source += f"\n@export\ndef run_{name}({', '.join([*parameters, 'ctx: ptr'])}) -> i64:\n    return {name}({names})\n"
        if symmetry:
            source += "\n@export\ndef run_canonical(p: ptr, out: ptr) -> None:\n    canonical(p, out)\n"
        self.module = compile_dialect(source, t.constants, t.tables)
        self.out = ctypes.create_string_buffer(t.row_bytes * t.successors_max + 8)
        self.codes = ctypes.create_string_buffer(4 * t.successors_max + 8)
        self.ctx = ctypes.create_string_buffer(8 * (len(t.sites) + 2))
        self.call_successors = self.module.function("run_successors")

    def successors(self, row: bytes) -> list[tuple[int, bytes]]:
        size = self.translation.row_bytes
        source = ctypes.create_string_buffer(row, size)
        ctypes.memset(self.ctx, 0, len(self.ctx))
        n = self.call_successors(ctypes.addressof(source), ctypes.addressof(self.out), ctypes.addressof(self.codes), ctypes.addressof(self.ctx))
        assert self.ctx.raw[:8] == bytes(8), f"fault {int.from_bytes(self.ctx.raw[:8], 'little')} in {row.hex()}"
        raw, codes = self.out.raw, self.codes.raw
        return [(int.from_bytes(codes[4 * k : 4 * k + 4], "little"), raw[k * size : (k + 1) * size]) for k in range(n)]

    def mask(self, name: str, *rows: bytes) -> int:
        if not getattr(self.translation, name):
            return 0
        buffers = [ctypes.create_string_buffer(r, len(r)) for r in rows]
        ctypes.memset(self.ctx, 0, len(self.ctx))
        value: int = self.module.function(f"run_{name}")(*map(ctypes.addressof, buffers), ctypes.addressof(self.ctx))
        assert self.ctx.raw[:8] == bytes(8)
        return value

    def canonical(self, row: bytes) -> bytes:
        source, out = ctypes.create_string_buffer(row, len(row)), ctypes.create_string_buffer(len(row))
        self.module.function("run_canonical")(ctypes.addressof(source), ctypes.addressof(out))
        return out.raw


def assert_agreement(model: Model, states_max: int = 2000) -> int:
    """Explore with both, breadth first; every successor list and property must be the same.  The states compared."""
    native, interpreter = Native(model), Interpreter(model)
    kinds = {k: [p for p in model.properties if p.kind is k] for k in Kind}
    seen = {encode(s): None for s in interpreter.initial_states()}
    todo = deque(seen)
    compared = 0
    while todo and compared < states_max:
        row = todo.popleft()
        state = decode(model.state, row)
        assert encode(state) == row
        expected = [(s.action, encode(s.state), s) for s in interpreter.successors(state)]
        assert native.successors(row) == [(a, r) for a, r, _ in expected], f"successors differ in {state!r}"
        wanted = sum((not interpreter.holds(p.function, state)) << k for k, p in enumerate(kinds[Kind.INVARIANT]))
        assert native.mask("invariants", row) == wanted
        wanted = sum(interpreter.holds(p.function, state) << k for k, p in enumerate(kinds[Kind.REACHABLE] + kinds[Kind.ALWAYS_POSSIBLE]))
        assert native.mask("predicates", row) == wanted
        for _, after, successor in expected:
            wanted = sum((not interpreter.holds(p.function, state, successor.state)) << k for k, p in enumerate(kinds[Kind.STEP_INVARIANT]))
            assert native.mask("step_invariants", row, after) == wanted
            if after not in seen:
                seen[after] = None
                todo.append(after)
        compared += 1
    return compared
