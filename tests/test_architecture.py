"""The folders are the architecture: who may import whom, and what a model file may use.

Law: the rules are read off the sources with `ast`, so that an import inside a function
counts as much as one at the top.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("model", "checker", "impl")
# The parts of the model that are machinery: how models are written and what they are made of.
MACHINERY = ("scrutator.model.language", "scrutator.model.quorums", "scrutator.model.objects")
# What the compiled, the symbolic and the reference engine could not all follow.
FOREIGN = {"numba", "numpy", "llvmlite", "ctypes", "z3", "scipy"}
BIT_OPERATORS = (ast.LShift, ast.RShift, ast.BitXor, ast.Invert)


def module_of(path: Path) -> str:
    """The name under which a file of the checkout is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("scrutator", *parts)).removesuffix(".__init__")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(tree: ast.AST, module: str, package: bool) -> Iterator[tuple[int, str]]:
    """Line and full name of all that a module imports: ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".") + ([""] if package else [])
                base = ".".join([*parents[: -node.level], *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def is_within(name: str, *parents: str) -> bool:
    return any(name == parent or name.startswith(parent + ".") for parent in parents)


def forbidden(module: str, name: str) -> str | None:
    """Why ``module`` may not import ``name``, or None where it may."""
    if name.split(".")[0] in FOLDERS:
        return "write scrutator.model, scrutator.checker or scrutator.impl"
    if is_within(module, "scrutator.model") and is_within(name, "scrutator.checker", "scrutator.impl"):
        return "a model knows neither checker nor implementation"
    if is_within(module, "scrutator.checker") and is_within(name, "scrutator.impl"):
        if is_within(module, "scrutator.checker.commands", "scrutator.checker.report.cluster_text", "scrutator.checker.report.simulate_text", "scrutator.checker.report.record_text"):
            return None  # where what runs meets what judges it
        return "the checker reads traces and histories, never the implementation"
    if is_within(module, "scrutator.impl"):
        if is_within(name, "scrutator.checker"):
            return "nothing imports the checker but tests and the command"
        if is_within(name, "scrutator.model") and not is_within(
            name, "scrutator.model.quorums", "scrutator.model.objects"
        ):
            return "an implementation shares only quorums and objects with the model"
    return None


def model_fault(node: ast.AST) -> str | None:
    """What a model file may not use besides imports."""
    operator = getattr(node, "op", None)
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.UnaryOp)) and isinstance(operator, BIT_OPERATORS):
        return f"the bit operator {type(operator).__name__}"
    return None


@pytest.mark.parametrize("path", sources(*FOLDERS), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    module, tree = module_of(path), ast.parse(path.read_bytes())
    for line, name in imports(tree, module, path.name == "__init__.py"):
        why = forbidden(module, name)
        assert why is None, f"{path}:{line} imports {name}: {why}"


@pytest.mark.parametrize("path", sources("model"), ids=lambda path: str(path.relative_to(ROOT)))
def test_models_are_plain_python(path):
    module, tree = module_of(path), ast.parse(path.read_bytes())
    if is_within(module, "scrutator.model.language"):
        return
    for line, name in imports(tree, module, path.name == "__init__.py"):
        assert name.split(".")[0] not in FOREIGN, f"{path}:{line} imports {name}: a model is plain Python"
    if is_within(module, *MACHINERY):
        return
    for node in ast.walk(tree):
        fault = model_fault(node)
        assert fault is None, f"{path}:{getattr(node, 'lineno', 0)} uses {fault}: write sets and numbers"


@pytest.mark.parametrize(
    ("module", "name", "allowed"),
    [
        ("scrutator.checker.explore.check", "scrutator.model.language.Spec", True),
        ("scrutator.checker.cli", "scrutator.impl", False),
        ("scrutator.checker.linear.check", "scrutator.impl.sim", False),
        ("scrutator.checker.commands.simulate", "scrutator.impl.sim", True),
        ("scrutator.model.raft", "scrutator.checker.explore", False),
        ("scrutator.model.raft", "scrutator.impl.raft", False),
        ("scrutator.model.raft", "checker.explore", False),
        ("scrutator.model.raft", "modelling", True),
        ("scrutator.impl.raft", "scrutator.model.quorums.QuorumSystem", True),
        ("scrutator.impl.raft", "scrutator.model.objects", True),
        ("scrutator.impl.raft", "scrutator.model.language", False),
        ("scrutator.impl.raft", "scrutator.checker.report", False),
    ],
)
def test_the_rule_itself(module, name, allowed):
    assert (forbidden(module, name) is None) is allowed


def test_relative_imports_are_seen():
    tree = ast.parse("def f():\n    from ..checker import explore\nfrom . import x\nimport a.b")
    assert set(imports(tree, "scrutator.model.raft", package=False)) == {
        (2, "scrutator.checker.explore"), (3, "scrutator.model.x"), (4, "a.b"),
    }  # fmt: skip
    assert set(imports(tree, "scrutator.model", package=True)) >= {(3, "scrutator.model.x")}


def test_bit_operators_are_seen():
    assert all(
        any(model_fault(n) for n in ast.walk(ast.parse(s))) for s in ("1 << x", "x >>= 1", "~x", "x ^ y")
    )
    assert not any(model_fault(n) for n in ast.walk(ast.parse("a & b | c - d; not x; -x")))


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["refine", "--help"], ["lin", "--help"], ["convert", "--help"], ["version"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import json, sys, time; start = time.perf_counter()\n"
        "from scrutator.checker.cli import run\n"
        f"status = run({arguments!r})\n"
        "print(json.dumps([status, time.perf_counter() - start, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, seconds, modules = json.loads(done.stdout.splitlines()[-1])
    print(f"{arguments} took {seconds:.3f} s")  # to be seen with -s; a time is never asserted
    assert status == 0
    heavy = {"llvmlite", "numpy", "z3", "numba", "scipy"} & {name.split(".")[0] for name in modules}
    assert not heavy, f"scrutator {' '.join(arguments)} imports {heavy}"
