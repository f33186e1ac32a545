"""Symmetry reduction: the canonical representative of a state under renaming.

States that differ only by a renaming of interchangeable indices form an orbit; exploring
one of each is enough.  The representative is the smallest row among the renamings that
sort the indices by a *signature*, a hash of all a state says of an index without naming
any.  Indices with different signatures are put in order; equal ones are tried in every
order, unless exchanging neighbours leaves the state as it is.  A hash collision only
costs time, so the result is exactly one row for each orbit.
"""

from __future__ import annotations

from typing import Any

from scrutator.checker.explore.layout import code_bytes, size_of
from scrutator.checker.translate.builder import Builder
from scrutator.checker.translate.sets import bitset_words
from scrutator.model.language.types import (
    ArrayType,
    IndexType,
    LinksType,
    MaybeType,
    RecordType,
    Representation,
    SeqType,
    SetType,
    Type,
    UnionType,
)

PRELUDE = """
def signature_mix(x: i64) -> i64:
    x = (x ^ (x >> 32)) * -2960836687055043099
    return (x ^ (x >> 29)) * -4658895280553007687

def next_permutation(items: ptr, start: i64, end: i64) -> i64:
    k = end - 2
    while k >= start and load8(items, k) >= load8(items, k + 1):
        k = k - 1
    if k >= start:
        j = end - 1
        while load8(items, j) <= load8(items, k):
            j = j - 1
        held = load8(items, k)
        store8(items, k, load8(items, j))
        store8(items, j, held)
    low = k + 1
    high = end - 1
    while low < high:
        held = load8(items, low)
        store8(items, low, load8(items, high))
        store8(items, high, held)
        low = low + 1
        high = high - 1
    return 1 if k >= start else 0

def row_order(a: ptr, b: ptr) -> i64:
    k = 0
    while k < ROW:
        x = load64(a, k)
        y = load64(b, k)
        if x != y:
            return -1 if ult(x, y) else 1
        k = k + 8
    return 0
""".strip()


# Parts of `canonical`, once for each index type; its indices lie from {a} to {b} among all.
RENAMING = """
    for k in range({a}, {b}):
        store8(renaming, load8(order, k), k - {a})
"""
ROUND = """
        for i in range({count}):
            store64(fresh, (i + {a}) * 8, signature_{a}(p, known, i))
"""
TIES = """
        for i in range({a}, {b}):
            for j in range({a}, i):
                if load64(fresh, i * 8) == load64(fresh, j * 8):
                    tied = 1
"""
SORT = """
    for i in range({a}, {b}):
        j = i
        while j > {a} and ult(load64(known, i * 8), load64(known, load8(order, j - 1) * 8)):
            store8(order, j, load8(order, j - 1))
            j = j - 1
        store8(order, j, i)
"""
CLASSES = """
    i = {a}
    while i < {b}:
        j = i + 1
        while j < {b} and load64(known, load8(order, i) * 8) == load64(known, load8(order, j) * 8):
            j = j + 1
        if j > i + 1 and not exchangeable(p, order, i, j):
            store8(classes, open * 2, i)
            store8(classes, open * 2 + 1, j)
            open = open + 1
        i = j
"""
CANONICAL = """
def renaming_of(order: ptr, renaming: ptr) -> None:
{renaming}
    return

@noinline
def exchangeable(p: ptr, order: ptr, start: i64, end: i64) -> i64:
    exchanged = alloca({total})
    renaming = alloca({total})
    row = alloca(ROW)
    for k in range(start, end - 1):
        for i in range({total}):
            store8(exchanged, i, i)
        a = load8(order, k)
        b = load8(order, k + 1)
        store8(exchanged, a, b)
        store8(exchanged, b, a)
        renaming_of(exchanged, renaming)
        permute(p, row, renaming)
        if row_order(p, row) != 0:
            return 0
    return 1

@noinline
def canonical(p: ptr, out: ptr) -> None:
    known = alloca({words})
    fresh = alloca({words})
    order = alloca({total})
    renaming = alloca({total})
    classes = alloca({pairs})
    row = alloca(ROW)
    zero(known, {words})
    tied = 1
    turn = 0
    while tied and turn < 2:
{rounds}
        copy(known, fresh, {words})
        tied = 0
        turn = turn + 1
{ties}
{sort}
    renaming_of(order, renaming)
    permute(p, out, renaming)
    if not tied:
        return
    open = 0
{classes}
    if open == 0:
        return
    k = 0
    while k < open:
        if next_permutation(order, load8(classes, k * 2), load8(classes, k * 2 + 1)):
            renaming_of(order, renaming)
            permute(p, row, renaming)
            if row_order(row, out) < 0:
                copy(out, row, ROW)
            k = 0
        else:
            k = k + 1
    return
""".strip()


