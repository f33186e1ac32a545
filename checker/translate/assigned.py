"""Local variables have a value wherever they are read, and functions return one on every path.

Python finds out when it happens, and only on the path where it does; compiled code would
go on with a 0.  So what may lack a value is refused before anything runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

Report = Callable[[str, ast.AST], Exception]
COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


def require_assigned(body: list[ast.stmt], parameters: Iterable[str], local: Iterable[str], report: Report) -> None:
    """Raise what ``report`` makes of the first local variable that may be read without a value.

    ``local`` names all of the function's own variables, parameters included.  A function
    that returns a value on some path has to on every path.
    """
    at_end = _Reader(frozenset(local), report).block(body, frozenset(parameters))
    returns = any(isinstance(n, ast.Return) and n.value is not None for s in body for n in ast.walk(s))
    if at_end is not None and returns:
        raise report("the function may end after this without returning a value", body[-1])


class _Reader:
    def __init__(self, local: frozenset[str], report: Report) -> None:
        self.local, self.report = local, report

    def block(self, statements: list[ast.stmt], known: frozenset[str]) -> frozenset[str] | None:
        """The variables that have a value afterwards; None if the end is never reached."""
        for statement in statements:
            after = self.statement(statement, known)
            if after is None:
                return None
            known = after
        return known

    def statement(self, node: ast.stmt, known: frozenset[str]) -> frozenset[str] | None:
        match node:
            case ast.If():
                self.read(node.test, known)
                ways = [self.block(node.body, known), self.block(node.orelse, known)]
                ends = [way for way in ways if way is not None]
                return frozenset.intersection(*ends) if ends else None
            case ast.While():
                self.read(node.test, known)
                self.block(node.body, known)
                forever = isinstance(node.test, ast.Constant) and node.test.value
                return None if forever and not any(isinstance(n, ast.Break) for n in ast.walk(node)) else known
            case ast.For():
                self.read(node.iter, known)
                self.block(node.body, known | _names(node.target))
                return known
            case ast.Assign():
                self.read(node.value, known)
                for target in node.targets:
                    self.read(target, known)
                return known.union(*map(_names, node.targets))
            case ast.AugAssign():
                if isinstance(node.target, ast.Name):
                    self.read(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target), known)
            case ast.AnnAssign():
                if node.value is None:
                    return known
                self.read(node.value, known)
                self.read(node.target, known)
                return known | _names(node.target)
        self.read(node, known)
        return None if isinstance(node, (ast.Return, ast.Break, ast.Continue, ast.Raise)) else known

    def read(self, node: ast.AST, known: frozenset[str]) -> None:
        """Look at every variable that an expression reads."""
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and node.id in self.local and node.id not in known:
                raise self.report(f"{node.id} may have no value here: give it one on every path before", node)
        elif isinstance(node, COMPREHENSIONS):
            for generator in node.generators:
                self.read(generator.iter, known)
                known = known | _names(generator.target)
                for condition in generator.ifs:
                    self.read(condition, known)
            for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
                self.read(part, known)
        elif not isinstance(node, ast.Lambda):
            for child in ast.iter_child_nodes(node):
                self.read(child, known)


def _names(target: ast.AST) -> frozenset[str]:
    """The variables that an assignment to the target gives values."""
    return frozenset(n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
