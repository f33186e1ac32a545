"""What a quorum system costs: load, capacity, network, latency; the best strategies, and better systems.

>>> from scrutator.checker.quorum.cost import optimal, workload
>>> from scrutator.model.quorums import parse_system
>>> found = optimal(parse_system("read = a*b*c + d*e*f; write = dual", rules=("read-write",)), workload(0.25))
>>> round(found.value, 9), round(found.costs.capacity, 9), found.proof
(0.375, 2.666666667, 'optimal to 1e-09')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrutator.checker.quorum.cost.comparison import Row, compare, table
    from scrutator.checker.quorum.cost.optimise import (
        Certificate,
        Infeasible,
        Limits,
        Optimum,
        optimal,
        verify,
    )
    from scrutator.checker.quorum.cost.searching import Found, front, search
    from scrutator.checker.quorum.cost.strategy import Costs, Strategy, given, uniform
    from scrutator.checker.quorum.cost.workloads import Workload, workload, workload_of

__all__ = [
    "Certificate", "Costs", "Found", "Infeasible", "Limits", "Optimum", "Row", "Strategy", "Workload", "compare", "front",
    "given", "optimal", "search", "table", "uniform", "verify", "workload", "workload_of",
]  # fmt: skip

_MODULES = {
    "Row": "comparison", "compare": "comparison", "table": "comparison",
    "Certificate": "optimise", "Infeasible": "optimise", "Limits": "optimise", "Optimum": "optimise", "optimal": "optimise",
    "verify": "optimise", "Found": "searching", "front": "searching", "search": "searching",
    "Costs": "strategy", "Strategy": "strategy", "given": "strategy", "uniform": "strategy",
    "Workload": "workloads", "workload": "workloads", "workload_of": "workloads",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """What is asked for is loaded then: numpy and scipy take half a second."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