def symmetry_source(state: RecordType, indices: tuple[IndexType, ...], codes_table: Any) -> str:
    """Flat source of ``canonical(p, out)`` and what it needs; ``codes_table`` names a rank-to-code table."""
    offsets, total = {}, 0
    for index in indices:
        offsets[index.name] = total
        total += index.count
    permute = _Permute(offsets, codes_table)
    permute.place(state, "0", "0", "p", "out")
    signatures = []
    for index in indices:
        signature = _Signature(offsets, codes_table, index)
        result = signature.place(state, "0")
        signature.emit(f"return {result}")
        signatures.append("\n".join([f"def signature_{offsets[index.name]}(p: ptr, known: ptr, marked: i64) -> i64:", *signature.lines]))
    permuted = "\n".join(["@noalias", "def permute(p: ptr, out: ptr, renaming: ptr) -> None:", "    zero(out, ROW)", *permute.lines])
    return "\n\n".join([PRELUDE, permuted, *signatures, _canonical(indices, offsets, total)])


def _canonical(indices: tuple[IndexType, ...], offsets: dict[str, int], total: int) -> str:
    def each(template: str) -> str:
        spans = ((index.count, offsets[index.name]) for index in indices)
        return "\n".join(template.strip("\n").format(a=a, b=a + count, count=count) for count, a in spans)

    return CANONICAL.format(
        total=total, words=8 * total, pairs=2 * total,
        renaming=each(RENAMING), rounds=each(ROUND), ties=each(TIES), sort=each(SORT), classes=each(CLASSES),
    )  # fmt: skip


class _Walk(Builder):
    """Walks a type; ``mentions`` tells whether an index type inside it is interchangeable."""

    def __init__(self, offsets: dict[str, int], codes_table: Any) -> None:
        super().__init__(symmetry_source)
        self.offsets, self.codes_table = offsets, codes_table

    def mentions(self, declared: Type) -> bool:
        if isinstance(declared, IndexType):
            return declared.name in self.offsets
        return any(self.mentions(p) for p in declared.parts() if isinstance(p, Type))

    def element_code(self, declared: Type, rank: str) -> str:
        """The code at a rank."""
        if isinstance(declared, IndexType):
            return rank
        return self.fresh(f"table64({self.codes_table(declared)}, {rank})")

    def by_tag(self, code: str, union: UnionType, build: Any) -> str:
        """A result that depends on the tag of a union's code."""
        result = self.fresh("0")
        payload = self.fresh(f"{code} & {(1 << union.payload_bits) - 1}")
        for tag, member in enumerate(union.members):
            with self.block(f"if {code} >> {union.payload_bits} == {tag}:"):
                self.emit(f"{result} = {build(tag, member, payload)}")
        return result


