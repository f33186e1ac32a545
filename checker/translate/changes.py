"""What a piece of a model may do to the state: change it, or only record history."""

from __future__ import annotations

import ast
import types
from typing import Any

from scrutator.checker.translate.builder import syntax_of
from scrutator.model.language.types import RecordType, Type

CHANGES = {"add", "discard", "remove", "clear", "send", "receive", "append", "pop", "lose_volatile"}


def may_change(function: Any, node: ast.AST, seen: frozenset[Any] = frozenset()) -> bool:
    """Whether running this syntax may change the state: by itself or in a function it calls."""
    for part in ast.walk(node):
        targets = part.targets if isinstance(part, (ast.Assign, ast.Delete)) else [part.target] if isinstance(part, (ast.AugAssign, ast.AnnAssign)) else []
        if any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in targets):
            return True
        if isinstance(part, ast.Call):
            if isinstance(part.func, ast.Attribute) and part.func.attr in CHANGES:
                return True
            if isinstance(part.func, ast.Name):
                callee = function.__globals__.get(part.func.id)
                if part.func.id in function.__code__.co_freevars:
                    callee = function.__closure__[function.__code__.co_freevars.index(part.func.id)].cell_contents
                if isinstance(callee, types.FunctionType) and callee.__name__ != "require" and callee not in seen:
                    if may_change(callee, syntax_of(callee), seen | {callee}):
                        return True
    return False


def only_records(node: ast.stmt, history: frozenset[str]) -> bool:
    """Whether a statement only records in history variables."""
    targets: list[ast.AST] = []
    if isinstance(node, (ast.Assign, ast.Delete)):
        targets = list(node.targets)
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        if isinstance(node.value.func, ast.Name) and node.value.func.id == "require":
            return False
        # A helper that is given the state may record; what it reads is its own business.
        targets = [node.value.func.value] if isinstance(node.value.func, ast.Attribute) else [node.value]
    elif isinstance(node, (ast.If, ast.For)):
        return bool(history) and all(only_records(s, history) for s in (*node.body, *node.orelse))
    return bool(targets) and all(any(isinstance(p, ast.Attribute) and p.attr in history for p in ast.walk(t)) for t in targets)


def history_names(state: RecordType) -> frozenset[str]:
    """The fields, of the state or of records in it, that are history variables wherever they occur."""
    fields: list[tuple[str, bool]] = []
    todo: list[Type] = [state]
    while todo:
        declared = todo.pop()
        if isinstance(declared, RecordType):
            fields += [(name, field.ghost) for name, field in declared.fields.items()]
        todo += [p for p in declared.parts() if isinstance(p, Type)]
    return frozenset(n for n, ghost in fields if ghost) - frozenset(n for n, ghost in fields if not ghost)
