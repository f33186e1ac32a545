"""Quorum systems as values: which sets of nodes may decide."""

from scrutator.model.quorums.system import Quorums, QuorumSystem

__all__ = ["QuorumSystem", "Quorums"]
