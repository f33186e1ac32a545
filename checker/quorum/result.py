"""What the quorum verifier found: plain values, with the scope of every verdict."""

from __future__ import annotations

from dataclasses import dataclass

from scrutator.checker.quorum.smtlib import Leaves, Question
from scrutator.checker.verdict import ExitStatus, Verdict, gravest, status_of
from scrutator.model.quorums.rules import Rule
from scrutator.model.quorums.system import QuorumSystem


@dataclass(frozen=True, slots=True)
class Miss:
    """Quorums, one for each role of a rule, that share fewer correct nodes than they must.

    ``smallest``: it is proved that no others with fewer nodes together do.
    """

    quorums: tuple[frozenset[str], ...]
    shared: frozenset[str]  # nodes in all of them, faulty ones included
    smallest: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one rule, and what it rests on."""

    rule: Rule
    asked: Question
    verdict: Verdict
    basis: str  # how it was decided, as a sentence
    proof: Leaves | None = None  # the form of the question that z3 refuted
    miss: Miss | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdicts on all rules of a system.

    ``without_quorum`` are the roles of which no set of nodes is a quorum: what never decides anything is
    not called safe.
    """

    system: QuorumSystem
    findings: tuple[Finding, ...]
    without_quorum: tuple[str, ...]
    faulty: frozenset[str]  # nodes that lie or lost what they knew: sharing one of them is not enough
    absent: frozenset[str]  # nodes that are down for ever
    forgetting: int  # any so many further nodes may lose what they knew
    elapsed_s: float

    @property
    def verdict(self) -> Verdict:
        return Verdict.VIOLATED if self.without_quorum else gravest(finding.verdict for finding in self.findings)

    @property
    def exit_status(self) -> ExitStatus:
        return status_of(self.verdict)

    @property
    def scope(self) -> str:
        """What the verdict is about, as a sentence."""
        count = len(self.system.nodes)
        said = f"all quorums over {count} node{'s' if count != 1 else ''}"
        if self.absent:
            said += f", without {_listed(self.absent)}"
        if self.faulty:
            said += f"; {_listed(self.faulty)} may lie"
        if self.forgetting:
            said += f"; any {self.forgetting} node{'s' if self.forgetting != 1 else ''} may lose what they knew"
        return said


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
