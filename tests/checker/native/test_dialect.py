"""Compiled dialect means what the emulator says, and what is not dialect is refused by line."""

from __future__ import annotations

import ctypes

import pytest
from emulator import Emulator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrutator.checker.native import DialectError, compile_dialect
from scrutator.checker.native.intrinsics import INTRINSICS

EDGES = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    8,
    10,
    63,
    64,
    65,
    255,
    256,
    1 << 31,
    1 << 32,
    (1 << 63) - 1,
    -(1 << 63),
    -(1 << 63) + 1,
]
WORDS = st.one_of(st.sampled_from(EDGES), st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-20, 20))
CONSTANTS = {"SEVEN": 7, "BIG": (1 << 64) - 3}
TABLES = {"SMALL": bytes(range(3, 67)), "WIDE": bytes((7 * k) % 256 for k in range(64 * 8))}
UNARY_CALLS = ["ctz", "clz", "popcount", "likely"]
BINARY_CALLS = ["mulhi", "mum", "rotl", "ult", "ule", "smin", "smax"]

NAMES = st.sampled_from(["a", "b", "c", "SEVEN", "BIG"])
ATOMS = st.one_of(NAMES, WORDS.map(lambda x: f"({x})"))


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    operators = st.sampled_from(
        ["+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "and", "or"]
    )
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["-", "~", "not "]), inner).map(lambda t: f"({t[0]}{t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(st.sampled_from(BINARY_CALLS), pair).map(lambda t: f"{t[0]}({t[1][0]}, {t[1][1]})"),
        st.tuples(st.sampled_from(UNARY_CALLS), inner).map(lambda t: f"{t[0]}({t[1]})"),
        inner.map(lambda t: f"table8(SMALL, {t} & 63)"),
        inner.map(lambda t: f"table64(WIDE, {t} & 63)"),
        pair.map(lambda t: f"helper({t[0]}, {t[1]})"),
    )


EXPRESSIONS = st.recursive(ATOMS, _compound, max_leaves=10)
TARGETS = st.sampled_from(["a", "b", "c"])


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _blocks(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    body = st.lists(inner, min_size=1, max_size=3).map(lambda bs: [line for b in bs for line in b])
    ranges = st.tuples(st.integers(-3, 3), st.integers(-3, 6), st.sampled_from([1, 2, -1, -3]))
    return st.one_of(
        st.tuples(EXPRESSIONS, body).map(lambda t: [f"if {t[0]}:", *_indented(t[1])]),
        st.tuples(EXPRESSIONS, body, body).map(
            lambda t: [f"if {t[0]}:", *_indented(t[1]), "else:", *_indented(t[2])]
        ),
        st.tuples(ranges, body).map(
            lambda t: ["for x in range({}, {}, {}):".format(*t[0]), *_indented(["a += x", *t[1]])]
        ),
        st.tuples(EXPRESSIONS, body).map(
            lambda t: ["n = 0", f"while n < 4 and {t[0]}:", *_indented(["n += 1", *t[1]])]
        ),
    )


SIMPLE = st.one_of(
    st.tuples(TARGETS, st.sampled_from(["=", "+=", "^=", "//=", "%=", ">>="]), EXPRESSIONS).map(
        lambda t: [" ".join(t)]
    ),
    EXPRESSIONS.map(lambda t: [f"store64(m, 8 * ({t} & 7), {t})"]),
    st.tuples(TARGETS, st.sampled_from([8, 16, 32, 64])).map(lambda t: [f"{t[0]} = load{t[1]}(m, b & 31)"]),
    st.tuples(EXPRESSIONS, st.sampled_from([8, 16, 32])).map(lambda t: [f"store{t[1]}(m, c & 31, {t[0]})"]),
    st.just(["a = atomic_add(m, 16, b)"]),
    EXPRESSIONS.map(lambda t: [f"if {t}:", "    return a"]),
)
STATEMENTS = st.recursive(SIMPLE, _blocks, max_leaves=6)
HELPER = """
@noinline
def helper(a: i64, b: i64) -> i64:
    s = alloca(16)
    store64(s, 0, a)
    store64(s, 8, b)
    t = s + 4
    return load64(t, 0) ^ (a * 3 if a < b else b)
"""


def _compare(source: str, arguments: list[tuple[int, int, int]], names: list[str]) -> None:
    module = compile_dialect(source, CONSTANTS, TABLES)
    for name in names:
        native = module.function(name)
        for given_arguments in arguments:
            emulator = Emulator(source, CONSTANTS, TABLES)
            memory = (ctypes.c_uint8 * 64)()
            expected = emulator.functions[name](*given_arguments, 0)
            assert native(*given_arguments, ctypes.addressof(memory)) == expected, (name, given_arguments)
            assert bytes(memory) == bytes(emulator.memory[:64]), (name, given_arguments)


QUICK = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUICK
@given(
    st.lists(EXPRESSIONS, min_size=8, max_size=8),
    st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=6, max_size=6),
)
def test_expressions(expressions: list[str], arguments: list[tuple[int, int, int]]) -> None:
    parts = [
        f"@export\ndef f{k}(a: i64, b: i64, c: i64, m: ptr) -> i64:\n    return {e}\n"
        for k, e in enumerate(expressions)
    ]
    _compare(HELPER + "\n".join(parts), arguments, [f"f{k}" for k in range(len(parts))])


