"""Histories that gzip has packed: told from the content, unpacked within a limit."""

from __future__ import annotations

import gzip

import pytest

from scrutator.checker import cli
from scrutator.checker.linear.formats import read
from scrutator.checker.linear.formats.source import unpacked
from scrutator.checker.linear.history import HistoryError

HEADER = b'{"format": "scrutator-history/1", "object": "register", "clock": "ns"}\n'
LINES = HEADER + b"".join(b'{"p":0,"f":"write","in":%d,"out":null,"call":%d,"ret":%d}\n' % (k, 2 * k, 2 * k + 1) for k in range(5000))


def test_a_packed_history_is_read_whatever_its_name(tmp_path):
    for name, data in (("plain", LINES), ("packed.jsonl", gzip.compress(LINES))):
        (tmp_path / name).write_bytes(data)
        assert len(read(tmp_path / name)) == 5000
    assert gzip.compress(LINES) != LINES


def test_folders_know_packed_histories(tmp_path, capsys):
    (tmp_path / "a.gz").write_bytes(gzip.compress(LINES))
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"\0" * 100_000))
    assert cli.run(["lin", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "a.gz is linearizable" in " ".join(out.split()) and "b.gz" in out.split("Left out", 1)[1]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gzip.compress(LINES)[:-20], "cut off"),
        (gzip.compress(LINES)[:200] + b"xx" + gzip.compress(LINES)[202:], "damaged"),
        (gzip.compress(LINES) + b"rest", "damaged"),
    ],
)
def test_what_is_damaged_is_refused(tmp_path, data, why):
    path = tmp_path / "history"
    path.write_bytes(data)
    with pytest.raises(HistoryError, match=why) as found:
        read(path)
    assert str(path) in str(found.value)


def test_what_unpacks_to_too_much_is_refused():
    bomb = gzip.compress(b"\0" * (8 << 20))
    assert len(bomb) < 10_000
    with pytest.raises(HistoryError, match="more than the limit of 1,000,000 bytes"):
        unpacked("bomb", bomb, bytes_max=1_000_000)
    assert len(unpacked("bomb", bomb, bytes_max=1000, head=True)) == 1000
