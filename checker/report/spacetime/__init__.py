"""A run as a space-time diagram: a line for everybody who takes part, time going down, messages as slanted arrows.

A diagram is plain data (`diagram`), made of a model's trace (`of_trace`) or of the events of a run (`of_events`), and
drawn as SVG (`svg`).  The law: nothing is made up: every mark and arrow stands for something that the trace
or the run says.
"""

from __future__ import annotations

from scrutator.checker.report.spacetime.diagram import Diagram
from scrutator.checker.report.spacetime.of_events import diagram_of_events
from scrutator.checker.report.spacetime.of_trace import diagram_of_trace
from scrutator.checker.report.spacetime.svg import STYLE, inline, standalone

__all__ = ["STYLE", "Diagram", "diagram_of_events", "diagram_of_trace", "inline", "standalone"]
