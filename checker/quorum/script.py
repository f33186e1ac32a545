"""A proof to be repeated: the question that was decided, as an SMT-LIB script with what to expect."""

from __future__ import annotations

from scrutator.checker.quorum.result import Finding
from scrutator.checker.quorum.smtlib import Leaves
from scrutator.checker.verdict import Verdict

_STATUS = {Verdict.HOLDS: "unsat", Verdict.VIOLATED: "sat", Verdict.UNKNOWN: "unknown"}


def script(finding: Finding, scope: str) -> str:
    """The question of a finding, for any solver that reads SMT-LIB 2.6.

    What was proved in real arithmetic is asked in that form: "unsat" there proves that there are no such
    sets of nodes.  Everything else is asked over whole numbers, and "sat" means that there are.
    """
    leaves = finding.proof or Leaves.WHOLE
    lines = [
        f"; {_comment(scope)}",
        f"; Rule: {_comment(str(finding.rule))}",
        f"; Are there such quorums that share fewer than {finding.asked.overlap} correct nodes?",
        *(f"; quorum {k}, {_comment(role)}: {_comment(str(e))}" for k, (role, e) in enumerate(zip(finding.rule.roles, finding.asked.quorums, strict=True))),
        "; A node's number is 1 if it is in the quorum, 0 if it is not"
        + (", and may lie between: a relaxation, in which unsat is a proof." if leaves is Leaves.REAL else "."),
    ]
    logic, rest = finding.asked.text(leaves).split("\n", 1)
    return "\n".join([*lines, logic, f"(set-info :status {_STATUS[finding.verdict]})", rest])


def _comment(text: str) -> str:
    """Printable and on one line, so that it stays a comment."""
    return "".join(c if c.isprintable() else "?" for c in text)[:2000]
