"""What the engine calls: the loops over every action's parameters, and the masks of properties.

A driver reads the state and calls an action's function for each choice of parameters, in
the order in which the interpreter makes them; it counts what fired and what was refused.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scrutator.checker.translate.builder import DISABLED, FAULT, TRUNCATED, Operand, Place, Thing, syntax_of
from scrutator.checker.translate.changes import may_change
from scrutator.checker.translate.expressions import Expressions
from scrutator.checker.translate.loops import over_links, over_set
from scrutator.checker.translate.methods import change_links, change_set, repeat_head
from scrutator.checker.translate.statements import STATE, Statements
from scrutator.model.language.errors import SpecError
from scrutator.model.language.spec import Action, Each, Model
from scrutator.model.language.types import BoolType, LinksType, Representation, SetType, Type

if TYPE_CHECKING:
    from scrutator.checker.translate.program import Program

PROPERTIES_MAX = 63  # of one kind: a bit each


Fire = Callable[[Expressions, int, list[str]], None]  # what a driver does for one choice of an action's parameters


def driver_of(program: Program, k: int, action: Action, fire: Fire) -> list[str]:
    """Loops over all choices of an action's parameters in the state ``p``."""
    d = Expressions(action.function, program)
    _in_loops(d, k, action, fire)
    return d.lines


def action_function(program: Program, k: int, action: Action) -> str:
    """The action as a function: from ``p`` and its parameters to the successor ``t``."""
    f = Statements(action.function, program, is_action=True)
    f.variables = _in_loops(Expressions(action.function, program), k, action, lambda d, k, arguments: None)
    if action.built_in:
        _network_fault(f, action)
    else:
        syntax = syntax_of(action.function)
        f.variables[syntax.args.args[0].arg] = Place(program.model.state, STATE)
        f.body(syntax.body)
    header = ", ".join(["p: ptr", "t: ptr", "ctx: ptr", *(f"a_{name}: i64" for name, _ in action.parameters)])
    lines = f.lines
    if any("STATUS" in line for line in lines):
        lines = ["    store64(ctx, STATUS, 0)", *lines]
    return "\n".join([f"@noalias\ndef action_{k}({header}) -> i64:", *lines])


def _in_loops(d: Expressions, k: int, action: Action, fire: Fire) -> dict[str, Thing]:
    """Loops over all choices of parameters, with what to do inside; the parameters, as the action sees them."""
    parameters: dict[str, Thing] = {}
    arguments: list[str] = []

    def nest(position: int) -> None:
        if position == len(action.parameters):
            fire(d, k, arguments)
            return
        name, domain = action.parameters[position]

        def over(text: str, kind: Type) -> None:
            parameters[name] = Operand(f"a_{name}", kind)
            arguments.append(text)
            nest(position + 1)
            arguments.pop()

        if isinstance(domain, Each):
            place = d.field(Place(d.program.model.state, "p"), domain.field, ast.Pass())
            assert isinstance(place, Place)
            if isinstance(place.type, LinksType):
                over_links(d, place, domain.kind, over, heads=True)
            else:
                over_set(d, place, domain.kind, over)
        else:
            variable = d.fresh()
            with d.block(f"for {variable} in range({domain.size}):"):
                decoded = d.decoded(variable, domain)
                over(decoded.text, decoded.type)

    nest(0)
    return parameters


def instances(model: Model, action: Action) -> int:
    """How many successors the action has at the most."""
    total = 1
    for _, domain in action.parameters:
        if isinstance(domain, Each):
            declared = model.state.fields[domain.field]
            if isinstance(declared, LinksType):
                total *= declared.index.size**2
            else:
                assert isinstance(declared, SetType)
                kind = domain.kind or declared.element
                total *= kind.size if declared.representation is Representation.BITS else int(declared.capacity or 0)
        else:
            total *= domain.size
    return total


def mask_function(program: Program, name: str, functions: list[Any], *, violated: bool, states: int = 1) -> str:
    """A function that evaluates properties into a bit mask."""
    if not functions:
        return ""
    if len(functions) > PROPERTIES_MAX:
        raise SpecError(f"{program.model.name}: {len(functions)} {name.replace('_', ' ')}, at most {PROPERTIES_MAX} are checked at once; use the python engine")
    parameters = ["p: ptr", "q: ptr"][:states]
    lines = [f"def {name}({', '.join([*parameters, 'ctx: ptr'])}) -> i64:", "    found = 0", "    store64(ctx, STATUS, 0)"]
    for k, function in enumerate(functions):
        syntax = syntax_of(function)
        f = Statements(function, program, is_action=False)
        for argument, root in zip(syntax.args.args, ("p", "q"), strict=False):
            f.variables[argument.arg] = Place(program.model.state, root)
        if may_change(function, syntax):
            raise f.error("properties must not change the state", syntax)
        f.body(syntax.body)
        kind = f.settle_returns()
        if not isinstance(kind, BoolType):
            raise f.error(f"a property is True or False, not {kind.describe()}", syntax)
        own = f"{name}_{k}"
        program.functions.append("\n".join([f"def {own}({', '.join([*parameters, 'ctx: ptr'])}) -> i64:", *f.lines]))
        call = f"{own}({', '.join([*(x[0] for x in parameters), 'ctx'])})"
        lines.append(f"    if {'not ' if violated else ''}{call}:")
        lines.append(f"        found = found | {1 << k}")
        if f.uses_status:
            lines += ["    if load64(ctx, STATUS) != 0:", "        store64(ctx, 0, load64(ctx, STATUS))", "        return 0"]
    return "\n".join([*lines, "    return found"])


def fire(d: Expressions, k: int, arguments: list[str]) -> None:
    """Call the action; keep the successor, or count what refused it."""
    result = d.fresh(f"action_{k}({', '.join(['p', 't', 'ctx', *arguments])})")
    with d.block(f"if {result} == 0:"):
        d.emit(f"store32(codes, n * 4, {k})")
        d.emit("n = n + 1")
        d.emit("t = t + ROW")
    with d.block(f"elif {result} != {DISABLED}:"):
        with d.block(f"if {result} >= {FAULT}:"):
            d.emit(f"store64(ctx, 0, {result})")
            d.emit("return n")
        at = d.fresh(f"({result} - {TRUNCATED - 1}) * 8")
        d.emit(f"store64(ctx, {at}, load64(ctx, {at}) + 1)")


def _network_fault(f: Statements, action: Action) -> None:
    """Loss takes a message out, duplication puts in another copy."""
    name, domain = action.parameters[0]
    place = f.field(Place(f.program.model.state, STATE), domain.field, ast.Pass())
    message = f.variables[name]
    assert isinstance(place, Place) and isinstance(message, Operand)
    f.emit("dirty = 0")
    f.emit("copy(t, p, ROW)")
    f.copied = True
    node = ast.Call(ast.Name("m"), [], [])
    if isinstance(place.type, LinksType):
        if action.built_in == "lose":
            change_links(f, place, "receive", message, node)
        else:
            repeat_head(f, place, message, node)
    else:
        assert isinstance(place.type, SetType)
        change_set(f, place, "remove" if action.built_in == "lose" else "add", f.code_of(message, place.type.element))
    f.finish()
