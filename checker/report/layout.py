"""How printed text is laid out: the console, wrapped lines under an indent, numbers.

Law: a line never exceeds the console's width unless one word does, and no line carries
markup from the strings it shows.  Knows nothing of results.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scrutator.checker.report.clean import clean, clean_lines

WIDTH_MIN = 40


class _Console(Console):
    """Lets a closed pipe be seen, where rich would end the process with status 1: a violation's."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console_for(file: TextIO, width: int | None = None) -> Console:
    """A console on ``file``: coloured on a terminal unless NO_COLOR is set, and never elsewhere."""
    terminal = file.isatty()
    colour = terminal and not os.environ.get("NO_COLOR")
    return _Console(
        file=file,
        width=None if width is None else max(width, WIDTH_MIN),
        force_terminal=terminal,
        no_color=not colour,
        color_system="auto" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )


def new_table() -> Table:
    """A table in the one style there is: a line under the header, two spaces between columns."""
    return Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )


def put(
    console: Console, text: str | Text, *, indent: int = 0, style: str = "", label: str | Text = ""
) -> None:
    """Print one paragraph, wrapped; a ``label`` stands in the indent of its first line."""
    body = text.copy() if isinstance(text, Text) else Text(clean(text), style=style)
    body.no_wrap = False
    width = max(console.width - indent, 20)
    for k, line in enumerate(body.wrap(console, width) or [Text()]):
        line.rstrip()
        head = label.copy() if isinstance(label, Text) else Text(clean(label))
        margin = head if k == 0 else Text()
        margin.pad_right(max(indent - margin.cell_len, 0))
        full = Text.assemble(margin, line)
        full.rstrip()
        console.print(full, soft_wrap=True)


def put_paragraphs(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    """Print a docstring: its paragraphs are filled anew; indented lines and list items stay lines."""
    lines: list[str] = []
    for line in clean_lines(text.strip()):
        continues = lines and lines[-1] and line and not line.startswith((" ", "-", "*"))
        if continues:
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    for line in lines:
        put(console, line, indent=indent, style=style)


def first_line(text: str) -> str:
    """The first line of a docstring, cleaned."""
    return clean(text.strip().split("\n", 1)[0])


def plural(count: int, noun: str) -> str:
    """``1 step``, ``2 steps``, ``3 properties``, ``4 keys``."""
    if count == 1:
        return f"1 {noun}"
    ies = noun.endswith("y") and noun[-2] not in "aeiou"
    return f"{count:,} {noun[:-1] + 'ies' if ies else noun + 's'}"


def size(count: float) -> str:
    """Bytes in binary units: ``512 MiB``, ``1.5 GiB``."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while count >= 1024 and len(units) > 1:
        count, units = count / 1024, units[1:]
    return f"{count:.0f} {units[0]}" if count >= 10 or units[0] == "B" else f"{count:.1f} {units[0]}"


def rate(count: float) -> str:
    """A count of thousands or millions in short: ``950``, ``12.3 k``, ``1.35 M``."""
    if count < 1_000:
        return f"{count:.0f}"
    if count < 999_950:
        return f"{count / 1e3:.1f} k"
    return f"{count / 1e6:.2f} M"


def duration(seconds: float) -> str:
    """Seconds for a person: ``0.31 s``, ``12.0 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def listed(names: Iterable[str]) -> str:
    """Names in a row, cleaned."""
    return ", ".join(clean(name) for name in names)
