"""Traces in files: each event is there once it has happened, and nodes that start again go on."""

from __future__ import annotations

import resource

import msgspec
import pytest

from scrutator.impl.node.tracefile import TraceFile
from scrutator.impl.raft import ElectionTimeout, Options, Raft, Trace, configuration


def test_events_are_there_at_once_and_a_second_life_goes_on(tmp_path):
    path = tmp_path / "trace.jsonl"
    for life in (1, 2):
        server = Raft("a", configuration(["a", "b"]), Options(pre_vote=False), term=life)
        file = TraceFile(path)
        server.on_trace = file
        for _ in range(3):
            server.step(ElectionTimeout(), 1.0)
        lines = path.read_bytes().splitlines(keepends=True)  # before anybody closes it
        assert len(lines) == 3 * life and all(line.endswith(b"\n") for line in lines)
        file.close()
    traces = [msgspec.json.decode(line, type=Trace) for line in lines]
    assert [trace.term for trace in traces] == [2, 3, 4, 3, 4, 5]
    assert {trace.word for trace in traces} == {"timeout"}


def test_a_line_that_cannot_be_written_whole_is_an_error(tmp_path):
    path = tmp_path / "trace.jsonl"
    server = Raft("a", configuration(["a", "b"]), Options(pre_vote=False))
    file = TraceFile(path)
    server.on_trace = file
    server.step(ElectionTimeout(), 1.0)
    whole = path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 10, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            server.step(ElectionTimeout(), 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        file.close()
    assert path.stat().st_size == whole + 10
