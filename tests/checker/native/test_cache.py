"""Cached code is used when nothing changed, and only then; a bad cache costs time, not truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrutator.checker.native import cache, compile_dialect

SOURCE = "@export\ndef f(a: i64) -> i64:\n    return a + K + table8(T, 0)\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCRUTATOR_CACHE", str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


def test_second_time_from_cache(folder: Path) -> None:
    first = compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"})
    again = compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"})
    assert (first.from_cache, again.from_cache) == (False, True)
    assert first.function("f")(1) == again.function("f")(1) == 7
    assert [p.suffix for p in folder.iterdir()] == [".o"]


def test_any_difference_compiles_again(folder: Path) -> None:
    compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"})
    for constants, table, expected in (({"K": 6}, b"\1", 8), ({"K": 5}, b"\2", 8)):
        module = compile_dialect(SOURCE, constants, {"T": table})
        assert not module.from_cache
        assert module.function("f")(1) == expected


@pytest.mark.parametrize("damage", [b"", b"garbage" * 20, None])
def test_damaged_entries_are_ignored(folder: Path, damage: bytes | None) -> None:
    compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"})
    (entry,) = folder.iterdir()
    entry.write_bytes(entry.read_bytes()[:-9] if damage is None else damage)
    module = compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"})
    assert not module.from_cache
    assert module.function("f")(1) == 7
    assert compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"}).from_cache


def test_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCRUTATOR_CACHE", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        module = compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"})
        assert not module.from_cache
        assert module.function("f")(1) == 7


def test_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCRUTATOR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.folder() == Path("/somewhere/scrutator")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path("~/.cache/scrutator").expanduser()


def test_functions_outlive_their_module() -> None:
    function = compile_dialect(SOURCE, {"K": 5}, {"T": b"\1"}).function("f")
    assert function(1) == 7