class _Permute(_Walk):
    """Code that writes a row with every index renamed."""

    def renamed(self, declared: Type, code: str) -> str:
        """The code of a value after renaming."""
        if not self.mentions(declared):
            return code
        code = self.hold(code)
        if isinstance(declared, IndexType):
            return f"load8(renaming, {code} + {self.offsets[declared.name]})"
        if isinstance(declared, MaybeType):
            result = self.fresh("0")
            with self.block(f"if {code} != 0:"):
                self.emit(f"{result} = {self.renamed(declared.element, f'({code} - {declared.presence})')} + {declared.presence}")
            return result
        if isinstance(declared, RecordType):
            result, shift = "0", declared.bits
            for field in declared.fields.values():
                shift -= field.bits
                part = self.renamed(field, f"(({code} >> {shift}) & {(1 << field.bits) - 1})")
                result = f"({result} | ({part} << {shift}))"
            return self.fresh(result)
        if isinstance(declared, UnionType):
            return self.by_tag(code, declared, lambda tag, m, payload: f"{self.renamed(m, payload)} | {tag << declared.payload_bits}")
        if isinstance(declared, SetType):
            result, rest = self.fresh("0"), self.fresh(code)
            with self.block(f"while {rest}:"):
                rank = self.fresh(f"ctz({rest})")
                self.emit(f"{rest} = {rest} & ({rest} - 1)")
                new = self.renamed(declared.element, self.element_code(declared.element, rank))
                self.emit(f"{result} = {result} | (1 << {self.rank(new, declared.element)})")
            return result
        assert isinstance(declared, SeqType)
        width, last = declared.element.bits, declared.capacity - 1
        length = self.fresh(f"{code} >> {width * declared.capacity}")
        result = self.fresh(length)
        for k in range(declared.capacity):
            item = self.fresh("0")
            with self.block(f"if {k} < {length}:"):
                self.emit(f"{item} = {self.renamed(declared.element, f'(({code} >> {(last - k) * width}) & {(1 << width) - 1})')}")
            self.emit(f"{result} = {result} << {width} | {item}")
        return result

    def place(self, declared: Type, source: str, target: str, p: str, out: str) -> None:
        """Copy a place from offset ``source`` of the old row to ``target`` of the new one, renamed."""
        if not self.mentions(declared):
            self.emit(f"copy({out} + {target}, {p} + {source}, {size_of(declared)})")
            return
        match declared:
            case RecordType():
                at = 0
                for field in declared.fields.values():
                    self.place(field, f"{source} + {at}", f"{target} + {at}", p, out)
                    at += size_of(field)
            case LinksType():
                self.place(declared.queues, source, target, p, out)
            case ArrayType():
                step, i = size_of(declared.element), self.fresh()
                with self.block(f"for {i} in range(0, {declared.index.size}):"):
                    new = self.fresh(self.renamed(declared.index, i))
                    self.place(declared.element, f"{source} + {i} * {step}", f"{target} + {new} * {step}", p, out)
            case SeqType():
                width, k = code_bytes(declared.element.bits), self.fresh()
                self.emit(f"store8({out}, {target}, load8({p}, {source}))")
                with self.block(f"for {k} in range(0, load8({p}, {source})):"):
                    new = self.renamed(declared.element, f"load{8 * width}({p}, {source} + 1 + {k} * {width})")
                    self.emit(f"store{8 * width}({out}, {target} + 1 + {k} * {width}, {new})")
            case SetType() if declared.representation is Representation.SORTED:
                width, k = code_bytes(declared.element.bits), self.fresh()
                with self.block(f"for {k} in range(0, load8({p}, {source})):"):
                    new = self.renamed(declared.element, f"load{8 * width}({p}, {source} + 1 + {k} * {width})")
                    self.fresh(f"sorted_add{8 * width}({out} + {target}, {new}, {declared.capacity}, 1)")
            case SetType() if bitset_words(declared):
                member = self.fresh("-1")
                with self.block("while 1:"):
                    self.emit(f"{member} = next_bit({p} + {source}, {member} + 1, {declared.element.size})")
                    with self.block(f"if {member} >= {declared.element.size}:"):
                        self.emit("break")
                    new = self.renamed(declared.element, self.element_code(declared.element, member))
                    rank = self.fresh(self.rank(new, declared.element))
                    word = self.fresh(f"{target} + ({rank} >> 6) * 8")
                    self.emit(f"store64({out}, {word}, load64({out}, {word}) | (1 << ({rank} & 63)))")
            case _:
                width = code_bytes(declared.bits)
                self.emit(f"store{8 * width}({out}, {target}, {self.renamed(declared, f'load{8 * width}({p}, {source})')})")


