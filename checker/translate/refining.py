"""What refinement needs of two models as flat code: the mapping, and the abstract model's steps, found by their end.

The mapping is a function of the concrete model's program; it reads the row ``p`` and
writes the abstract model's row ``t``.  The abstract model's own program has, in place of
a function that writes all successors, one that looks for a given one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from scrutator.checker.translate.builder import FAULT, FIRED, NoneType, Place, syntax_of
from scrutator.checker.translate.drivers import action_function, driver_of
from scrutator.checker.translate.expressions import Expressions
from scrutator.checker.translate.program import Program, Translation, assembled
from scrutator.checker.translate.statements import Statements
from scrutator.model.language.refinement import Mapping
from scrutator.model.language.spec import Model


def mapping_function(mapping: Mapping) -> Callable[[Program], str]:
    """Adds ``mapped(p, t, ctx)`` to a program of the concrete model: ``t`` comes as zeros, which are all types' defaults.

    It reports through the status word what keeps it from mapping.
    """

    def add(program: Program) -> str:
        syntax = syntax_of(mapping.function)
        f = Statements(mapping.function, program, is_action=False)
        state, target = (argument.arg for argument in syntax.args.args)
        f.variables[state] = Place(mapping.concrete.state, "p", fixed=True)
        f.variables[target] = Place(mapping.abstract.state, "t")
        f.body(syntax.body)
        if not isinstance(f.settle_returns(), NoneType):
            raise f.error("a mapping returns nothing: it fills in the state of the other model", syntax)
        return "\n".join(["def mapped(p: ptr, t: ptr, ctx: ptr) -> i64:", *f.lines])

    return add


def translate_steps(model: Model, prefix: str) -> Translation:
    """The abstract model's program: ``<prefix>step_to(p, q, t, ctx)`` and what it calls, all named with the prefix.

    It returns 1 + the number of the first action that leads from ``p`` to ``q``, or 0 where
    none does; ``t`` is a row to work in.  A mistake of the model is left in ``ctx``.
    """
    program = Program(model)
    lines = ["def step_to(p: ptr, q: ptr, t: ptr, ctx: ptr) -> i64:"]
    for k, action in enumerate(model.actions):
        program.functions.append(action_function(program, k, action))
        lines += driver_of(program, k, action, _compare)
    lines.append("    return 0")
    return _prefixed(assembled(program, ["\n".join(lines)]), prefix)


def _compare(d: Expressions, k: int, arguments: list[str]) -> None:
    """Call the action; leave if its successor is the one looked for."""
    result = d.fresh(f"action_{k}({', '.join(['p', 't', 'ctx', *arguments])})")
    with d.block(f"if {result} == {FIRED}:"), d.block("if equal_bytes(t, q, ROW):"):
        d.emit(f"return {k + 1}")
    with d.block(f"if {result} >= {FAULT}:"):
        d.emit(f"store64(ctx, 0, {result})")
        d.emit("return 0")


def _prefixed(translation: Translation, prefix: str) -> Translation:
    """The same program with other names, so that it can stand beside another one."""
    tree = ast.parse(translation.source)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names = functions | translation.constants.keys() | translation.tables.keys()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.name = prefix + node.name
        elif isinstance(node, ast.Name) and node.id in names:
            node.id = prefix + node.id
    return replace(
        translation,
        source=ast.unparse(tree) + "\n",
        constants={prefix + name: value for name, value in translation.constants.items()},
        tables={prefix + name: data for name, data in translation.tables.items()},
    )