@QUICK
@given(
    st.lists(STATEMENTS, min_size=1, max_size=5),
    st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=6, max_size=6),
)
def test_statements(statements: list[list[str]], arguments: list[tuple[int, int, int]]) -> None:
    lines = _indented([line for block in statements for line in block])
    source = "\n".join(
        [
            HELPER,
            "@export",
            "def f(a: i64, b: i64, c: i64, m: ptr) -> i64:",
            *lines,
            "    return a ^ b + c",
            "",
        ]
    )
    _compare(source, arguments, ["f"])


def test_division_at_all_edges() -> None:
    source = "".join(
        f"@export\ndef q{k}(a: i64) -> i64:\n    return a // ({b})\n@export\ndef r{k}(a: i64) -> i64:\n    return a % ({b})\n"
        for k, b in enumerate(EDGES)
    )
    source += "@export\ndef q(a: i64, b: i64) -> i64:\n    return a // b\n@export\ndef r(a: i64, b: i64) -> i64:\n    return a % b\n"
    module, emulator = compile_dialect(source, {}, {}), Emulator(source, {}, {})
    quotient, remainder = module.function("q"), module.function("r")
    for k, b in enumerate(EDGES):
        for a in EDGES:
            expected = emulator.functions["q"](a, b), emulator.functions["r"](a, b)
            assert (quotient(a, b), remainder(a, b)) == expected
            assert (module.function(f"q{k}")(a), module.function(f"r{k}")(a)) == expected


def test_memory_intrinsics() -> None:
    source = """
@export
def f(m: ptr) -> i64:
    store_ptr(m, 0, m + 32)
    p = load_ptr(m, 0)
    for k in range(16):
        store8(p, k, k * 17)
        if k == 13:
            break
    copy(m + 8, p, 12)
    copy_n(m + 20, p, load8(p, 0) + 3)
    zero(p, 5)
    prefetch(p, 0)
    return equal_bytes(m + 8, m + 20, 3) + 2 * equal_bytes(m + 8, m + 20, 8) + 4 * (p == m + 32)

@export
def nothing(m: ptr) -> None:
    if load8(m, 0):
        return
    store8(m, 0, 1)
"""
    module, emulator = compile_dialect(source, {}, {}), Emulator(source, {}, {})
    memory = (ctypes.c_uint8 * 64)()
    assert module.function("f")(ctypes.addressof(memory)) == emulator.functions["f"](0) == 5
    assert bytes(memory)[8:] == bytes(emulator.memory[8:64])
    memory = (ctypes.c_uint8 * 8)()
    assert module.function("nothing")(ctypes.addressof(memory)) is None
    assert memory[0] == 1


def test_every_intrinsic_is_emulated_and_named_for_tools() -> None:
    from scrutator.checker.native import words

    emulated = Emulator("", {}, {}).functions
    assert {name for name in INTRINSICS if name not in emulated} == set()
    assert {name for name in INTRINSICS if not hasattr(words, name)} == set()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x", "line 3: x is neither assigned before nor a constant"),
        ("return a < b < a", "line 3: write a chain"),
        ("return a / b", "line 3: Div is no operator"),
        ("return a ** b", "line 3: Pow is no operator"),
        ("return [a]", "line 3: List is no expression"),
        ("return 1.5", "line 3: Constant is no expression"),
        ("return load64(a, 0)", "line 3: i64 where ptr is needed"),
        ("return m", "line 3: ptr where i64 is needed"),
        ("return m < a", "line 3: compare two words or two pointers"),
        ("return helper(a)", "line 3: no function helper"),
        ("return ctz(a, b)", "line 3: ctz takes 1 arguments"),
        ("return m.x", "line 3: Attribute is no expression"),
        ("a = m", "line 3: a is i64 and cannot become ptr"),
        ("K = a", "line 3: K is a constant"),
        ("a, b = b, a", "line 3: Assign is no statement"),
        ("copy(m, m, a)", "line 3: copy: the size must be a constant"),
        ("return alloca(a)", "line 3: alloca: the size must be a constant"),
        ("return table8(a, 0)", "line 3: a table load takes"),
        ("for x in range(0, 9, a):\n        pass", "line 3: range takes"),
        ("for x in m:\n        pass", "line 3: For is no statement"),
        ("break", "line 3: outside of a loop"),
        ("return", "line 3: f returns i64"),
        ("try:\n        pass\n    finally:\n        pass", "line 3: Try is no statement"),
    ],
)
def test_refusals_name_the_line(body: str, message: str) -> None:
    source = f"@export\ndef f(a: i64, b: i64, m: ptr) -> i64:\n    {body}\n"
    with pytest.raises(DialectError) as refusal:
        compile_dialect(source, {"K": 1}, {})
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    "source",
    ["x = 1\n", "def f(a) -> i64:\n    return 1\n", "def f(a: i64 = 1) -> i64:\n    return 1\n", "@other\ndef f() -> i64:\n    return 1\n",
     "def ctz(a: i64) -> i64:\n    return 1\n", "def f() -> i64:\n    return 1\ndef f() -> i64:\n    return 1\n", "def f(:\n"],
)  # fmt: skip
def test_refused_modules(source: str) -> None:
    with pytest.raises(DialectError, match="line "):
        compile_dialect(source, {}, {})
