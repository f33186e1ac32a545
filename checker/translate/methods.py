"""Methods of the state's parts: what sets, sequences, networks and links do when asked to change."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from scrutator.checker.explore.layout import code_bytes, offset_of, size_of
from scrutator.checker.translate.builder import TRUNCATED, IntType, NoneType, Operand, Place, Thing
from scrutator.checker.translate.changes import CHANGES
from scrutator.checker.translate.sets import bitset_words, member
from scrutator.model.language.types import (
    ArrayType,
    LinksType,
    RecordType,
    Representation,
    SeqType,
    SetType,
    Type,
)

if TYPE_CHECKING:
    from scrutator.checker.translate.expressions import Expressions


NOTHING = Operand("0", NoneType())
ARGUMENTS = {"clear": (0, 0), "pop": (0, 1), "lose_volatile": (0, 1)}  # the fewest and the most; others take one


def method(f: Expressions, node: ast.Call) -> Operand:
    """``place.method(...)``."""
    assert isinstance(node.func, ast.Attribute)
    name, owner = node.func.attr, f.lower(node.func.value)
    if name in CHANGES:
        if not isinstance(owner, Place):
            raise f.error("values cannot be changed, only the state", node)
        f.note_change(owner, node)
    if isinstance(owner, Place):
        for kind, methods in METHODS.items():
            if isinstance(owner.type, kind) and name in methods:
                fewest, most = ARGUMENTS.get(name, (1, 1))
                if node.keywords or not fewest <= len(node.args) <= most:
                    raise f.error(f"{name} takes {fewest if fewest == most else f'{fewest} or {most}'} arguments, not by name", node)
                return methods[name](f, owner, node)
    described = owner.type.describe() if isinstance(owner, (Operand, Place)) else "a sequence"
    raise f.error(f"{described} has no method {name}", node)


def _change_set(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    assert isinstance(owner.type, SetType) and isinstance(node.func, ast.Attribute)
    change_set(f, owner, node.func.attr, f.code_of(f.lower(node.args[0]), owner.type.element, node))
    return NOTHING


def _clear(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    f.emit(f"zero({f.root(owner)} + {owner.at()}, {size_of(owner.type)})")
    return NOTHING


def change_set(f: Expressions, owner: Place, name: str, code: str) -> None:
    """Put a code into a set or take one out: ``add``, ``send``, ``discard``, ``remove`` or ``receive``."""
    declared = owner.type
    assert isinstance(declared, SetType)
    adding = name in ("add", "send")
    where = f"{f.root(owner)} + {owner.at()}"
    if declared.representation is Representation.SORTED:
        width = code_bytes(declared.element.bits)
        f.program.widths.add(width)
        if adding:
            full = f.fresh(f"sorted_add{8 * width}({where}, {code}, {declared.capacity}, {int(declared.bag)})")
            with f.block(f"if {full}:"):
                f.leave(str(TRUNCATED + f.program.site(owner.name)))
        else:
            removed = f.fresh(f"sorted_remove{8 * width}({where}, {code})")
            if name != "discard":
                f.fault_unless(removed)
        return
    rank = f.hold(f.rank(code, declared.element))
    if bitset_words(declared):
        at, bit = f.fresh(f"{owner.at()} + ({rank} >> 6) * 8"), f.fresh(f"1 << ({rank} & 63)")
        load, store = f"load64({f.root(owner)}, {at})", f"store64({f.root(owner)}, {at}, "
    else:
        width = code_bytes(declared.bits)
        bit = f.fresh(f"1 << {rank}")
        load, store = f"load{8 * width}({f.root(owner)}, {owner.at()})", f"store{8 * width}({f.root(owner)}, {owner.at()}, "
    if name in ("remove", "receive"):
        f.fault_unless(f"{load} & {bit}")
    f.emit(f"{store}{load} | {bit})" if adding else f"{store}{load} & ~{bit})")


def _count(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    declared = owner.type
    assert isinstance(declared, SetType)
    if declared.representation is not Representation.SORTED:
        return Operand(f"(1 if {member(f, owner, node.args[0])} else 0)", IntType(0, 1))
    width = code_bytes(declared.element.bits)
    f.program.widths.add(width)
    code = f.code_of(f.lower(node.args[0]), declared.element, node)
    return Operand(f"sorted_count{8 * width}({f.root(owner)} + {owner.at()}, {code})", IntType(0, declared.capacity))


def _append(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    _append_thing(f, owner, f.lower(node.args[0]), node)
    return NOTHING


def _append_thing(f: Expressions, owner: Place, value: Thing, node: ast.AST) -> None:
    assert isinstance(owner.type, SeqType)
    length = f.fresh(f.load(owner, 1))
    f.fault_unless(f"{length} < {owner.type.capacity}")
    f.store_element(owner, length, f.code_of(value, owner.type.element, node))
    f.store_length(owner, f"{length} + 1")


def _pop(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    """Take an element out, the last one if no position is given; the later ones move up."""
    assert isinstance(owner.type, SeqType)
    length = f.fresh(f.load(owner, 1))
    last = f.fresh(f"{length} - 1")
    at = f.hold(f.number(node.args[0]).text) if node.args else last
    f.fault_unless(f"0 <= {at} and {at} < {length}")
    item = f.fresh(f.load_element(owner, at))
    k = f.fresh(at)
    with f.block(f"while {k} < {last}:"):
        f.store_element(owner, k, f.load_element(owner, f"({k} + 1)"))
        f.emit(f"{k} = {k} + 1")
    f.store_element(owner, last, "0")
    f.store_length(owner, last)
    return f.decoded(item, owner.type.element)


def _change_links(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    assert isinstance(node.func, ast.Attribute)
    change_links(f, owner, node.func.attr, f.value(node.args[0]), node)
    return NOTHING


def change_links(f: Expressions, owner: Place, name: str, message: Operand, node: ast.Call) -> None:
    """Send a message on its link, or receive the first one."""
    links = owner.type
    assert isinstance(links, LinksType)
    code = f.hold(f.code_of(message, links.element, node))
    union = Operand(code, links.element)
    queue = _queue_of(f, owner, links, union, node)
    if name == "send":
        with f.block(f"if {f.load(queue, 1)} >= {links.capacity}:"):
            f.leave(str(TRUNCATED + f.program.site(owner.name)))
        _append_thing(f, queue, union, node)
    else:
        width = code_bytes(links.element.bits)
        f.fault_unless(f"{f.load(queue, 1)} > 0 and load{8 * width}({f.root(queue)}, {queue.at(1)}) == {code}")
        _pop(f, queue, ast.Call(node.func, [ast.Constant(0)], []))


def repeat_head(f: Expressions, owner: Place, message: Operand, node: ast.Call) -> None:
    """Put the first message of a link there once more."""
    links = owner.type
    assert isinstance(links, LinksType)
    queue = _queue_of(f, owner, links, message, node)
    length = f.fresh(f.load(queue, 1))
    with f.block(f"if {length} >= {links.capacity}:"):
        f.leave(str(TRUNCATED + f.program.site(owner.name)))
    k = f.fresh(length)
    with f.block(f"while {k} > 0:"):
        f.store_element(queue, k, f.load_element(queue, f"({k} - 1)"))
        f.emit(f"{k} = {k} - 1")
    f.store_length(queue, f"{length} + 1")


def _queue_of(f: Expressions, owner: Place, links: LinksType, message: Operand, node: ast.AST) -> Place:
    """The queue that the message travels in."""
    src, dst = f.field(message, "src", node), f.field(message, "dst", node)
    assert isinstance(src, Operand) and isinstance(dst, Operand)
    where = f.fresh(f"{src.text} * {size_of(links.row)} + {dst.text} * {size_of(links.queue)}")
    return owner.inside(links.queue, 0, where)


def _lose_volatile(f: Expressions, owner: Place, node: ast.Call) -> Operand:
    """Volatile variables become what they were at first: all zero, in every type's code."""
    assert isinstance(owner.type, RecordType)
    index = f.lower(node.args[0]) if node.args else None
    for name, declared in owner.type.fields.items():
        place = owner.inside(declared, offset_of(owner.type, name))
        if index is None and declared.volatile:
            f.emit(f"zero({f.root(place)} + {place.at()}, {size_of(declared)})")
        elif index is not None and isinstance(declared, ArrayType) and (declared.volatile or declared.element.volatile):
            code = f.hold(f.code_of(index, declared.index, node))
            step = size_of(declared.element)
            f.emit(f"zero({f.root(place)} + {place.at()} + {code} * {step}, {step})")
    return NOTHING


METHODS: dict[type[Type], dict[str, Callable[[Expressions, Place, ast.Call], Operand]]] = {
    SetType: {
        "add": _change_set, "send": _change_set, "discard": _change_set, "remove": _change_set, "receive": _change_set,
        "clear": _clear, "count": _count,
    },
    SeqType: {"append": _append, "pop": _pop},
    LinksType: {"send": _change_links, "receive": _change_links},
    RecordType: {"lose_volatile": _lose_volatile},
}  # fmt: skip
