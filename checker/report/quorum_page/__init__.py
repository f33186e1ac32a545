"""Quorum systems as a page: one HTML file that needs no network, to look at rather than to read.

The law: nothing that a configuration holds is ever markup or program.  It reaches the page as JSON,
whose texts become text nodes, or escaped; the page runs no script but its own, which its policy names
by hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from scrutator.checker.quorum.study import AnyStudy
from scrutator.checker.report.clean import clean
from scrutator.checker.report.quorum_page.document import document_of
from scrutator.checker.report.quorum_page.schema import embedded
from scrutator.checker.report.quorum_page.tradeoff import Candidate
from scrutator.checker.verdict import gravest

__all__ = ["Candidate", "page", "write_page"]

# In this order: each file knows those before it.
_SCRIPTS = ("elements", "circuit", "state", "columns", "matrix", "zones", "findings", "change", "tradeoff", "page")


def page(studies: Sequence[AnyStudy], *, comparison: Sequence[Candidate] | None = None) -> str:
    """The page for studies of quorum systems.

    Args:
        studies: What was found of each system; at least one, or a comparison.
        comparison: Systems side by side, for a plot of what they cost.
    """
    style, script = _asset("style.css"), _program()
    verdict = gravest(study.verdict for study in studies)
    names = ", ".join(clean(study.system.name) for study in studies[:3]) + (", ..." if len(studies) > 3 else "")
    fill = {
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
        "title": html.escape(f"{verdict.name}: {names}" if studies else "Quorum systems compared"),
        "style": style,
        "data": embedded(document_of(studies, comparison)),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: fill[match[1]], _asset("page.html"))


def write_page(studies: Sequence[AnyStudy], path: Path, *, comparison: Sequence[Candidate] | None = None) -> None:
    """Write the page to a file.  Raises OSError."""
    path.write_bytes(page(studies, comparison=comparison).encode("utf-8", "replace"))


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
