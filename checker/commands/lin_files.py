"""Which files `scrutator lin` is to read: files, folders, patterns, standard input.

Law: what is named is read, or the command says why not; of what is found in folders and by
patterns, only what some reader recognises, and the rest is named.  A file is read once.  Of what `scrutator record`
left in a folder, only the history is one.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scrutator.checker.commands.shared import UsageError

STDIN = "-"
STDIN_PATH = "/dev/stdin"


@dataclass(frozen=True, slots=True)
class Files:
    """Paths of histories in the order in which they were named, and what was found beside them."""

    paths: tuple[str, ...]
    skipped: tuple[str, ...]


def files_of(names: Iterable[str], *, recognised_only: bool = True) -> Files:
    """The files of some names.

    Args:
        names: Files, folders, patterns, or ``-``.
        recognised_only: Of what is found, leave out what no reader recognises; False where
            the user said which reader to use.

    Raises:
        UsageError: A name names nothing, or no history.
    """
    paths: dict[str, str] = {}  # by the file itself: links and names written otherwise are the same one
    skipped: dict[str, str] = {}
    for name in names:
        name = STDIN_PATH if name == STDIN else name
        if os.path.exists(name) and not os.path.isdir(name):
            paths.setdefault(os.path.realpath(name), name)
            continue
        found = list(_found(name))
        good = [path for path in found if not recognised_only or _may_be_history(path)]
        if len(found) == 1:
            good = found  # its reader says what is wrong with it
        if not good:
            raise UsageError(_nothing(name, found))
        paths.update({real: path for path in good if (real := os.path.realpath(path)) not in paths})
        skipped.update({os.path.realpath(path): path for path in found if path not in set(good)})
    return Files(tuple(paths.values()), tuple(path for real, path in skipped.items() if real not in paths))


def _found(name: str) -> Iterator[str]:
    """The regular files of a folder, or that match a pattern, in order of their names."""
    if os.path.isdir(name):
        yield from _walk(name)
    elif glob.has_magic(name):
        for match in sorted(glob.glob(name, recursive=True)):
            yield from _walk(match) if os.path.isdir(match) else [match]
    else:
        raise UsageError(f"{name}: there is no such file or folder")


def _walk(folder: str) -> Iterator[str]:
    """All regular files within, hidden ones left out."""

    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {error.strerror or error}") from error

    for parent, folders, files in os.walk(folder, onerror=refuse):
        if {"history.jsonl", "faults.jsonl"} <= set(files):  # a recorded run: the rest is what its nodes left
            folders[:], files = [], ["history.jsonl"]
        files = [file for file in files if not file.endswith(".faults.jsonl")]
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for path in (os.path.join(parent, file) for file in sorted(files) if not file.startswith(".")):
            if os.path.isfile(path):
                yield path


def _may_be_history(path: str) -> bool:
    """Whether some reader recognises the file; one that cannot be opened is for the reader to refuse."""
    from scrutator.checker.linear.formats.recognise import SEEN_BYTES, recognise
    from scrutator.checker.linear.formats.source import Source, unpacked
    from scrutator.checker.linear.history import HistoryError

    try:
        with open(path, "rb") as file:
            recognise(Source(path, unpacked(path, file.read(SEEN_BYTES), bytes_max=SEEN_BYTES, head=True)))
    except OSError:
        return True
    except HistoryError:
        return False
    return True


def _nothing(name: str, found: list[str]) -> str:
    if not found:
        what = "the folder has no files" if os.path.isdir(name) else "no file matches the pattern"
        return f"{name}: {what}"
    some = ", ".join(found[:3]) + (" ..." if len(found) > 3 else "")
    return f"{name}: none of its {len(found):,} files is a history that some reader recognises: {some}; see --from"
