"""The ladder as a page: one HTML file that needs no network and no script, with a picture of each run.

The law: every figure on it was measured, every picture is drawn from what was found, and every text is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from importlib import resources
from pathlib import Path

from scrutator.checker.ladder import LadderFound
from scrutator.checker.report.clean import clean
from scrutator.checker.report.ladder_page.sections import mistakes, navigation, section, table_of_rungs
from scrutator.checker.report.ladder_words import headline
from scrutator.checker.report.spacetime import STYLE
from scrutator.checker.verdict import Verdict

__all__ = ["page", "write_page"]

_SYMBOLS = {Verdict.HOLDS: "✔", Verdict.VIOLATED: "✖", Verdict.UNKNOWN: "?"}


def page(found: LadderFound) -> str:
    """The page for what running the ladder found."""
    style = _asset("style.css") + STYLE
    fill = {
        "policy": f"default-src 'none'; style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
        "style": style,
        "verdict": found.verdict.value,
        "symbol": _SYMBOLS[found.verdict],
        "headline": html.escape(clean(headline(found))),
        "mistakes": mistakes(found),
        "navigation": navigation(found),
        "table": table_of_rungs(found),
        "sections": "\n".join(section(rung, found) for rung in found.rungs),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: fill[match[1]], _asset("page.html"))


def write_page(found: LadderFound, path: Path) -> None:
    """Write the page to a file.  Raises OSError."""
    path.write_bytes(page(found).encode("utf-8", "replace"))


def _asset(name: str) -> str:
    # A browser turns other line ends into these before it looks at the hash.
    return resources.files(__name__).joinpath(name).read_text("utf-8").replace("\r\n", "\n")


def _hash(text: str) -> str:
    """A text as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
