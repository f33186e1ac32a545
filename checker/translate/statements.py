"""Statements of the model language, as flat code.

An action reads its parent ``p`` until the first statement of its body that may change
the state; there the parent is copied to ``t``, and everything after works on the copy.
So a disabled action never copies.  Functions other than actions report a fault, a
refused capacity or an unmet ``require`` through the status word, which the caller tests.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrutator.checker.explore.layout import code_bytes, offset_of, size_of
from scrutator.checker.translate.assigned import require_assigned
from scrutator.checker.translate.builder import (
    DISABLED,
    FAULT,
    FIRED,
    ROUNDS_MAX,
    IntType,
    Items,
    NoneType,
    Operand,
    Place,
    Thing,
    View,
    compatible,
    same_layout,
    syntax_of,
)
from scrutator.checker.translate.changes import may_change, only_records
from scrutator.checker.translate.expressions import Expressions
from scrutator.checker.translate.loops import loop
from scrutator.model.language.types import (
    ArrayType,
    BoolType,
    MaybeType,
    RecordType,
    SeqType,
    SetType,
    Type,
)

if TYPE_CHECKING:
    from scrutator.checker.translate.program import Program

STATE = "S"  # the root of the state in an action: p before the copy, t after


class Statements(Expressions):
    """Lowers one function.  ``is_action`` decides how it ends and when it copies."""

    def __init__(self, function: Any, program: Program, *, is_action: bool) -> None:
        super().__init__(function, program)
        self.is_action = is_action
        self.copied = not is_action
        self.changed = False  # lexically: something may have changed before this line
        self.uses_status = False
        self.returns: list[tuple[int, Operand]] = []
        self.depth = 0
        self.ghost_target = False

    def root(self, place: Place) -> str:
        if place.root != STATE:
            return place.root
        return "t" if self.copied else "p"

    # --- leaving ----------------------------------------------------------------------

    def leave(self, status: str) -> None:
        if self.is_action:
            self.emit(f"return {status}")
        else:
            self.uses_status = True
            self.emit(f"store64(ctx, STATUS, {status})")
            self.emit("return 0")

    def propagate(self) -> None:
        """After a call: leave if the callee did not end well."""
        status = self.fresh("load64(ctx, STATUS)")
        with self.block(f"if {status} != 0:"):
            if self.is_action and self.changed:
                self.emit(f"return ({FAULT} if {status} == {DISABLED} and dirty else {status})")
            elif self.is_action:
                self.emit(f"return {status}")
            else:
                self.uses_status = True
                self.emit("return 0")

    def require(self, condition: str) -> None:
        with self.block(f"if not {condition}:"):
            self.leave(f"({FAULT} if dirty else {DISABLED})" if self.changed else str(DISABLED))

    def read_history(self, name: str, node: ast.AST) -> None:
        if self.is_action and not self.ghost_target:
            raise self.error(f"{name} is a history variable: an action may record in it, not decide by it", node)

    def note_change(self, place: Place | None = None, node: ast.AST | None = None) -> None:
        if place is not None and place.fixed:
            raise self.error("a mapping reads this state and must not change it", node)
        self.changed = True
        self.emit("dirty = 1")

    # --- bodies -----------------------------------------------------------------------

    def body(self, statements: list[ast.stmt]) -> None:
        """The function's own body: in an action, the copy goes before the first change."""
        code = self.function.__code__
        require_assigned(statements, self.variables, {*code.co_varnames, *code.co_cellvars}, self.error)
        self.emit("dirty = 0")
        for statement in statements:
            if not self.copied and may_change(self.function, statement):
                self.emit("copy(t, p, ROW)")
                self.copied = True
            self.statement(statement)
        self.finish()

    def finish(self) -> None:
        if self.is_action:
            if not self.copied:
                self.emit("copy(t, p, ROW)")
            self.emit(f"return {FIRED}")
        else:
            self.emit("return 0")

    def block_of(self, statements: list[ast.stmt]) -> None:
        self.depth += 1
        for statement in statements:
            self.statement(statement)
        self.depth -= 1

    def statement(self, node: ast.stmt) -> None:
        self.line = node.lineno
        method = getattr(self, f"do_{type(node).__name__}", None)
        if method is None:
            raise self.error(f"{type(node).__name__} is not part of the model language", node)
        self.ghost_target = self.is_action and only_records(node, self.program.history)
        method(node)
        self.ghost_target = False

    # --- simple statements --------------------------------------------------------------

    def do_Pass(self, node: ast.Pass) -> None:
        pass

    def do_Break(self, node: ast.Break) -> None:
        self.emit("break")

    def do_Continue(self, node: ast.Continue) -> None:
        self.emit("continue")

    def do_Expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Constant):
            return
        if not isinstance(call, ast.Call):
            raise self.error("this expression has no effect", node)
        target = self.named(call.func) if isinstance(call.func, ast.Name) else None
        if getattr(target, "__name__", "") == "require":
            for part in self.conjuncts(call.args[0]):
                self.require(self.condition(part))
                self.narrow(part)
            return
        thing = self.lower(call)
        if isinstance(thing, Operand) and not thing.text.isalnum():
            self.fresh(thing.text)

    def conjuncts(self, node: ast.expr) -> list[ast.expr]:
        """``require(a and b)`` one by one: the cheap parts then refuse first."""
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            return [part for value in node.values for part in self.conjuncts(value)]
        return [node]

    def do_Return(self, node: ast.Return) -> None:
        if self.is_action:
            if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
                raise self.error("an action returns nothing; refuse with require", node)
            self.finish()
            return
        thing = self.lower(node.value) if node.value is not None else Operand("0", NoneType())
        if isinstance(thing, View):
            thing = self.snapshot(thing, node)
        if isinstance(thing, Items):
            raise self.error("return a value with a type, not a list display", node)
        if isinstance(thing, Place):
            packed = isinstance(thing.type, (RecordType, SeqType))
            thing = Operand(self.code_of(thing, thing.type), thing.type) if packed else self.loaded(thing, node)
        self.returns.append((len(self.lines), thing))
        self.emit("return ?")

    def settle_returns(self) -> Type:
        """Give all returns one type, once every one of them is known."""
        if not self.returns:
            return NoneType()
        kind = self.returns[0][1].type
        for _, operand in self.returns[1:]:
            kind = self.common_type(kind, operand.type, syntax_of(self.function))
        for at, operand in self.returns:
            text = self.code_of(operand, kind) if isinstance(kind, MaybeType) else operand.text
            self.lines[at] = self.lines[at].replace("return ?", f"return {text}")
        return kind

    # --- assignment -------------------------------------------------------------------

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        self.assign(node.target, self.before(node.value, node.target), node)

    def do_Assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise self.error("one assignment at a time", node)
        self.assign(node.targets[0], self.before(node.value, node.targets[0]), node)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        if self.changes(node.target):
            raise self.error("what is changed is named here by something that may change the state: assign it to a variable first", node)
        target: Any = node.target
        reading = ast.parse(ast.unparse(target), mode="eval").body
        for part in ast.walk(reading):
            ast.copy_location(part, node)
        self.assign(target, self.lower(ast.copy_location(ast.BinOp(reading, node.op, node.value), node)), node)

    def assign(self, target: ast.expr, value: Thing, node: ast.AST) -> None:
        if isinstance(target, ast.Name):
            self.assign_local(target.id, value, node)
        elif isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            owner = self.lower(target.value)
            if isinstance(owner, Place) and isinstance(owner.type, SeqType):
                self.store_item(owner, target.slice, value, node)
            elif isinstance(owner, Place) and isinstance(owner.type, ArrayType):
                self.store(self.element(owner, target.slice), value, node)
            else:
                raise self.error("values cannot be changed, only the state", node)
        elif isinstance(target, ast.Attribute):
            place = self.lower(target)
            if not isinstance(place, Place):
                raise self.error("values cannot be changed, only the state", node)
            self.store(place, value, node)
        else:
            raise self.error(f"cannot assign to {ast.unparse(target)}", node)

    def assign_local(self, name: str, value: Thing, node: ast.AST) -> None:
        self.narrowed.pop(name, None)
        if isinstance(value, Items):
            raise self.error("a list display has no type of its own: assign it to a sequence or a message's field", node)
        if isinstance(value, View):
            value = self.snapshot(value, node)
        if isinstance(value, Place) and value.type.is_value and not isinstance(value.type, (SetType, SeqType, RecordType)):
            value = self.loaded(value, node)
        known = self.variables.get(name)
        if isinstance(value, Place):
            if known is not None and self.depth:
                raise self.error(f"{name} names different parts of the state on different paths; use two names", node)
            dynamic = self.fresh(value.dynamic) if value.dynamic else ""
            self.variables[name] = replace(value, dynamic=dynamic)
            return
        if isinstance(known, Operand):
            if isinstance(known.type, IntType):
                value = self.number_operand(value, node)
                self.variables[name] = Operand(known.text, IntType())  # no longer in the range of a parameter
            elif isinstance(known.type, MaybeType):
                value = Operand(self.code_of(value, known.type, node), known.type)
            elif not compatible(value.type, known.type):
                raise self.error(f"{name} was {known.type.describe()}, and now {value.type.describe()}", node)
            if not known.text.isidentifier():
                raise self.error(f"{name} stands for what the loop goes through: give another variable a value", node)
            self.emit(f"{known.text} = {value.text}")
            return
        if isinstance(value.type, NoneType):
            raise self.error(f"{name} = None: a local variable needs a first value with a type", node)
        kind = IntType() if isinstance(value.type, IntType) else value.type
        variable = self.fresh(value.text)
        self.variables[name] = Operand(variable, kind)

    def number_operand(self, value: Operand, node: ast.AST) -> Operand:
        if isinstance(value.type, MaybeType):
            value = self.unwrapped(value)
        if isinstance(value.type, BoolType):
            raise self.error("a truth value where a number is expected", node)
        return value

    def snapshot(self, view: View, node: ast.AST) -> Operand:
        """A slice is a value of its own: later changes of the sequence do not show in it."""
        declared = SeqType(view.element, view.capacity)
        if declared.bits > 63:
            raise self.error(f"this slice needs {declared.bits} bits, at most 63: use the sequence itself", node)
        return Operand(self.packed_sequence(view, declared), declared)

    def store(self, place: Place, value: Thing, node: ast.AST) -> None:
        self.note_change(place, node)
        declared = place.type
        if isinstance(declared, SeqType):
            typed = self.typed_items(value, declared.element, node) if isinstance(value, Items) else value
            self.store_sequence(place, self.view(typed, node), node)
        elif isinstance(declared, RecordType) and isinstance(value, Operand):
            self.store_record(place, value, node)
        elif not declared.is_value or isinstance(declared, RecordType):
            if not (isinstance(value, Place) and same_layout(value.type, declared)):
                raise self.error(f"only a place of the same type can be assigned to {declared.describe()}", node)
            self.emit(f"copy({self.root(place)} + {place.at()}, {self.root(value)} + {value.at()}, {size_of(declared)})")
        else:
            self.store_code(place, self.code_of(value, declared, node))

    def store_record(self, place: Place, value: Operand, node: ast.AST) -> None:
        assert isinstance(place.type, RecordType)
        code = self.hold(self.code_of(value, place.type, node))
        shift = place.type.bits
        for name, field in place.type.fields.items():
            shift -= field.bits
            inner = place.inside(field, offset_of(place.type, name))
            part = Operand(f"(({code} >> {shift}) & {(1 << field.bits) - 1})", field)
            if isinstance(field, SeqType):
                self.store_sequence(inner, self.view(part), node)
            elif isinstance(field, RecordType):
                self.store_record(inner, part, node)
            else:
                self.store_code(inner, part.text)

    def store_item(self, owner: Place, index: ast.expr, value: Thing, node: ast.AST) -> None:
        self.note_change(owner, node)
        assert isinstance(owner.type, SeqType)
        position = self.hold(self.number(index).text)
        self.fault_unless(f"0 <= {position} and {position} < {self.load(owner, 1)}")
        self.store_element(owner, position, self.code_of(value, owner.type.element, node))

    def store_sequence(self, place: Place, view: View, node: ast.AST) -> None:
        declared = place.type
        assert isinstance(declared, SeqType)
        if view.capacity:
            self.same(view.element, declared.element, node)
        width = code_bytes(declared.element.bits)
        length = self.fresh(view.length)
        if view.capacity > declared.capacity:
            self.fault_unless(f"{length} <= {declared.capacity}")
        for k in range(declared.capacity):
            item = self.fresh("0")
            if k < view.capacity:
                with self.block(f"if {k} < {length}:"):
                    self.emit(f"{item} = {view.get(str(k))}")
            self.emit(f"store{8 * width}({self.root(place)}, {place.at(1 + k * width)}, {item})")
        self.store_length(place, length)

    def do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not (isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice) and target.slice.upper is None and target.slice.lower):
                raise self.error("only a tail can be deleted: del sequence[k:]", node)
            owner = self.lower(target.value)
            if not (isinstance(owner, Place) and isinstance(owner.type, SeqType)):
                raise self.error("only a sequence of the state can be cut", node)
            self.note_change(owner, node)
            low, length = self.hold(self.number(target.slice.lower).text), self.fresh(self.load(owner, 1))
            self.fault_unless(f"0 <= {low} and {low} <= {length}")
            k = self.fresh(low)
            with self.block(f"while {k} < {length}:"):
                self.store_element(owner, k, "0")
                self.emit(f"{k} = {k} + 1")
            self.store_length(owner, low)

    # --- control flow -----------------------------------------------------------------

    def do_If(self, node: ast.If) -> None:
        condition = self.condition(node.test)
        saved, changed = dict(self.narrowed), self.changed
        self.narrow(node.test)
        with self.block(f"if {condition}:"):
            self.block_of(node.body)
        self.narrowed = saved
        after = self.changed
        self.changed = changed
        if node.orelse:
            with self.block("else:"):
                self.block_of(node.orelse)
        self.changed = self.changed or after

    def do_While(self, node: ast.While) -> None:
        if node.orelse:
            raise self.error("while ... else is not part of the model language", node)
        self.changed = self.changed or may_change(self.function, node)
        self.forget(node)
        rounds = self.fresh("0")
        with self.block("while 1:"):
            self.emit(f"{rounds} = {rounds} + 1")
            with self.block(f"if {rounds} > {ROUNDS_MAX}:"):
                self.leave(str(self.program.own_fault(str(self.error(f"the loop ran {ROUNDS_MAX:,} rounds and did not end", node)))))
            condition = self.condition(node.test)
            with self.block(f"if not {condition}:"):
                self.emit("break")
            self.block_of(node.body)

    def forget(self, repeated: ast.AST) -> None:
        """What is known of a variable at first need not hold once a loop has given it another value."""
        for part in ast.walk(repeated):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.narrowed.pop(part.id, None)
                known = self.variables.get(part.id)
                if isinstance(known, Operand) and isinstance(known.type, IntType):
                    self.variables[part.id] = Operand(known.text, IntType())

    def do_For(self, node: ast.For) -> None:
        if node.orelse:
            raise self.error("for ... else is not part of the model language", node)
        self.changed = self.changed or may_change(self.function, node)
        self.forget(node)
        loop(self, node.target, node.iter, lambda: self.block_of(node.body), changes=may_change(self.function, node))
