"""Recorded histories: reading, recording, and whether some order explains them.

>>> from scrutator.checker.linear import Builder, check_linearizable
>>> builder = Builder("example", has_clock=True)
>>> _ = builder.add(1, 0, "write", 1, 0, 10, None)
>>> _ = builder.add(2, 1, "read", None, 20, 30, 2)
>>> check_linearizable(builder.history(), "register").verdict
<Verdict.VIOLATED: 'violated'>
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrutator.checker.linear.builder import Builder
    from scrutator.checker.linear.check import check_linearizable
    from scrutator.checker.linear.history import History, HistoryError, Operation
    from scrutator.checker.linear.online import Online
    from scrutator.checker.linear.recording import Recorder, record
    from scrutator.checker.linear.weaker import strongest

__all__ = [
    "Builder", "History", "HistoryError", "Online", "Operation", "Recorder", "check_linearizable", "record", "strongest",
]  # fmt: skip

_MODULES = {
    "Builder": "builder", "check_linearizable": "check", "History": "history", "HistoryError": "history",
    "Operation": "history", "Online": "online", "Recorder": "recording", "record": "recording", "strongest": "weaker",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is asked for is loaded then: commands that need little stay fast."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
