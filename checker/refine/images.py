"""The mapping as ordinary Python: the image of a state, and the abstract steps between two images.

The reference meaning of a refinement, slow and obvious; compiled code must agree with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from scrutator.checker.explore.layout import decode, encode
from scrutator.model.language.interpret import Interpreter, Successor
from scrutator.model.language.refinement import Mapping
from scrutator.model.language.values import RecordPlace


class Images:
    """Images of states, and what the abstract model can do in them."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.concrete, self.abstract = Interpreter(mapping.concrete), Interpreter(mapping.abstract)

    def of(self, state: RecordPlace) -> RecordPlace:
        """The abstract state that a state stands for; raises `ModelError` where the mapping makes a mistake."""
        target = self.abstract.blank()
        self.concrete.fill(self.mapping.function, state, target)
        target._dirty = False  # an action may start from it
        return target

    def of_row(self, row: bytes) -> bytes:
        """The image's row."""
        return encode(self.of(decode(self.mapping.concrete.state, row)))

    def steps(self, row: bytes) -> Iterator[Successor]:
        """All abstract steps from an image's row, in the order of actions and of their parameters."""
        return self.abstract.successors(decode(self.mapping.abstract.state, row))

    def step(self, before: bytes, after: bytes) -> Successor | None:
        """The first abstract step that leads from one image to another."""
        return next((s for s in self.steps(before) if encode(s.state) == after), None)

    def strays(self) -> Iterator[RecordPlace]:
        """The initial states that stand for no initial state, in order."""
        allowed = {encode(s) for s in self.abstract.initial_states()}
        return (s for s in self.concrete.initial_states() if encode(self.of(s)) not in allowed)
