"""The faults of a recorded run, to be drawn behind its operations.

Law: they lie beside the history under a name that says so; a history without them is none the worse, and what
is no file of faults is a mistake with its file and line.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scrutator.checker.linear.history import HistoryError

if TYPE_CHECKING:
    from scrutator.checker.report.timeline import Band

FAULTS_BYTES_MAX = 64 << 20


def bands_beside(history: str) -> list[Band]:
    """Of run/history.jsonl the faults in run/faults.jsonl, of NAME.jsonl those in NAME.faults.jsonl; often there are none.

    A history may be packed (.gz), its faults are not.  Raises `HistoryError`.
    """
    path = Path(history.removesuffix(".gz"))
    faults = path.with_name("faults.jsonl") if path.name == "history.jsonl" else path.with_suffix(".faults.jsonl")
    return _bands(faults) if path.suffix == ".jsonl" and faults.is_file() else []


def _bands(faults: Path) -> list[Band]:
    import msgspec

    from scrutator.checker.report.timeline import Band
    from scrutator.impl.cluster.record.nemesis import Struck

    if faults.stat().st_size > FAULTS_BYTES_MAX:
        raise HistoryError(str(faults), 1, f"the file has more than {FAULTS_BYTES_MAX:,} bytes")
    decoder = msgspec.json.Decoder(Struck)
    struck: dict[int, Struck] = {}
    for number, line in enumerate(faults.read_bytes().splitlines(), 1):
        try:
            one = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HistoryError(str(faults), number, f"this is no fault: {error}") from error
        struck[one.number] = one
    return [Band(one.kind, one.what, tuple(one.nodes), one.begin, one.end) for one in struck.values()]
