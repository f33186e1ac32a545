"""A history as a timeline: one HTML file that needs no network, with the verdict and its reasons.

The law: nothing that a history holds is ever markup or program.  It reaches the page as
JSON, or escaped, and the page runs no script but its own, which its policy names by hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from scrutator.checker.linear.history import History
from scrutator.checker.linear.result import Linearizability
from scrutator.checker.report.timeline.document import document_of, embedded
from scrutator.checker.report.timeline.words import SYMBOLS, Band, basis, headline, name_of, subject, under
from scrutator.model.objects.sequential import Object

__all__ = ["Band", "page", "write"]

# In this order: each file knows those before it.
_SCRIPTS = (
    "operations", "phrases", "lanes", "viewport", "canvas", "bars", "faults", "drawing", "overview", "panel", "keys", "input",
    "timeline",
)  # fmt: skip


def page(history: History, object_: Object, found: Linearizability, bands: Sequence[Band] = ()) -> str:
    """The page for a history and what was found of it.

    Args:
        history: What was recorded.
        object_: What it was checked against; says how operations read.
        found: The verdict.  Where it has explanations or witnesses, the page shows them.
        bands: Faults while it was recorded, shown where the history has a clock.

    Raises:
        ValueError: The object lacks a method of the history, so that this is no verdict on it.
    """
    style, script = _asset("style.css"), _program()
    fill = {
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
        "title": html.escape(f"{headline(found.verdict)}: {name_of(found.source)}"),
        "style": style,
        "verdict": found.verdict.value,
        "symbol": SYMBOLS[found.verdict],
        "headline": html.escape(headline(found.verdict)),
        "subject": html.escape(subject(found)),
        "basis": html.escape(basis(history, object_, found) + under(bands)),
        "data": embedded(document_of(history, object_, found, bands)),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: fill[match[1]], _asset("page.html"))


def write(path: str | Path, history: History, object_: Object, found: Linearizability, bands: Sequence[Band] = ()) -> None:
    """Write the page to a file.  Raises OSError, and ValueError as `page` does."""
    Path(path).write_bytes(page(history, object_, found, bands).encode())


def _program() -> str:
    """The scripts as one, which shares no name with the rest of the page."""
    parts = "\n".join(_asset(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _asset(name: str) -> str:
    # A browser turns other line ends into these before it looks at the hash.
    return resources.files(__name__).joinpath(name).read_text("utf-8").replace("\r\n", "\n")


def _hash(text: str) -> str:
    """A text as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
