"""Records appended in order and kept in chunks, in memory or, beyond a budget, on disk.

The frontier is a stream whose front is given back as it is read; parent entries are one
that is kept whole.  The law: a record, once written, reads the same wherever it is kept.
The file on disk has no name: whatever ends the process, nothing stays behind.
"""

from __future__ import annotations

import os
import tempfile
import weakref

import numpy as np

from scrutator.checker.explore.memory import HUGE_PAGE, Bytes, Words, address, reserve


class Stream:
    """Fixed-size records, ``1 << shift`` to a chunk.

    ``pointers`` maps chunk numbers to addresses for the kernel; it moves when `reserve`
    makes it grow.
    """

    def __init__(self, record_bytes: int, shift: int, folder: str | None) -> None:
        self.record_bytes = record_bytes
        self.shift = shift
        self.pointers: Words = np.zeros(64, np.int64)
        self._chunk_bytes = record_bytes << shift
        self._folder = folder
        self._memory: dict[int, Bytes] = {}
        self._on_disk: dict[int, int] = {}
        self._spare: list[Bytes] = []
        self._file: int | None = None  # descriptor
        self._file_bytes = 0

    @property
    def nbytes(self) -> int:
        """Memory in use."""
        return (len(self._memory) + len(self._spare)) * self._chunk_bytes

    @property
    def disk_bytes(self) -> int:
        """Bytes written to disk so far."""
        return self._file_bytes

    def reserve(self, first: int, end: int) -> None:
        """Make the records from ``first`` up to ``end`` writable."""
        if end <= first:
            return
        for chunk in range(first >> self.shift, ((end - 1) >> self.shift) + 1):
            if chunk not in self._memory:
                self._put(chunk, self._blank(chunk))

    def load(self, record: int) -> int:
        """Bring a record's chunk into memory; the record's address."""
        chunk = record >> self.shift
        if chunk not in self._memory:
            memory = self._blank(chunk)
            assert self._file is not None
            os.preadv(self._file, [memory.data], self._on_disk.pop(chunk))
            self._put(chunk, memory)
        return int(self.pointers[chunk]) + (record & ((1 << self.shift) - 1)) * self.record_bytes

    def read(self, record: int) -> bytes:
        """One record, wherever it is kept."""
        chunk, offset = record >> self.shift, (record & ((1 << self.shift) - 1)) * self.record_bytes
        if chunk in self._memory:
            return self._memory[chunk][offset : offset + self.record_bytes].tobytes()
        assert self._file is not None
        return os.pread(self._file, self.record_bytes, self._on_disk[chunk] + offset)

    def release(self, record: int) -> None:
        """Give back the chunks before the record's."""
        for chunk in [c for c in self._memory if c < record >> self.shift]:
            self._spare.append(self._memory.pop(chunk))

    def spill(self, low: int, high: int) -> bool:
        """Move to disk one chunk strictly between the records' chunks, the last such.

        Returns:
            Whether there was one.
        """
        if self._spare:
            self._spare.pop()
            return True
        within = [c for c in self._memory if low >> self.shift < c < high >> self.shift]
        if not within:
            return False
        if self._file is None:
            with tempfile.TemporaryFile(prefix="scrutator-", dir=self._folder) as file:
                self._file = os.dup(file.fileno())
            self._close_file = weakref.finalize(self, os.close, self._file)
        chunk = max(within)
        memory = self._memory.pop(chunk)
        os.pwritev(self._file, [memory.data], self._file_bytes)
        self._on_disk[chunk] = self._file_bytes
        self._file_bytes += self._chunk_bytes
        self.pointers[chunk] = 0
        return True

    def close(self) -> None:
        """Give everything back."""
        self._memory.clear()
        self._spare.clear()
        self._on_disk.clear()
        if self._file is not None:
            self._close_file()
            self._file = None

    def _blank(self, chunk: int) -> Bytes:
        if self._spare:
            return self._spare.pop()
        return reserve(self._chunk_bytes, huge=chunk > 0 and self._chunk_bytes >= HUGE_PAGE)

    def _put(self, chunk: int, memory: Bytes) -> None:
        if chunk >= len(self.pointers):
            self.pointers = np.concatenate([self.pointers, np.zeros(chunk + 1, np.int64)])
        self._memory[chunk] = memory
        self.pointers[chunk] = address(memory)
