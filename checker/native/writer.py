"""The text of one LLVM function as it grows: instructions, blocks and variables.

The law: every block ends in exactly one jump, branch or return, and nothing is written
between that and the next label.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scrutator.checker.native.dialect import Value
from scrutator.checker.native.intrinsics import PTR


@dataclass(slots=True)
class Writer:
    """`line`, `result` and `label` append to ``body``; ``entry`` makes room for variables."""

    entry: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    names: int = 0
    block: str = "start"
    closed: bool = False  # the current block has ended: what follows is unreachable
    reached: set[str] = field(default_factory=set)  # labels that something jumps to

    @staticmethod
    def nothing(kind: str) -> str:
        """What a variable of the kind holds before anything is assigned."""
        return "null" if kind == PTR else "0"

    def fresh(self) -> int:
        self.names += 1
        return self.names

    def line(self, instruction: str) -> None:
        self.body.append(instruction)

    def result(self, instruction: str) -> str:
        name = f"%t{self.fresh()}"
        self.body.append(f"{name} = {instruction}")
        return name

    def label(self, name: str) -> None:
        """Begin the block of that name; fall into it from an open one."""
        if not self.closed:
            self.line(f"br label %{name}")
        self.body.append(f"{name}:")
        self.block, self.closed = name, False

    def jump(self, name: str) -> None:
        if not self.closed:
            self.line(f"br label %{name}")
            self.reached.add(name)
            self.closed = True

    def branch(self, condition: Value, yes: str, no: str) -> None:
        self.line(f"br i1 {condition.text}, label %{yes}, label %{no}")
        self.reached |= {yes, no}
        self.closed = True

    def declare(self, name: str, kind: str) -> None:
        """A variable, zero until assigned."""
        self.variables[name] = kind
        self.entry.append(f"%v.{name} = alloca {kind}")
        self.entry.append(f"store {kind} {self.nothing(kind)}, ptr %v.{name}")
