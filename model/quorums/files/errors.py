"""What is wrong with a file, and where; and the reading of its text, within limits.

Law: a message begins with ``file:line:``, as compilers' do, so that editors jump there.
"""

from __future__ import annotations

import re
from pathlib import Path

from scrutator.model.quorums.expression import QuorumError

BYTES_MAX = 64 * 1024 * 1024


class FileError(QuorumError):
    """A file that cannot be read as a quorum system: where, what is wrong, why, and what to do.

    ``line`` counts from 1; None where the file as a whole is meant, as one that does not exist.
    """

    def __init__(self, path: Path | str, line: int | None, message: str) -> None:
        where = str(path) if line is None else f"{path}:{line}"
        super().__init__(f"{where}: {message}")
        self.path, self.line, self.reason = str(path), line, message


def line_at(text: str, offset: int) -> int:
    """The line, counted from 1, of a position in the text."""
    return text.count("\n", 0, max(offset, 0)) + 1


def line_of(text: str, *words: str) -> int:
    """The line of a key or value: the last of the words, each looked for behind the one before.

    A word is found where it stands alone, quoted or not: ``a`` is not found in ``abc``.  Where one is
    not found, the line of the last that was; 1 if none was.

    >>> line_of('[nodes]\\na = 1\\n[groups]\\na = 2', "[groups]", "a")
    4
    """
    at, found = 0, 0
    for word in words:
        left = r"(?<![\w-])" if re.match(r"\w", word) else ""
        right = r"(?![\w-])" if re.search(r"\w\Z", word) else ""
        match = re.compile(left + re.escape(word) + right).search(text, at)
        if match is not None:
            found, at = match.start(), match.end()
    return line_at(text, found)


def read_text(path: Path, bytes_max: int = BYTES_MAX) -> str:
    """The text of a file; raises `FileError` if there is none, or if it is too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except FileNotFoundError:
        raise FileError(path, None, "there is no such file") from None
    except IsADirectoryError:
        raise FileError(path, None, "a directory; name the file in it that describes the quorums") from None
    except OSError as error:
        raise FileError(path, None, f"cannot be read: {error.strerror or error}") from None
    except ValueError:  # a null character in the name
        raise FileError(repr(str(path)), None, "not the name of a file") from None
    if len(data) > bytes_max:
        raise FileError(path, None, f"larger than {bytes_max:,} bytes: not a description of quorums") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(path, line, f"not UTF-8 text: byte {data[error.start]:#04x}; save the file as UTF-8") from None
    return text.replace("\r\n", "\n")
