"""A history as clients saw it, in our JSON lines, line by line as operations end; see docs/histories.md.

The law: the history says only what a client observed.  An operation of which a client cannot know whether it
took effect is pending, and the client goes on as another process; one that was refused did not happen, and is
not in the history.  What was written stays readable if the recorder is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

Plain = None | bool | int | str | Sequence["Plain"]


class History:
    """The operations of all clients; ``write`` takes each line, without its end."""

    def __init__(self, object_: str, header: Mapping[str, object], write: Callable[[bytes], object]) -> None:
        said = {"format": "scrutator-history/1", "clock": "ns", "object": object_, **header}
        self._write = write
        self._processes = 0
        self._write(msgspec.json.encode(said))

    def process(self) -> int:
        """A process that has not been yet."""
        self._processes += 1
        return self._processes - 1

    def add(
        self, process: int, method: str, key: str | None, argument: Plain, result: Plain, called_ns: int, returned_ns: int | None
    ) -> None:
        """An operation has ended; returned never (None): nobody knows whether it took effect.

        >>> lines = []
        >>> History("register", {}, lines.append).add(0, "write", None, 5, None, 10, None)
        >>> lines[1]
        b'{"p":0,"f":"write","in":5,"out":null,"call":10,"ret":null}'
        """
        line: dict[str, Plain] = {"p": process, "f": method}
        if key is not None:
            line["k"] = key
        line |= {"in": argument, "out": None if returned_ns is None else result, "call": called_ns, "ret": returned_ns}
        self._write(msgspec.json.encode(line))
