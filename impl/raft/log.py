"""A server's log in memory: the entries after the last snapshot, and the configurations among them.

Law: positions count from 1; ``base`` is the last position that a snapshot replaced.  A configuration
takes effect when it is appended, and goes when its entry goes (section 6).
"""

from __future__ import annotations

from collections.abc import Sequence

from scrutator.impl.raft.configuration import Configuration
from scrutator.impl.raft.messages import Entry, Kind, Snapshot


class Log:
    """Entries base+1 .. last; ``snapshot`` stands for what came before."""

    __slots__ = ("_configurations", "base", "base_term", "entries", "snapshot")

    def __init__(self, configuration: Configuration, snapshot: Snapshot | None = None, entries: Sequence[Entry] = ()) -> None:
        self.snapshot = snapshot
        self.base, self.base_term = (0, 0) if snapshot is None else (snapshot.index, snapshot.term)
        self.entries: list[Entry] = []
        first = configuration if snapshot is None else snapshot.configuration
        self._configurations: list[tuple[int, Configuration]] = [(self.base, first)]
        self.append([entry for entry in entries if entry.index > self.base])

    @property
    def last(self) -> int:
        """The position of the last entry, or of the snapshot if there is none after it."""
        return self.base + len(self.entries)

    @property
    def last_term(self) -> int:
        return self.entries[-1].term if self.entries else self.base_term

    @property
    def configuration(self) -> Configuration:
        """The last one in the log: it is in effect whether or not it is committed."""
        return self._configurations[-1][1]

    @property
    def configured_at(self) -> int:
        """The position of the configuration in effect."""
        return self._configurations[-1][0]

    def configuration_at(self, index: int) -> Configuration:
        """The configuration in effect once the log ended at ``index``."""
        return next(c for k, c in reversed(self._configurations) if k <= index)

    def configurations_since(self, index: int) -> list[Configuration]:
        """The configuration in effect at ``index``, and all later ones."""
        later = [c for k, c in self._configurations if k > index]
        return [self.configuration_at(max(index, self.base)), *later]

    def term_at(self, index: int) -> int | None:
        """The term of an entry; 0 before the first, None for what was compacted or does not exist."""
        if index == self.base:
            return self.base_term
        if self.base < index <= self.last:
            return self.entries[index - self.base - 1].term
        return None

    def between(self, first: int, last: int) -> list[Entry]:
        """Entries first..last, both included, which must be there."""
        return self.entries[first - self.base - 1 : last - self.base]

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries at the end."""
        for entry in entries:
            if entry.index != self.last + 1:
                raise AssertionError(f"entry {entry.index} cannot follow entry {self.last}")
            self.entries.append(entry)
            if entry.kind is Kind.CONFIGURATION and entry.configuration is not None:
                self._configurations.append((entry.index, entry.configuration))

    def truncate(self, index: int) -> None:
        """Drop everything from ``index`` on, and the configurations there."""
        del self.entries[index - self.base - 1 :]
        while len(self._configurations) > 1 and self._configurations[-1][0] >= index:
            self._configurations.pop()

    def override(self, configuration: Configuration) -> None:
        """Let a configuration be in effect that no entry states: for a mutant, and nothing else."""
        self._configurations.append((self.last, configuration))

    def compact(self, snapshot: Snapshot) -> None:
        """Let a snapshot stand for the log up to its index; what follows it stays."""
        current = self.configuration_at(snapshot.index)
        later = [(k, c) for k, c in self._configurations if k > snapshot.index]
        del self.entries[: snapshot.index - self.base]
        self.base, self.base_term, self.snapshot = snapshot.index, snapshot.term, snapshot
        self._configurations = [(snapshot.index, current), *later]

    def reset(self, snapshot: Snapshot) -> None:
        """Let a snapshot stand for everything: nothing of the old log stays."""
        self.entries = []
        self.base, self.base_term, self.snapshot = snapshot.index, snapshot.term, snapshot
        self._configurations = [(snapshot.index, snapshot.configuration)]

    def first_of_term(self, index: int) -> int:
        """The first position of the run of entries of one term that ends at ``index``."""
        term = self.term_at(index)
        while index - 1 > self.base and self.term_at(index - 1) == term:
            index -= 1
        return index

    def last_at_most(self, term: int, index: int) -> int:
        """The last position up to ``index`` whose entry has at most that term; the base if there is none."""
        index = min(index, self.last)
        while index > self.base and (self.term_at(index) or 0) > term:
            index -= 1
        return index
