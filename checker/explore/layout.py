"""How a state lies in memory: a row of bytes, the same for both engines.

The law: equal states have equal rows.  Unused elements are zero, sets are bit masks or
sorted arrays, and rows are padded to whole words, so that rows copy, hash and compare as
64-bit words.  A value is stored as its code in 1, 2, 4 or 8 bytes (little-endian); a
sequence or sorted array as a length byte and its capacity's worth of elements.
"""

from __future__ import annotations

from typing import Any

from scrutator.model.language.types import (
    ArrayType,
    LinksType,
    RecordType,
    Representation,
    SeqType,
    SetType,
    Type,
)
from scrutator.model.language.values import RecordPlace, make

WORD = 8


def code_bytes(bits: int) -> int:
    """Bytes that store a code of so many bits: 1, 2, 4 or 8."""
    return next(n for n in (1, 2, 4, 8) if bits <= 8 * n)


def size_of(declared: Type) -> int:
    """Bytes of a place or value of the type."""
    match declared:
        case RecordType():
            return sum(size_of(f) for f in declared.fields.values())
        case ArrayType():
            return declared.index.size * size_of(declared.element)
        case SeqType():
            return 1 + declared.capacity * code_bytes(declared.element.bits)
        case SetType() if declared.representation is Representation.SORTED:
            return 1 + int(declared.capacity or 0) * code_bytes(declared.element.bits)
        case SetType() if declared.element.size > 64:
            return WORD * -(-declared.element.size // 64)
        case LinksType():
            return size_of(declared.queues)
    return code_bytes(declared.bits)


def offset_of(record: RecordType, field: str) -> int:
    """Byte offset of a field of a record place."""
    offset = 0
    for name, declared in record.fields.items():
        if name == field:
            return offset
        offset += size_of(declared)
    raise KeyError(field)


def row_bytes(state: RecordType) -> int:
    """Bytes of a whole state, padded to words."""
    return max(WORD, -(-size_of(state) // WORD) * WORD)


def encode(state: RecordPlace) -> bytes:
    """The row of a state."""
    buffer = bytearray(row_bytes(state._type))
    _write(state._type, state, buffer, 0)
    return bytes(buffer)


def decode(declared: RecordType, row: bytes) -> RecordPlace:
    """The state of a row."""
    place = make(declared, None, "", _read(declared, row, 0))
    assert isinstance(place, RecordPlace)
    return place


def _write(declared: Type, value: Any, buffer: bytearray, at: int) -> None:
    match declared:
        case RecordType():
            for name, field in declared.fields.items():
                _write(field, getattr(value, name), buffer, at)
                at += size_of(field)
        case ArrayType():
            for item in value:
                _write(declared.element, item, buffer, at)
                at += size_of(declared.element)
        case SeqType():
            _write_codes([declared.element.pack(v) for v in value], declared.element, buffer, at)
        case SetType() if declared.representation is Representation.SORTED:
            codes = sorted(declared.element.pack(v) for v in (value._plain() if hasattr(value, "_plain") else value))
            _write_codes(codes, declared.element, buffer, at)
        case SetType() if declared.element.size > 64:
            mask = declared.pack(value)
            buffer[at : at + size_of(declared)] = mask.to_bytes(size_of(declared), "little")
        case LinksType():
            _write(declared.queues, value._queues if hasattr(value, "_queues") else value, buffer, at)
        case _:
            width = code_bytes(declared.bits)
            buffer[at : at + width] = declared.pack(value).to_bytes(width, "little")


def _write_codes(codes: list[int], element: Type, buffer: bytearray, at: int) -> None:
    width = code_bytes(element.bits)
    buffer[at] = len(codes)
    for k, code in enumerate(codes):
        buffer[at + 1 + k * width : at + 1 + (k + 1) * width] = code.to_bytes(width, "little")


def _read(declared: Type, row: bytes, at: int) -> Any:
    from scrutator.model.language.values import RecordValue

    match declared:
        case RecordType():
            fields = {}
            for name, field in declared.fields.items():
                fields[name] = _read(field, row, at)
                at += size_of(field)
            return RecordValue(declared, fields)
        case ArrayType():
            step = size_of(declared.element)
            return tuple(_read(declared.element, row, at + k * step) for k in range(declared.index.size))
        case SeqType():
            return _read_codes(declared.element, row, at)
        case SetType() if declared.representation is Representation.SORTED:
            return _read_codes(declared.element, row, at)
        case SetType() if declared.element.size > 64:
            return declared.unpack(int.from_bytes(row[at : at + size_of(declared)], "little"))
        case LinksType():
            return _read(declared.queues, row, at)
    return declared.unpack(int.from_bytes(row[at : at + code_bytes(declared.bits)], "little"))


def _read_codes(element: Type, row: bytes, at: int) -> tuple[Any, ...]:
    width = code_bytes(element.bits)
    return tuple(
        element.unpack(int.from_bytes(row[at + 1 + k * width : at + 1 + (k + 1) * width], "little")) for k in range(row[at])
    )