class _Signature(_Walk):
    """Code that hashes what a state says of the index ``marked``, naming no other."""

    def __init__(self, offsets: dict[str, int], codes_table: Any, marked: IndexType) -> None:
        super().__init__(offsets, codes_table)
        self.marked = marked

    def of_index(self, declared: IndexType, index: str) -> str:
        known = f"load64(known, ({index} + {self.offsets[declared.name]}) * 8)"
        return f"(7046029254386353087 if {index} == marked else {known})" if declared.name == self.marked.name else known

    def value(self, declared: Type, code: str) -> str:
        """The hash of a value."""
        if not self.mentions(declared):
            return code
        code = self.hold(code)
        if isinstance(declared, IndexType):
            return self.of_index(declared, code)
        if isinstance(declared, MaybeType):
            result = self.fresh("1")
            with self.block(f"if {code} != 0:"):
                self.emit(f"{result} = signature_mix({self.value(declared.element, self.fresh(f'{code} - {declared.presence}'))} + 2)")
            return result
        if isinstance(declared, RecordType):
            result, shift = self.fresh("3"), declared.bits
            for field in declared.fields.values():
                shift -= field.bits
                part = self.value(field, f"(({code} >> {shift}) & {(1 << field.bits) - 1})")
                self.emit(f"{result} = signature_mix({result} + {part})")
            return result
        if isinstance(declared, UnionType):
            return self.by_tag(code, declared, lambda tag, m, payload: f"signature_mix({self.value(m, payload)} + {tag + 5})")
        if isinstance(declared, SetType):
            result, rest = self.fresh("0"), self.fresh(code)
            with self.block(f"while {rest}:"):
                rank = self.fresh(f"ctz({rest})")
                self.emit(f"{rest} = {rest} & ({rest} - 1)")
                self.emit(f"{result} = {result} + signature_mix({self.value(declared.element, self.element_code(declared.element, rank))} + 11)")
            return result
        assert isinstance(declared, SeqType)
        width, last = declared.element.bits, declared.capacity - 1
        result = self.fresh(f"{code} >> {width * declared.capacity}")
        for k in range(declared.capacity):
            with self.block(f"if {k} < {code} >> {width * declared.capacity}:"):
                part = self.value(declared.element, f"(({code} >> {(last - k) * width}) & {(1 << width) - 1})")
                self.emit(f"{result} = signature_mix({result} + {part})")
        return result

    def place(self, declared: Type, at: str) -> str:
        """A temporary with the hash of a place."""
        result = self.fresh("13")
        if not self.mentions(declared):
            self.plain_bytes(result, at, size_of(declared))
            return result
        match declared:
            case RecordType():
                offset = 0
                for field in declared.fields.values():
                    self.emit(f"{result} = signature_mix({result} + {self.place(field, f'{at} + {offset}')})")
                    offset += size_of(field)
            case LinksType():
                return self.place(declared.queues, at)
            case ArrayType():
                step, i = size_of(declared.element), self.fresh()
                with self.block(f"for {i} in range(0, {declared.index.size}):"):
                    part = self.place(declared.element, f"{at} + {i} * {step}")
                    if isinstance(declared.index, IndexType) and self.mentions(declared.index):
                        self.emit(f"{result} = {result} + signature_mix(signature_mix({part}) + {self.of_index(declared.index, i)})")
                    else:
                        self.emit(f"{result} = signature_mix({result} + {part})")
            case SeqType() | SetType() if isinstance(declared, SeqType) or declared.representation is Representation.SORTED:
                width, k = code_bytes(declared.element.bits), self.fresh()
                with self.block(f"for {k} in range(0, load8(p, {at})):"):
                    part = self.value(declared.element, f"load{8 * width}(p, {at} + 1 + {k} * {width})")
                    joined = f"signature_mix({result} + {part})" if isinstance(declared, SeqType) else f"{result} + signature_mix({part} + 17)"
                    self.emit(f"{result} = {joined}")
            case SetType() if bitset_words(declared):
                bit = self.fresh("-1")
                with self.block("while 1:"):
                    self.emit(f"{bit} = next_bit(p + {at}, {bit} + 1, {declared.element.size})")
                    with self.block(f"if {bit} >= {declared.element.size}:"):
                        self.emit("break")
                    part = self.value(declared.element, self.element_code(declared.element, bit))
                    self.emit(f"{result} = {result} + signature_mix({part} + 17)")
            case _:
                width = code_bytes(declared.bits)
                self.emit(f"{result} = signature_mix({result} + {self.value(declared, f'load{8 * width}(p, {at})')})")
        return result

    def plain_bytes(self, result: str, at: str, size: int) -> None:
        done = 0
        for width in (8, 4, 2, 1):
            while size - done >= width:
                self.emit(f"{result} = signature_mix({result} + load{8 * width}(p, {at} + {done}))")
                done += width
